"""Ragged: the one container of rows of unequal length.

It stands beside config.py at the foot of the house, not in data/, because truncation/ works on it
and must not import upward; ``trimtab.data`` offers it as part of its public face.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
        """The place of each token in its row, from 0: (tokens of all rows,) int64."""
        return ranges(np.zeros(len(self), np.int64), self.lengths)

    def digests(self) -> NDArray[np.uint64]:
        """A 64-bit digest of each row, (rows,): equal for equal rows of any Ragged, almost surely only then.

        For rows of values from 0 to 2^32 - 1.
        """
        values = self.values[self.offsets[0] : self.offsets[-1]].astype(np.int64, copy=False)
        # Places count from 1, as 0 mixes to 0: a first token of 0 must not look like none.
        mixed = mix(((self.places() + 1) << 32 | values).astype(np.uint64))
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
        ends = self.offsets - self.offsets[0]
        return mix(sums[ends[1:]] - sums[ends[:-1]])

    def take(self, index: ArrayLike) -> "Ragged":
        """The rows named by ``index`` (rows',), in its order, or by a mask (rows,), copied by one gather."""
        index = np.asarray(index)
        index = index if index.dtype == bool else index.astype(np.int64)
        starts = self.offsets[:-1][index]
        lengths = self.offsets[1:][index] - starts
        return Ragged(self.values[ranges(starts, lengths)], offsets_of(lengths))


def offsets_of(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Row offsets (rows + 1,) int64 from row lengths (rows,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def ranges(starts: NDArray[np.integer], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """Flat indices start, start + 1, ... of each row, row after row: (sum of lengths,) int64."""
    offsets = offsets_of(lengths)
    return np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])


def mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): spreads every bit over all 64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
