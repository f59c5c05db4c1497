"""Packing: a variant's inputs from cached tokens, and a batch of them; the guards are loops over rows.

What each way to cut costs is in ``bench_truncation.py``.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bench.regression.workload import SPECIAL, TEMPLATE
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.rows import Rows
from trimtab.data.tokens import Tokens
from trimtab.truncation import parse

CPU = torch.device("cpu")
ROWS = 512
MAX_LEN = 20
GUARDED = 5_000  # rows of a variant that the loop is timed on


@pytest.fixture(scope="module")
def index(pairs: Pairs) -> np.ndarray:
    """The rows of a random batch."""
    return np.random.default_rng(1).permutation(len(pairs))[:ROWS]


def bench_batch(benchmark: Any, pairs: Pairs, index: np.ndarray) -> None:
    """512 random rows, gathered and sorted by length."""
    benchmark(Rows(pairs, CPU).batch, index)


def bench_inputs(benchmark: Any, tokens: Tokens) -> None:
    """100,000 pairs cut, with their special tokens."""
    truncation = parse("longest_first")
    benchmark.pedantic(make_pairs, (tokens, truncation, MAX_LEN, TEMPLATE), rounds=10, warmup_rounds=1)
    benchmark.extra_info["pairs_per_second"] = round(len(tokens) / benchmark.stats.stats.median)


@pytest.mark.guard(5)  # measured: 7.3 (a throttled machine) to 30; with a loop over rows in it, 1.1
def bench_batch_guard(guard: Callable[..., None], pairs: Pairs, index: np.ndarray) -> None:
    """A packed batch against one that is padded row by row and stacked."""
    rows = Rows(pairs, CPU)
    guard(lambda: rows.batch(index), lambda: _stacked(pairs, index))


@pytest.mark.guard(2.5)  # measured: 6.0 (a throttled machine) to 19
def bench_inputs_guard(guard: Callable[..., None], tokens: Tokens) -> None:
    """A variant's inputs against lists that are cut and joined row by row."""
    some = _first_rows(tokens, 4 * GUARDED)
    truncation = parse("longest_first")
    packed = make_pairs(some, truncation, MAX_LEN, TEMPLATE)
    joined = [token for row in _joined(some) for token in row]
    assert packed.tokens.values[: packed.tokens.offsets[GUARDED]].tolist() == joined
    guard(lambda: make_pairs(some, truncation, MAX_LEN, TEMPLATE), lambda: _joined(some), work=4)


def _stacked(pairs: Pairs, index: np.ndarray) -> tuple[torch.Tensor, ...]:
    longest = max(len(pairs.tokens[row]) for row in index)
    tokens, segments, labels = [], [], []
    for row in index:
        ids = pairs.tokens[row].tolist()
        first, blank = int(pairs.first_lengths[row]), longest - len(ids)
        tokens.append(torch.tensor(ids + [1] * blank))
        segments.append(torch.tensor([0] * first + [1] * (len(ids) - first) + [0] * blank))
        labels.append(torch.tensor(int(pairs.labels[row])))
    return torch.stack(tokens), torch.stack(segments), torch.stack(labels)


def _joined(tokens: Tokens) -> list[list[int]]:
    assert tokens.second is not None
    rows = []
    for row in range(GUARDED):
        first, second = tokens.first[row].tolist(), tokens.second[row].tolist()
        while len(first) + len(second) > MAX_LEN - 3:
            (first if len(first) > len(second) else second).pop()
        rows.append([SPECIAL.cls, *first, SPECIAL.sep, *second, SPECIAL.sep])
    return rows


def _first_rows(tokens: Tokens, rows: int) -> Tokens:
    assert tokens.second is not None
    index = np.arange(rows)
    sides = tokens.first.take(index), tokens.second.take(index)
    return Tokens(*sides, tokens.labels[:rows], tokens.clusters[:rows], None, tokens.folder)
