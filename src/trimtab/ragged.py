"""Ragged: the one container of rows of unequal length.

It is not in data/ because truncation/, which data/ imports, works on it; ``trimtab.data`` exports it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Rows and tokens processed at a time in a pass over a whole data set: little memory, and they fit the caches.
_ROWS = 16_384
_TOKENS = 262_144


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of unequal length: ``values`` (total,) and ``offsets`` (rows + 1,) int64.

    Row i is ``values[offsets[i]:offsets[i + 1]]``. Both arrays may be memory-mapped.
    """

    values: NDArray[np.integer]
    offsets: NDArray[np.int64]

    @classmethod
    def from_rows(cls, rows: Iterable[ArrayLike], dtype: type = np.int32) -> "Ragged":
        """Copy an iterable of one-dimensional rows into one flat array of ``dtype``."""
        arrays: list[NDArray[Any]] = [np.asarray(row, dtype) for row in rows]
        values = np.concatenate(arrays) if arrays else np.empty(0, dtype)
        return cls(values, offsets_of(np.array([len(row) for row in arrays], np.int64)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> NDArray[np.integer]:
        """Row ``row`` as a view; negative numbers count from the end; IndexError outside."""
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        row %= len(self)
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens in each row, (rows,) int64."""
        return np.diff(self.offsets)

    def places(self) -> NDArray[np.int64]:
        """The position of each token in its row, from 0: (tokens of all rows,) int64."""
        return ranges(np.zeros(len(self), np.int64), self.lengths)

    def part(self, rows: slice) -> "Ragged":
        """The rows from ``rows.start`` to ``rows.stop``: a view of their values, with offsets from 0."""
        offsets = np.asarray(self.offsets[rows.start : rows.stop + 1])
        return Ragged(np.asarray(self.values[offsets[0] : offsets[-1]]), offsets - offsets[0])

    def digests(self) -> NDArray[np.uint64]:
        """A 64-bit digest of each row, (rows,): equal for equal rows, and almost surely only for those.

        Values must lie in 0 to 2^32 - 1.
        """
        digests = np.empty(len(self), np.uint64)
        for rows in pieces(self):
            digests[rows] = self.part(rows)._digests()
        return digests

    def _digests(self) -> NDArray[np.uint64]:
        values = self.values.astype(np.int64)
        # Positions count from 1, as 0 hashes to 0: a first token of 0 must not look like no token.
        mixed = splitmix(((self.places() + 1) << 32 | values).astype(np.uint64))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
        return splitmix(sums[self.offsets[1:]] - sums[self.offsets[:-1]])

    def take(self, index: ArrayLike) -> "Ragged":
        """The rows named by ``index`` (rows',), in its order, or by a mask (rows,), copied by one gather."""
        index = np.asarray(index)
        index = index if index.dtype == bool else index.astype(np.int64)
        starts = self.offsets[:-1][index]
        lengths = self.offsets[1:][index] - starts
        return Ragged(self.values[ranges(starts, lengths)], offsets_of(lengths))


def pieces(*sides: Ragged) -> Iterator[slice]:
    """Consecutive slices that cover all rows of ``sides``, each with limited numbers of rows and tokens.

    All sides have the same number of rows. A row longer than the limit is a slice by itself.
    """
    start, rows = 0, len(sides[0])
    while start < rows:
        stop = min(start + _ROWS, rows)
        for side in sides:
            end = np.searchsorted(side.offsets, side.offsets[start] + _TOKENS, "right") - 1
            stop = min(stop, max(int(end), start + 1))
        yield slice(start, stop)
        start = stop


def offsets_of(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Row offsets (rows + 1,) int64 from row lengths (rows,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def ranges(starts: NDArray[np.integer], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Flat indices start, start + 1, ... of each row, row after row: (sum of lengths,) int64."""
    offsets = offsets_of(lengths)
    flat = np.repeat(starts - offsets[:-1], lengths)
    flat += np.arange(offsets[-1])
    return flat


def digests_of(columns: NDArray[np.integer]) -> NDArray[np.uint64]:
    """``Ragged.digests`` of rows of equal length, given as columns: (length, rows) -> (rows,)."""
    places = np.arange(1, len(columns) + 1, dtype=np.uint64)[:, None] << np.uint64(32)
    return splitmix(splitmix(columns.astype(np.uint64) | places).sum(axis=0))


def splitmix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): spreads every bit over all 64."""
    shifted = value >> np.uint64(30)
    value = value ^ shifted
    value *= np.uint64(0xBF58476D1CE4E5B9)
    value ^= np.right_shift(value, np.uint64(27), out=shifted)
    value *= np.uint64(0x94D049BB133111EB)
    value ^= np.right_shift(value, np.uint64(31), out=shifted)
    return value
