"""The analysis at its largest: 100 contrasts of 20 seeds x 10,000 examples; the guards sum one by one."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.statistics import compare

CONTRASTS, SEEDS, EXAMPLES = 100, 20, 10_000
GUARDED = 1_000  # examples that the loop is timed on
MEMORY = 2**30  # bytes, the scores included
designs = pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
samples = pytest.mark.parametrize("clustered", [False, True], ids=["examples", "clusters"])


@pytest.fixture(scope="module")
def scores() -> NDArray[np.bool_]:
    """Random scores (variants, seeds, examples), 80 % right."""
    rng = np.random.default_rng(0)
    return rng.random((CONTRASTS + 1, SEEDS, EXAMPLES), dtype=np.float32) < 0.8


@designs
@samples
def bench_compare(benchmark: Any, scores: NDArray[np.bool_], paired: bool, clustered: bool) -> None:
    """A hundred contrasts."""
    benchmark.pedantic(compare, (scores,), _asked(paired, clustered), rounds=5, warmup_rounds=1)


@pytest.mark.guard(6)  # measured: 14 (a throttled machine) to 41
@designs
@samples
def bench_compare_guard(
    guard: Callable[..., None], scores: NDArray[np.bool_], paired: bool, clustered: bool
) -> None:
    """Three contrasts of all examples against the parts of variance of one, of a tenth of the examples."""
    few, tables = scores[:4], scores[:2, :, :GUARDED]
    work = (len(few) - 1) * EXAMPLES / GUARDED
    guard(lambda: compare(few, **_asked(paired, clustered)), lambda: _naive(tables, paired), work)


def bench_memory(scores: NDArray[np.bool_]) -> None:
    """No more than 1 GiB for all hundred, the scores included."""
    tracemalloc.start()
    compare(scores, **_asked(paired=False, clustered=True))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scores.nbytes + peak < MEMORY


def _asked(paired: bool, clustered: bool) -> dict[str, Any]:
    return {"paired": paired, "clusters": np.arange(EXAMPLES) // 3 if clustered else None}


def _naive(scores: NDArray[np.bool_], paired: bool) -> list[tuple[float, float, float]]:
    """The parts of variance of one contrast, one sum after another."""
    first, second = scores.astype(int).tolist()
    difference = [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)]
    return [_naive_parts(table) for table in ((difference,) if paired else (difference, first, second))]


def _naive_parts(table: list[list[int]]) -> tuple[float, float, float]:
    by_seed = [sum(row) / len(row) for row in table]
    by_example = [sum(column) / len(table) for column in zip(*table, strict=True)]
    mean = sum(by_seed) / len(table)
    residual = 0.0
    for values, row in zip(table, by_seed, strict=True):
        for value, column in zip(values, by_example, strict=True):
            residual += (value - row - column + mean) ** 2
    across = [sum((value - mean) ** 2 for value in side) for side in (by_seed, by_example)]
    return across[0], across[1], residual
