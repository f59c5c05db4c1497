"""The files of a ledger, read and written: InputError names what is damaged, and what to delete."""

import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from trimtab.atomic import TEMPORARY, atomic_write
from trimtab.config import InputError

Model = TypeVar("Model", bound=BaseModel)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object, None where there is no such file; InputError where it is damaged."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    if not isinstance(value, dict):
        raise damaged(path, "it is not a JSON object")
    return value


def read_record(path: Path, model: type[Model]) -> Model | None:
    """A record of that kind, None where there is no such file; InputError where it is damaged."""
    try:
        return model.model_validate_json(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record atomically: a reader sees the old file or the whole new one."""
    with atomic_write(path) as temporary:
        temporary.write_text(record.model_dump_json(indent=1) + "\n")


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray]:
    """Arrays of an .npz, all or those named; InputError where it is damaged."""
    try:
        # Read whole: numpy leaves a file open that is no zip, and one in a compact ledger is slow to seek in.
        with np.load(io.BytesIO(path.read_bytes())) as arrays:
            return {name: arrays[name] for name in names or arrays.files}
    except (ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise damaged(path, "it is truncated or corrupt") from error
    except OSError as error:
        raise damaged(path, error) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Write arrays atomically into a compressed .npz."""
    with atomic_write(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def sweep(folder: Path) -> None:
    """Remove what a killed process had begun to write; only its successor, who holds the lock, may."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def damaged(path: Path, why: object) -> InputError:
    """The sentence for a file that cannot be read; why: the error, or a reason in words."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else why
    reason = _fault(why) if isinstance(why, ValidationError) else reason
    return InputError(f"{path}: cannot be read ({reason}); delete {_whole(path)} and run the study again")


def _fault(error: ValidationError) -> str:
    """The first fault that pydantic found: where it is and what."""
    first = error.errors(include_url=False)[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


def _whole(path: Path) -> Path:
    """What to delete where ``path`` is damaged: of a trial its folder, so that it is trained again."""
    return path.parent if path.parent.parent.name == "trials" else path
