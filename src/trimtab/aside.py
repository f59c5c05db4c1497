"""Writing aside and renaming: a file is the old one or the whole new one, whenever it is read."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ASIDE = ".writing-"  # what is being written; a process that is killed leaves it behind


class written_aside:  # noqa: N801  (a context manager reads like a function)
    """Gives a temporary path beside ``path`` and renames it to ``path`` when the block ends well."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        number, name = tempfile.mkstemp(dir=self.path.parent, prefix=ASIDE, suffix=self.path.suffix)
        os.close(number)
        self.aside = Path(name)
        return self.aside

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            os.chmod(self.aside, 0o644)  # now: who writes may have made the file anew, for the owner alone
            os.replace(self.aside, self.path)
        else:
            self.aside.unlink(missing_ok=True)


@contextmanager
def folder_written_aside(folder: Path) -> Iterator[Path]:
    """Gives an empty folder beside ``folder``, renamed to that when the block ends well.

    ``folder`` must be empty or not there; folders above it are made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=ASIDE))
    try:
        os.chmod(aside, 0o755)
        yield aside
        os.replace(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON aside and rename it, so that a reader sees the old file or the whole new one."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(value, indent=1) + "\n")
