"""Atomic writing: write beside, then rename, so that a reader sees the old file or the whole new one."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TEMPORARY = ".writing-"  # what is being written; a process that is killed leaves it behind


class atomic_write:  # noqa: N801  (a context manager reads like a function)
    """Gives a temporary path beside ``path`` and renames it to ``path`` when the block ends well."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        number, name = tempfile.mkstemp(dir=self.path.parent, prefix=TEMPORARY, suffix=self.path.suffix)
        os.close(number)
        self.temporary = Path(name)
        return self.temporary

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            os.chmod(
                self.temporary, 0o644
            )  # now: who writes may have made the file anew, for the owner alone
            os.replace(self.temporary, self.path)
        else:
            self.temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Gives an empty folder beside ``folder``, renamed to that when the block ends well.

    ``folder`` must be empty or not there; folders above it are made.
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
    """Write JSON atomically: a reader sees the old file or the whole new one."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")
