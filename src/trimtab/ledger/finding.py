"""A finding: a file that is damaged or left over, what is wrong with it, and what to do."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trimtab.config import InputError

NOTHING_DEPENDS = "nothing depends on it; --repair removes it"
ITSELF = Path()  # stands for the damaged file, where that is what has to go


@dataclass(frozen=True)
class Finding:
    """What is wrong with a file, and how to mend it, each a part of a sentence.

    remove: what has to go so that a run makes it again; None where that would cost more than it mends, or
    would mend nothing.
    """

    path: Path
    what: str
    mend: str
    remove: Path | None


def tried(path: Path, read: Callable[[], object], remove: Path | None = ITSELF) -> list[Finding]:
    """What reading a file finds: nothing where it is whole."""
    try:
        read()
    except InputError as error:
        what, _, mend = str(error).rpartition("; ")
        return [Finding(path, what.removeprefix(f"{path}: "), mend, path if remove is ITSELF else remove)]
    return []
