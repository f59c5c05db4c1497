"""A batch: packed rows for the model, no padding anywhere."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LEAST_BOUND = 128


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a batch, one after another, shortest first.

    tokens, segments, positions: (T,) int64, all real tokens. cumulative_lengths: (rows + 1,) int64,
    where each row begins. labels: (rows,) int64. lengths: (rows,) int64 of NumPy, on the host.
    The order of rows inside a batch changes no loss, so they are sorted.
    """

    tokens: Tensor
    segments: Tensor
    positions: Tensor
    cumulative_lengths: Tensor
    labels: Tensor
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """(rows, length) of each run of rows of equal length; attention on a CPU works on these."""
        return tuple((len(list(run)), int(length)) for length, run in groupby(self.lengths.tolist()))

    @cached_property
    def edges(self) -> Tensor:
        """``cumulative_lengths`` as int32; attention on CUDA works on these."""
        return self.cumulative_lengths.to(torch.int32)

    @property
    def bound(self) -> int:
        """A bound on the rows' lengths that few batches differ in: a power of two from 128 on."""
        return length_bound(self.lengths)

    def parts(self, tokens: int, rows: int | None = None) -> list["Batch"]:
        """The same rows as consecutive batches of about ``tokens`` tokens and at most ``rows`` rows each."""
        number = np.cumsum(self.lengths) // tokens
        if rows:
            number = number * (len(self) + 1) + np.arange(len(self)) // rows
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(self)]
        return [self] if len(edges) == 2 else [self._part(start, stop) for start, stop in pairwise(edges)]

    def _part(self, start: int, stop: int) -> "Batch":
        begin, end = int(self.lengths[:start].sum()), int(self.lengths[:stop].sum())
        return Batch(
            self.tokens[begin:end],
            self.segments[begin:end],
            self.positions[begin:end],
            self.cumulative_lengths[start : stop + 1] - begin,
            self.labels[start:stop],
            self.lengths[start:stop],
        )


def length_bound(lengths: NDArray[np.int64]) -> int:
    """The power of two from 128 on that no length exceeds."""
    return max(_LEAST_BOUND, 1 << (int(lengths.max()) - 1).bit_length())
