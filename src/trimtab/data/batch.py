"""A batch: packed rows for the model, without padding."""

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.truncation.windows import Pooling

_LEAST_BOUND = 128


@dataclass(frozen=True, eq=False)
class WindowsOfBatch:
    """Rows that are windows of examples: of which, (rows,) int64, not falling; and how logits are pooled."""

    example: Tensor
    examples: int
    pooling: Pooling


@dataclass(frozen=True, eq=False)
class Batch:
    """The rows of a batch, concatenated, shortest first.

    tokens, segments, positions: (T,) int64, no padding in rows. cumulative_lengths: (rows + 1,) int64,
    where each row begins. labels: (rows,) int64, as a layout has them.
    lengths: (rows,) int64 of NumPy, on the host.
    Rows are sorted because their order inside a batch does not change the loss.
    windows: where some rows are windows, what they belong to; then labels: (examples,).
    """

    tokens: Tensor
    segments: Tensor
    positions: Tensor
    cumulative_lengths: Tensor
    labels: Tensor
    lengths: NDArray[np.int64]
    windows: WindowsOfBatch | None = None

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

    def first_of(self, x: Tensor) -> Tensor:
        """The first token of each row of x (T, width): (rows, width).

        Its backward pass adds whole rows; that of ``x[places]`` would sort the places on a GPU first.
        """
        return x.index_select(0, self.cumulative_lengths[:-1])

    @property
    def bound(self) -> int:
        """An upper bound on the rows' lengths that most batches share: a power of two, at least 128."""
        return length_bound(self.lengths)


def length_bound(lengths: NDArray[np.int64]) -> int:
    """The smallest power of two, at least 128, that no length exceeds."""
    return max(_LEAST_BOUND, 1 << (int(lengths.max()) - 1).bit_length())
