"""Where the files of a drafted study lie: their paths in the study, and the folder that --data names."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from trimtab.config import InputError
from trimtab.data.files import data_root, find


@dataclass(frozen=True)
class Place:
    """``root``: the folder that commands name; file, test: paths below it, ``test`` None for one file alone.

    is_default: whether commands find the files without naming the folder.
    """

    root: Path
    file: str
    test: str | None
    is_default: bool

    def command(self, words: str, study: Path) -> str:
        """A command on the study as a shell takes it."""
        data = "" if self.is_default else f" --data {shlex.quote(str(self.root))}"
        return f"trimtab {words} {shlex.quote(str(study))}{data}"


def place_of(file: str, test: str | None, root: Path | None) -> Place:
    """The folder that holds a table, and that of the test set where it is another file.

    root: what --data names; without it the folder is TRIMTAB_DATA for a relative path, else the file's own.
    InputError where a file is not there, or is the other one.
    """
    paths = [find(each, root).resolve() for each in (file, test) if each is not None]
    if len(paths) == 2 and paths[0] == paths[1]:
        raise InputError(f"--test: {test} is the table itself; name another file, or leave --test out")
    given = data_root(root)
    if given is None or any(not path.is_relative_to(given.resolve()) for path in paths):
        base = Path(os.path.commonpath([path.parent for path in paths]))
        here = Path.cwd().resolve()
        shown = base.relative_to(here) if base.is_relative_to(here) else base
        is_default = base == here and given is None
    else:
        base, shown, is_default = given.resolve(), given, root is None
    first, *others = (path.relative_to(base).as_posix() for path in paths)
    return Place(shown, first, others[0] if others else None, is_default)
