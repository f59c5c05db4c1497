"""Batches: packed rows for the model, no padding anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.pairs import Pairs

EVALUATION_TOKENS = 4_096  # beyond that the activations leave the processor's caches


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a batch, one after another, shortest first.

    tokens, segments, positions: (T,) int64, all real tokens. cumulative_lengths: (rows + 1,) int64,
    where each row begins. labels: (rows,) int64. groups: (rows, length) of each run of equal length;
    attention works on these. The order of rows inside a batch changes no loss, so they are sorted.
    """

    tokens: Tensor
    segments: Tensor
    positions: Tensor
    cumulative_lengths: Tensor
    labels: Tensor
    groups: tuple[tuple[int, int], ...]

    def __len__(self) -> int:
        return len(self.labels)


def make_batch(pairs: Pairs, index: NDArray[np.int64], device: torch.device) -> Batch:
    """The rows of ``pairs`` named by ``index``, sorted by length (stably), on ``device``."""
    lengths = pairs.tokens.offsets[index + 1] - pairs.tokens.offsets[index]
    order = np.argsort(lengths, kind="stable")
    index, lengths = index[order], lengths[order]
    rows = pairs.tokens.take(index)
    positions = np.arange(rows.offsets[-1]) - np.repeat(rows.offsets[:-1], lengths)
    segments = positions >= np.repeat(pairs.first_lengths[index], lengths)
    groups = tuple((len(list(run)), int(length)) for length, run in groupby(lengths.tolist()))

    def place(array: NDArray) -> Tensor:
        return torch.from_numpy(array.astype(np.int64)).to(device)

    return Batch(
        place(rows.values),
        place(segments),
        place(positions),
        place(rows.offsets),
        place(pairs.labels[index]),
        groups,
    )


def training_order(rows: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The random order of ``rows`` in an epoch: the seed fixes it, whatever the variant."""
    return np.random.default_rng([seed, epoch]).permutation(rows)


def evaluation_batches(
    pairs: Pairs, device: torch.device, tokens: int = EVALUATION_TOKENS
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Batches of all rows by length, about ``tokens`` tokens each, with the rows that each holds.

    The second is in the order of the first: rows of one length keep their order.
    """
    lengths = pairs.tokens.lengths
    order = np.argsort(lengths, kind="stable")
    number = np.cumsum(lengths[order]) // tokens
    for index in np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []:
        yield index, make_batch(pairs, index, device)
