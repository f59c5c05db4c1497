"""The columns of a table as they lie in its file, before it is known what each of them is."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.data import files
from trimtab.data.table import column_names, label_text, rows_of

_LOOKED_AT, _LOOKED_ROWS = 50, 1_000  # different cells, for dates; objects, for their keys
_OBJECTS = (".jsonl", ".ndjson", ".json")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ,].*)?$")


@dataclass(frozen=True, eq=False)
class Column:
    """One column: its name, and its cells as text (rows,), '' where there is nothing.

    is_text: whether every filled cell is text in the file, rather than a number, a truth value or a list.
    """

    name: str
    cells: list[str]
    is_text: bool

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each filled cell occurs."""
        return Counter(cell for cell in self.cells if cell.strip())

    @property
    def filled(self) -> int:
        """How many cells hold more than white space."""
        return self.counts.total()

    @property
    def distinct(self) -> int:
        """How many different filled cells there are."""
        return len(self.counts)

    @cached_property
    def words(self) -> float:
        """The mean number of words of a filled cell, split by white space; 0 where all are blank."""
        total = sum(len(cell.split()) * count for cell, count in self.counts.items())
        return total / self.filled if self.filled else 0.0

    @cached_property
    def is_dates(self) -> bool:
        """Whether its first different cells are all dates, such as 2024-05-31 or 31/5/2024 12:00."""
        first = list(islice(self.counts, _LOOKED_AT))
        return bool(first) and all(_DATE.match(cell.strip()) for cell in first)

    @cached_property
    def numbers(self) -> list[float] | None:
        """The different filled cells as finite numbers; None where one of them is none."""
        try:
            found = [float(cell) for cell in self.counts]
        except ValueError:
            return None
        return found if found and all(map(math.isfinite, found)) else None


@dataclass(frozen=True, eq=False)
class RawTable:
    """The beginning of a table: its columns by name, its rows' number, and whether there are more of them.

    twice: names that several columns share, which cannot be told apart and are left out.
    """

    path: Path
    columns: dict[str, Column]
    rows: int
    is_cut: bool
    twice: tuple[str, ...]


def read_columns(file: str, root: Path | None, most: int) -> RawTable:
    """The first ``most`` rows of a table, all columns; InputError where it cannot be read or has none."""
    names = column_names(file, root)
    path = files.find(file, root)
    if files.ending(path) in _OBJECTS:  # an object may lack keys that later ones have
        first = islice(_objects(path), _LOOKED_ROWS)
        names = list(dict.fromkeys(chain(names, chain.from_iterable(first))))
    if hint := files.other_separator(names):
        raise InputError(f"{path}:1: one column alone, {hint}")
    once = [name for name in names if names.count(name) == 1]
    cells: dict[str, list[str]] = {name: [] for name in once}
    texts = dict.fromkeys(once, True)
    found, is_cut = 0, False
    for values in islice(_values(path, once), most + 1):
        if found == most:
            is_cut = True
            break
        found += 1
        for name in once:
            value = values[name]
            texts[name] &= value is None or isinstance(value, str)
            cells[name].append(str(label_text(value)))
    if not found:
        raise InputError(f"{path}: has a header and no rows; name a file that has some")
    columns = {name: Column(name, cells[name], texts[name]) for name in once}
    twice = tuple(dict.fromkeys(name for name in names if name not in columns))
    return RawTable(path, columns, found, is_cut, twice)


def _values(path: Path, names: list[str]) -> Iterator[dict[str, Any]]:
    """The rows' values by column; a key that an object of JSON lines lacks is None."""
    if files.ending(path) in _OBJECTS:
        for row in _objects(path):
            yield {name: row.get(name) for name in names}
    else:
        for _, values in rows_of(path, {name: name for name in names}):
            yield values


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of JSON lines, without blank lines."""
    with files.open_binary(path) as stream:
        for number, line in enumerate(files.lines(stream, str(path)), 1):
            if line.strip():
                yield files.json_object(line.rstrip("\r\n"), f"{path}:{number}")
