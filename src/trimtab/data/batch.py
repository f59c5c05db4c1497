"""A batch: packed rows for the model; no row is padded to another's length."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LEAST_BOUND = 128


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a batch, one after another, shortest first.

    tokens, segments, positions: (T,) int64, no padding in rows. cumulative_lengths: (rows + 1,) int64,
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


def length_bound(lengths: NDArray[np.int64]) -> int:
    """The power of two from 128 on that no length exceeds."""
    return max(_LEAST_BOUND, 1 << (int(lengths.max()) - 1).bit_length())
