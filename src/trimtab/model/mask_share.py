"""Which of a batch part's dropout masks a process uses, where several processes share the part."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class MaskShare:
    """Consecutive rows of a part, ``first`` to ``end`` (exclusive); lengths: of all its rows, shortest first.

    Every process that has rows of a part draws the random words of the whole part, so that its rows have the
    masks that they would have in one process.
    """

    lengths: NDArray[np.int64]
    first: int
    end: int

    @property
    def tokens(self) -> int:
        """Tokens of the rows."""
        return int(self.lengths[self.first : self.end].sum())

    def place(self, per_row: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> tuple[int, int]:
        """How many numbers come before those of the rows, and how many there are of the whole part.

        per_row: how many numbers each row has, given the rows' lengths.
        """
        numbers = per_row(self.lengths)
        return int(numbers[: self.first].sum()), int(numbers.sum())

    def groups(self, longer_than: int = 0) -> Iterator[tuple[int, int, int, int]]:
        """Each length of the part, its rows, how many of them come before the own ones, and the own ones."""
        lengths, starts, counts = np.unique(self.lengths, return_index=True, return_counts=True)
        for length, start, rows in zip(lengths.tolist(), starts.tolist(), counts.tolist(), strict=True):
            if length > longer_than:
                before = min(max(self.first - start, 0), rows)
                yield length, rows, before, min(max(self.end - start, 0), rows) - before
