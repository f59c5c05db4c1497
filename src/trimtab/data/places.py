"""Finding a published data set below the user's data folder."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.config import InputError
from trimtab.data.files import data_root


def locate(root: Path | None, names: Sequence[str], origin: str) -> Path:
    """The first of the files ``names`` that exists.

    Each is a path such as ``cola_public/raw/in_domain_dev.tsv``, whose parts may contain ``*``. It is looked
    for in data_root(root), else in the current folder; then one folder down; and, if that folder has the name
    of the first part of the path, inside it. Raises InputError that says where to get the file.
    """
    base = data_root(root) or Path.cwd()
    for name in names:
        for path in _candidates(base, name):
            if path.is_file():
                return path
    others = f", nor {' or '.join(names[1:])}" if names[1:] else ""
    mend = f"get it from {origin} and name its folder with --data DIR"
    raise InputError(f"{base}: holds no {names[0]}{others}, there or a folder down; {mend}")


def _candidates(base: Path, name: str) -> list[Path]:
    first, _, rest = name.partition("/")
    inside = sorted(base.glob(rest)) if rest and base.resolve().name == first else []
    return [*sorted(base.glob(name)), *inside, *sorted(base.glob(f"*/{name}"))]
