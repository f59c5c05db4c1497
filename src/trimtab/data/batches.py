"""Batches: packed rows for the model, no padding anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.pairs import Pairs

_GROUPED_BATCHES = 50


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


def make_batch(pairs: Pairs, index: NDArray[np.signedinteger], device: torch.device) -> Batch:
    """The rows of ``pairs`` named by ``index``, sorted by length (stably), on ``device``."""
    lengths = pairs.tokens.offsets[index + 1] - pairs.tokens.offsets[index]
    order = np.argsort(lengths, kind="stable")
    index, lengths = index[order], lengths[order]
    rows = pairs.tokens.take(index)
    positions = np.arange(rows.offsets[-1]) - np.repeat(rows.offsets[:-1], lengths)
    segments = positions >= np.repeat(pairs.first_lengths[index], lengths)

    def place(array: NDArray) -> Tensor:
        return torch.from_numpy(array.astype(np.int64)).to(device)

    return Batch(
        place(rows.values),
        place(segments),
        place(positions),
        place(rows.offsets),
        place(pairs.labels[index]),
        lengths,
    )


def training_order(rows: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """The random order of ``rows`` in an epoch: the seed fixes it, whatever the variant."""
    order = np.arange(rows, dtype=np.int32)  # half the memory of int64, and the same order
    np.random.default_rng([seed, epoch]).shuffle(order)
    return order


def training_batches(
    pairs: Pairs, size: int, seed: int, epoch: int, *, grouped: bool = False
) -> Iterator[NDArray[np.int32]]:
    """The rows of each batch of an epoch, ``size`` rows each (the last of all may have fewer).

    Random batches, or ``grouped`` by length: the random order is sorted by length within runs of 50
    batches, as transformers' Trainer does, and the batches of all runs are then shuffled.
    """
    order = training_order(len(pairs), seed, epoch)
    starts = np.arange(0, len(order), size)
    if grouped:
        for start in range(0, len(order), _GROUPED_BATCHES * size):
            run = order[start : start + _GROUPED_BATCHES * size]
            lengths = pairs.tokens.offsets[run + 1] - pairs.tokens.offsets[run]
            run[:] = run[np.argsort(lengths, kind="stable")]
        np.random.default_rng([seed, epoch, 1]).shuffle(starts)
    return (order[start : start + size] for start in starts)


def evaluation_batches(
    pairs: Pairs, device: torch.device, tokens: int
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Batches of all rows by length, about ``tokens`` tokens each, with the rows that each holds.

    The second is in the order of the first: rows of one length keep their order.
    """
    lengths = pairs.tokens.lengths
    order = np.argsort(lengths, kind="stable")
    number = np.cumsum(lengths[order]) // tokens
    for index in np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []:
        yield index, make_batch(pairs, index, device)
