"""Layouts: descriptions of batches on the host, to be split into parts and padded to bucket sizes.

A layout is (4, rows) int64, rows sorted by length. For each row: where its tokens start among those of all
rows, its length, the length of its segment 0, its label: the number of a class, else the bits of a float64.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trimtab.data.pairs import Pairs
from trimtab.data.target import Labels

Layout = NDArray[np.int64]

GROUPED_BATCHES = 50  # batches are grouped by length within runs of so many
IGNORED = -100  # the label that cross_entropy ignores, and that no prediction equals
_SIZES = 32  # bucket sizes are this fraction of a usual batch apart; on average half of that is padding
_LEAST_STEP = 64  # tokens


def label_bits(labels: Labels) -> NDArray[np.int64]:
    """Labels (rows,) as a layout holds them: whole numbers as they are, others by their bits.

    The bits of no finite number are ``IGNORED``.
    """
    whole = labels.dtype.kind in "iu"
    return labels.astype(np.int64, copy=False) if whole else labels.astype(np.float64).view(np.int64)


def sorted_by_length(layout: Layout) -> Layout:
    """A layout with its rows sorted by length, stably."""
    return np.ascontiguousarray(layout[:, np.argsort(layout[1], kind="stable")])


def split(layout: Layout, tokens: int, rows: int | None = None) -> list[Layout]:
    """The same rows as consecutive layouts of about as many tokens each.

    See ``parts``.
    """
    return [layout[:, start:stop] for start, stop in parts(layout[1], tokens, rows)]


def parts(lengths: NDArray[np.int64], tokens: int, rows: int | None = None) -> Iterator[tuple[int, int]]:
    """Where consecutive parts of rows of these lengths, (rows,), begin and end.

    A part has at most ``rows`` rows and, to within one row, at most ``tokens`` tokens. Parts have equally
    many tokens to within one row, as a small last part would cost as much as a full one.
    """
    ends = np.cumsum(lengths)
    number = (ends - 1) * -(-ends[-1] // tokens) // ends[-1]
    if rows:
        number = number * (len(ends) + 1) + np.arange(len(ends)) // rows
    return pairwise([0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(ends)])


class Padding:
    """Dummy rows pad layouts of about ``usual`` tokens, of rows of ``pairs``, to bucket sizes.

    The number of dummy rows, ``spare``, is fixed; none is longer than the longest row of the data, whose
    tokens they repeat. Their label is one that the loss ignores.
    """

    def __init__(self, pairs: Pairs, usual: float) -> None:
        lengths = pairs.tokens.lengths
        longest = int(lengths.argmax())
        self.start, self.longest = int(pairs.tokens.offsets[longest]), pairs.longest
        self.step = max(_LEAST_STEP, round(usual / _SIZES / _LEAST_STEP) * _LEAST_STEP)
        self.spare = -(-(self.step - 1) // max(1, self.longest - 1))

    @classmethod
    def of_batches(cls, pairs: Pairs, rows: int, tokens: int) -> "Padding":
        """The padding for batches of ``rows`` rows of ``pairs``, in parts of at most ``tokens`` tokens."""
        return cls(pairs, min(tokens, rows * len(pairs.tokens.values) / len(pairs)))

    def fill(self, layout: Layout) -> Layout:
        """``layout`` with its dummy rows: (4, rows + spare), sorted by length."""
        return sorted_by_length(np.concatenate([layout, self.added(layout)], 1))

    def added(self, layout: Layout) -> Layout:
        """The dummy rows that bring ``layout`` to a bucket size: (4, spare)."""
        tokens = int(layout[1].sum())
        missing = -(-(tokens + self.spare) // self.step) * self.step - tokens
        added = np.empty((4, self.spare), np.int64)
        added[0] = self.start
        added[1] = missing // self.spare + (np.arange(self.spare) < missing % self.spare)
        added[2] = added[1]
        added[3] = IGNORED
        return added
