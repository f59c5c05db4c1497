"""The analysis at its largest: 100 contrasts of 20 seeds x 10,000 examples, against a naive loop beside it.

Absolute times are this machine's; the guards are ratios to the loop, so that they hold on a noisy one.
"""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.statistics import compare

CONTRASTS, SEEDS, EXAMPLES = 100, 20, 10_000
NAIVE = 1_000  # examples that the loop is timed on
LEAST = 10  # times as fast as the loop
MEMORY = 2**30  # bytes, the scores included


@pytest.fixture(scope="module")
def scores() -> NDArray[np.bool_]:
    """Random scores (variants, seeds, examples), 80 % right."""
    rng = np.random.default_rng(0)
    return rng.random((CONTRASTS + 1, SEEDS, EXAMPLES), dtype=np.float32) < 0.8


@pytest.mark.parametrize("clustered", [False, True], ids=["examples", "clusters"])
@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def bench_compare(benchmark: Any, scores: NDArray[np.bool_], paired: bool, clustered: bool) -> None:
    """A hundred contrasts; guards: 10 times as fast as sums taken one by one, memory under 1 GiB."""
    asked: dict[str, Any] = {"paired": paired, "clusters": np.arange(EXAMPLES) // 3 if clustered else None}
    benchmark.pedantic(compare, (scores,), asked, rounds=3, warmup_rounds=1)
    rate = CONTRASTS * SEEDS * EXAMPLES / benchmark.stats.stats.median
    times_naive = rate * _naive_seconds(scores[:2, :, :NAIVE], paired) / (SEEDS * NAIVE)
    benchmark.extra_info["times_naive"] = round(times_naive)
    benchmark.extra_info["memory"] = peak = _peak(scores, asked)
    assert times_naive > LEAST
    assert peak < MEMORY


def _naive_seconds(scores: NDArray[np.bool_], paired: bool) -> float:
    """How long the parts of variance of one contrast take, one sum after another."""
    first, second = scores.astype(int).tolist()
    took = []
    for _ in range(5):
        began = time.perf_counter()
        difference = [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(first, second, strict=True)]
        for table in (difference,) if paired else (difference, first, second):
            assert min(_naive_parts(table)) > 0
        took.append(time.perf_counter() - began)
    return float(np.median(took))


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


def _peak(scores: NDArray[np.bool_], asked: dict[str, Any]) -> int:
    tracemalloc.start()
    compare(scores, **asked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return scores.nbytes + peak
