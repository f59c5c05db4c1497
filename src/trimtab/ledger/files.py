"""The files of a ledger, read and written: InputError names what is damaged, and what to delete."""

import contextlib
import io
import json
import time
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from trimtab.atomic import TEMPORARY, atomic_write
from trimtab.config import InputError
from trimtab.ledger.digests import DIFFERS, check_seal, digest_of, sealed, without_seal

Model = TypeVar("Model", bound=BaseModel)

METRICS = "metrics.jsonl"  # of a trial: a record an epoch, which nothing else of it depends on

# What reading a file may end in; the last two where it is one in a compact ledger.
_UNREADABLE = (OSError, ValueError, zipfile.BadZipFile, zlib.error)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, None where there is no such file; InputError where it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(path, error) from error
    if not isinstance(value, dict):
        raise damaged(path, "it is not a JSON object")
    return value


def read_record(path: Path, model: type[Model]) -> Model | None:
    """A record of that kind, None where there is no such file; InputError where it is damaged."""
    try:
        text = path.read_text(encoding="utf-8")
        record = model.model_validate_json(without_seal(text))  # first, as it knows which field is wrong
        check_seal(text)
        return record
    except (FileNotFoundError, NotADirectoryError):
        return None
    except _UNREADABLE as error:
        raise damaged(path, error) from error


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record atomically: a reader sees the old file or the whole new one."""
    with atomic_write(path) as temporary:
        temporary.write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def write_sealed(path: Path, record: BaseModel) -> None:
    """Write a record as ``write_record``, with the digest of its content, which ``read_record`` verifies."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(sealed_content(record))


def sealed_content(record: BaseModel) -> bytes:
    """What ``write_sealed`` writes."""
    return sealed(record.model_dump_json(indent=1) + "\n").encode()


def read_verified(path: Path, digest: str | None) -> bytes:
    """A file's content; InputError where it has not that digest, if there is one, or cannot be read."""
    try:
        content = path.read_bytes()
    except _UNREADABLE as error:
        raise damaged(path, error) from error
    if digest is not None and digest_of(content) != digest:
        raise damaged(path, DIFFERS)
    return content


def read_arrays(
    path: Path, names: Sequence[str] | None = None, digest: str | None = None
) -> dict[str, NDArray]:
    """Arrays of an .npz, all or those named; InputError where it is damaged, or has not the digest."""
    # Read whole: numpy leaves a file open that is no zip, and one in a compact ledger is slow to seek in.
    content = read_verified(path, digest)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names or arrays.files}
    except Exception as error:  # numpy and zipfile have many ways to fail on a damaged file
        raise damaged(path, "it is truncated or corrupt") from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write arrays atomically into a compressed .npz."""
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def sweep(folder: Path, older: float = 0.0) -> None:
    """Remove what a killed process had begun to write, that is ``older`` than so many seconds.

    Only who has claimed what is written there may take everything.
    """
    for path in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):  # gone meanwhile
            if time.time() - path.stat().st_mtime >= older:
                path.unlink()


def damaged(path: Path, why: object) -> InputError:
    """The sentence for a file that cannot be read; why: the error, or a reason in words."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else why
    reason = _fault(why) if isinstance(why, ValidationError) else str(reason).partition("\n")[0]
    return InputError(f"{path}: cannot be read ({reason}); {_mend(path)}")


def _fault(error: ValidationError) -> str:
    """The first fault that pydantic found: where it is and what."""
    first = error.errors(include_url=False, include_input=False)[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


def _mend(path: Path) -> str:
    """What to do where ``path`` is damaged; of a trial, a run finds out itself."""
    if isinstance(path, zipfile.Path):
        return "get the file again, or run the study again"
    of_trial = path.parent.parent.name == "trials"
    if of_trial and path.name != METRICS:
        return "run the study again, which trains this trial again"
    return f"delete {path.parent if of_trial else path} and run the study again"
