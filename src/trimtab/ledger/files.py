"""The files of a ledger, read: InputError names what is damaged, and what to delete. Free of torch."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError


def read_json(path: Path) -> dict[str, Any] | None:
    """A table, None where there is no such file; InputError where it is damaged."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise damaged(path, error) from error
    if not isinstance(value, dict):
        raise damaged(path, "it holds no table")
    return value


def read_arrays(path: Path, names: Sequence[str] | None = None) -> dict[str, NDArray]:
    """Arrays of an .npz, all or those named; InputError where it is damaged."""
    try:
        # Opened here, because numpy leaves a file open that is no zip.
        with path.open("rb") as file, np.load(file) as arrays:
            return {name: arrays[name] for name in names or arrays.files}
    except (ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise damaged(path, "it is no whole .npz") from error
    except OSError as error:
        raise damaged(path, error) from error


def sweep(folder: Path) -> None:
    """Remove what a killed process had begun to write; only its successor, who holds the lock, may."""
    for path in folder.glob(f"{TEMPORARY}*"):
        path.unlink(missing_ok=True)


def damaged(path: Path, why: object) -> InputError:
    """The sentence for a file that cannot be read."""
    reason = why.strerror if isinstance(why, OSError) and why.strerror else why
    return InputError(f"{path}: cannot be read ({reason}); delete {_whole(path)} and run the study again")


def _whole(path: Path) -> Path:
    """What to delete where ``path`` is damaged: of a trial its folder, so that it is trained again."""
    return path.parent if path.parent.parent.name == "trials" else path
