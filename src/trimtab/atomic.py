"""Atomic writing: write beside, then rename, so that a reader sees the old file or the complete new one."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPORARY = ".writing-"  # how the names of temporary files begin; a process that is killed leaves them behind

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # the error numbers of a full disk, and of a user's full share of it


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Gives a temporary path beside ``path``, renamed to ``path`` when the block ends without an error."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY, suffix=path.suffix)
    os.close(number)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files for the owner alone, and so do some writers that replace the file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Gives an empty folder beside ``folder``, renamed to ``folder`` when the block ends without an error.

    ``folder`` must be empty or missing; its parents are created.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=TEMPORARY))
    try:
        os.chmod(temporary, 0o755)
        yield temporary
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON atomically: a reader sees the old file or the complete new one."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")
