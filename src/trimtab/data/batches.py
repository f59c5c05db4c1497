"""Batches of a split: in random order for training, by length for evaluation."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.data.batch import Batch
from trimtab.data.layout import GROUPED_BATCHES, Padding
from trimtab.data.pairs import Pairs
from trimtab.data.rows import Rows


def make_batch(pairs: Pairs, index: NDArray[np.signedinteger], device: torch.device) -> Batch:
    """The rows of ``pairs`` named by ``index``, sorted by length (stably), on ``device``."""
    return Rows(pairs, device, share=0).batch(index)


def training_order(rows: int, seed: int, epoch: int) -> NDArray[np.int32]:
    """The random order of ``rows`` in an epoch; it depends on the seed, not on the variant."""
    order = np.arange(rows, dtype=np.int32)  # half the memory of int64, in the same order
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
        for start in range(0, len(order), GROUPED_BATCHES * size):
            run = order[start : start + GROUPED_BATCHES * size]
            lengths = pairs.tokens.offsets[run + 1] - pairs.tokens.offsets[run]
            run[:] = run[np.argsort(lengths, kind="stable")]
        np.random.default_rng([seed, epoch, 1]).shuffle(starts)
    return (order[start : start + size] for start in starts)


def evaluation_batches(
    pairs: Pairs,
    device: torch.device,
    tokens: int,
    padding: Padding | None = None,
    share: tuple[int, int] = (0, 1),
) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Batches of all rows by length, about ``tokens`` tokens each, with the numbers of their rows.

    Rows of a batch are in the order of their numbers: rows of equal length keep their order. With ``padding``
    a batch also has dummy rows, labelled IGNORED. share: of processes that share the batches, which one this
    is, from 0, and how many they are.
    """
    lengths = pairs.tokens.lengths
    order = np.argsort(lengths, kind="stable")
    number = np.cumsum(lengths[order]) // tokens
    rows = Rows(pairs, device)
    batches = np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(order) else []
    for index in batches[share[0] :: share[1]]:
        layout = rows.layout(index)
        yield index, rows.make(padding.fill(layout) if padding else layout)
