"""Parts of one table: the rows that a column gives to a split, or clusters drawn for the test set."""

import numpy as np

from trimtab.config import InputError, nearest
from trimtab.data.examples import Examples
from trimtab.data.sampling import set_aside

_MOST = 20  # names of splits that an error lists; a column with more of them names no splits


class Part:
    """The rows of a split, by the column that names it; all rows where there is no such column."""

    def __init__(self, split: str, column: str | None) -> None:
        self.split, self.column = split, column
        self._others: dict[str, None] = {}
        self._found = column is None

    @property
    def columns(self) -> dict[str, str]:
        """The column, as the role ``part``; empty where there is none."""
        return {} if self.column is None else {"part": self.column}

    def has(self, cell: str) -> bool:
        """Whether a row is of the split, by its cell in the column."""
        if self.column is None:
            return True
        if cell == self.split:
            self._found = True
        elif len(self._others) < _MOST:
            self._others.setdefault(cell)
        return cell == self.split

    def source(self, file: str) -> str:
        """What to call these rows of a file; InputError where there are none."""
        if not self._found:
            place = f"{file}: no row has {self.split!r} in column {self.column!r}"
            raise InputError(
                f"{place} ({nearest(self.split, self._others)}); name one of its values as 'split'"
            )
        return file if self.column is None else f"{file} ({self.split} by {self.column})"


def check_part(column: str | None, share: float | None, seed: int) -> None:
    """ValueError where options that divide a table contradict each other."""
    if column is not None and share is not None:
        raise ValueError("options 'split_column' and 'test_share' both divide the file; keep one of them")
    if share is None and seed:
        raise ValueError("option 'test_seed' has nothing to draw; say how many rows with 'test_share'")


def part_of(examples: Examples, split: str, share: float | None, seed: int) -> Examples:
    """The rows of train or of the test set, where ``share`` divides a table between the two; else all rows.

    Both parts keep the names of all labels. InputError for another split, which has no part, and where one of
    the two would be empty.
    """
    if share is None or not len(examples):
        return examples
    if split not in ("train", "test"):
        raise InputError(
            f"{examples.source}: test_share = {share:g} divides it between train and test, so that nothing "
            f"is left for {split}; move test_share into [data.train] and [data.test], or leave "
            f"[data.{split}] out"
        )
    chosen = set_aside(examples, share, seed)
    if chosen.all() or not chosen.any():
        clusters = int(examples.clusters.max()) + 1
        raise InputError(
            f"{examples.source}: test_share = {share:g} of {len(examples):,} rows in {clusters:,} clusters "
            "leaves no whole cluster for train and one for test; change it, or name the test rows' file in "
            "[data.test]"
        )
    part = examples.take(np.flatnonzero(chosen if split == "test" else ~chosen))
    return part.with_source(f"{examples.source} ({split} by test_share {share:g}, seed {seed})")
