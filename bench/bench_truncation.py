"""Cutting: splits of lengths, and the inputs of a whole variant, each against a naive loop run beside it.

Absolute times are this machine's; the guards are ratios to the loop, so that they hold on a noisy one.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens, load
from trimtab.truncation import parse

LENGTH_PAIRS = 10_000_000
PAIRS = 500_000
NAIVE = 3_000  # rows that the loop is timed on
BUDGET = 17
SPECIAL = SpecialTokens(3, 4)
SPLITS = [
    "longest_first",
    "longest_first(tie=hf_fast)",
    "longest_first(tie=tf_text)",
    "ratio",
    "only_first(otherwise=longest_first)",
    "only_second(otherwise=longest_first)",
    "first_priority",
    "second_priority",
    "fixed",
]
SELECTIONS = ["head", "tail", "middle", "head_tail", "random", "salient"]


@pytest.fixture(scope="module")
def lengths() -> NDArray[np.int64]:
    """Lengths of both sides, (2, pairs): most pairs are cut."""
    return np.random.default_rng(0).poisson([[15], [8]], (2, LENGTH_PAIRS))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """Random pairs of SNLI's mean lengths, mapped from disk as a study finds them in its cache."""
    folder: Path = tmp_path_factory.mktemp("tokens")
    generator = np.random.default_rng(0)
    for side, mean in (("first", 15), ("second", 8)):
        offsets = np.concatenate([[0], np.cumsum(generator.poisson(mean, PAIRS))])
        # As in a text, a token's frequency falls with its rank.
        values = (generator.pareto(1.0, offsets[-1]) * 20).clip(max=8_000).astype(np.int16) + 5
        np.save(folder / f"{side}_values.npy", values)  # two bytes, as such a vocabulary needs
        np.save(folder / f"{side}_offsets.npy", offsets)
    np.save(folder / "labels.npy", generator.integers(0, 3, PAIRS))
    np.save(folder / "clusters.npy", np.arange(PAIRS))
    return load(folder)


@pytest.mark.parametrize("spec", SPLITS)
def bench_split(benchmark: Any, lengths: NDArray[np.int64], spec: str) -> None:
    """Ten million pairs of lengths; guard: 10 times as fast as taking tokens off one by one."""
    truncation = parse(spec)
    benchmark.pedantic(truncation.split, (*lengths, BUDGET), rounds=5, warmup_rounds=1)
    loop = _seconds(lambda: [_one_by_one(a, b) for a, b in lengths[:, :NAIVE].T.tolist()]) / NAIVE
    _guard(benchmark, LENGTH_PAIRS, loop, 10)


@pytest.mark.parametrize("selection", SELECTIONS)
def bench_variant(benchmark: Any, tokens: Tokens, selection: str) -> None:
    """Half a million pairs from cached tokens to packed inputs; guard: 5 times as fast as row by row."""
    assert tokens.second is not None
    truncation = parse(f"longest_first+{selection}").fit(tokens.first, tokens.second)
    benchmark.pedantic(make_pairs, (tokens, truncation, BUDGET + 3, SPECIAL), rounds=5, warmup_rounds=1)
    frequencies = truncation.frequencies
    loop = _seconds(lambda: [_row(tokens, row, selection, frequencies) for row in range(NAIVE)]) / NAIVE
    _guard(benchmark, PAIRS, loop, 5)


def _guard(benchmark: Any, rows: int, loop: float, least: float) -> None:
    rate = rows / benchmark.stats.stats.median
    benchmark.extra_info["pairs_per_second"] = round(rate)
    benchmark.extra_info["times_naive"] = round(rate * loop)
    assert rate * loop > least


def _one_by_one(a: int, b: int) -> tuple[int, int]:
    while a + b > BUDGET:
        if a > b:
            a -= 1
        else:
            b -= 1
    return a, b


def _row(tokens: Tokens, row: int, selection: str, frequencies: NDArray[np.int64] | None) -> list[int]:
    """A row's input, made as one would write it down."""
    assert tokens.second is not None
    sides = [tokens.first[row].tolist(), tokens.second[row].tolist()]
    keep = _one_by_one(*map(len, sides))
    first, second = (_selected(*both, selection, frequencies) for both in zip(sides, keep, strict=True))
    return [SPECIAL.cls, *first, SPECIAL.sep, *second, SPECIAL.sep]


def _selected(side: list[int], keep: int, selection: str, frequencies: NDArray[np.int64] | None) -> list[int]:
    drop = len(side) - keep
    match selection:
        case "head":
            return side[:keep]
        case "tail":
            return side[drop:]
        case "middle":
            return side[drop // 2 : drop // 2 + keep]
        case "head_tail":
            front = int(0.25 * keep + 0.5)
            return side[:front] + side[front + drop :]
        case "random":
            kept = np.random.default_rng(len(side)).permutation(len(side))[:keep]
        case _:
            assert frequencies is not None
            kept = np.argsort(frequencies[side], kind="stable")[:keep]
    return [side[place] for place in sorted(kept)]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
