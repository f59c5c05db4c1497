"""What a reader of predictions gives: rows of named columns, and what the file's place says of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.config import InputError, nearest

PROBABILITY_OF = "probability_"  # begins the column of a class's probability
COLUMNS = (
    "variant", "seed", "example", "score", "label", "prediction", "probability", "cluster", "test",
)  # fmt: skip
# At the end of a file's or folder's name: bert-seed3, bert_seed_3, bert.seed=3.
_SEED = re.compile(r"(?:^|[._-])seed[._=-]?(\d+)$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """A file or folder as the user names it. variant, seed: those that are given with it, or None."""

    path: Path
    variant: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Source:
    """The rows of one file, as (number of its line or row, a value for each of ``columns``).

    same: the place in ``columns`` of what must agree between variants, beside label and cluster: a hash of
    the question that was asked. variant, seed, test: of all rows, where no column tells; seed None where
    nothing does.
    """

    where: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, Sequence[Any]]]
    variant: str
    seed: int | None
    test: str = "test"
    same: int | None = None


@dataclass(frozen=True)
class Format:
    """A kind of file. reads: whether a path is of it; read: (place, name of a score or None) -> its rows,
    which may be several files.
    """

    words: str
    reads: Callable[[Path], bool]
    read: Callable[[Place, str | None], list[Source]]


def named_after(place: Place, name: str | None = None) -> tuple[str, int | None]:
    """The variant and the seed of a file that does not name its own.

    What the user gives, else ``name``, by default that of the file without its ending. There a seed may stand
    at the end: ``bert-seed3.csv`` is seed 3 of ``bert``, ``bert/seed3.csv`` too.
    """
    stem = place.path.resolve().name if place.path.is_dir() else place.path.stem
    found = _SEED.search(stem)
    own = stem[: found.start()] if found else stem
    seed = place.seed if place.seed is not None else int(found[1]) if found else None
    return place.variant or name or own or place.path.resolve().parent.name, seed


def known_columns(where: str, header: Sequence[str]) -> tuple[str, ...]:
    """The header of a table of predictions; InputError where a column is unknown, doubled or missing."""
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{where}: {header.count(name)} columns are named {name!r}; keep one")
        if name not in COLUMNS and not name.startswith(PROBABILITY_OF):
            raise InputError(
                f"{where}: unknown column {name!r}; rename it or take it out, {nearest(name, COLUMNS)}"
            )
    if "example" not in header:
        raise InputError(
            f"{where}: no column 'example'; give each row the id of its example, the same in every run"
        )
    return tuple(header)
