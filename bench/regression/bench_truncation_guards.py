"""Splits and selections against loops over rows; their rates are in ``bench_truncation.py``."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.data.tokens import Tokens
from trimtab.truncation import parse

BUDGET = 17
LENGTH_PAIRS = 500_000
LOOPED = 10_000  # rows that a loop is timed on
SELECTED = 10_000
# The least times as fast as the loop: some 40 % of the least that was measured. That was on a Xeon whose host
# had taken most of its speed away, which costs arrays more than loops; an EPYC (Zen 3) had two to five times
# as much.
SPLITS = {
    "longest_first": 16,
    "longest_first(tie=hf_fast)": 15,
    "longest_first(tie=tf_text)": 15,
    "ratio": 6,
    "only_first(otherwise=longest_first)": 10,
    "only_second(otherwise=longest_first)": 8,
    "first_priority": 30,
    "second_priority": 28,
    "fixed": 16,
}
SELECTIONS = {"head": 3.0, "tail": 3.0, "middle": 2.5, "head_tail": 2.0, "random": 4.5, "salient": 2.5}


def _guarded(limits: Mapping[str, float]) -> list[Any]:
    return [pytest.param(spec, marks=pytest.mark.guard(least), id=spec) for spec, least in limits.items()]


@pytest.mark.parametrize("spec", _guarded(SPLITS))
def bench_split_guard(guard: Callable[..., None], spec: str) -> None:
    """Half a million pairs of lengths, of which most are cut."""
    lengths = np.random.default_rng(0).poisson([[15], [8]], (2, LENGTH_PAIRS))
    some = lengths[:, :LOOPED].T.tolist()
    truncation = parse(spec)
    guard(
        lambda: truncation.split(lengths[0], lengths[1], BUDGET),
        lambda: [_one_by_one(*pair) for pair in some],
        LENGTH_PAIRS / LOOPED,
    )


@pytest.mark.parametrize("selection", _guarded(SELECTIONS))
def bench_select_guard(guard: Callable[..., None], tokens: Tokens, selection: str) -> None:
    """The tokens that 10,000 pairs keep, against the same selection of one row after another."""
    assert tokens.second is not None
    index = np.arange(SELECTED)
    first, second = tokens.first.take(index), tokens.second.take(index)
    truncation = parse(f"longest_first+{selection}").fit(first, second)
    frequencies = truncation.frequencies

    def row_by_row() -> None:
        for row in range(SELECTED):
            sides = first[row].tolist(), second[row].tolist()
            for side, keep in zip(sides, _one_by_one(len(sides[0]), len(sides[1])), strict=True):
                _selected(side, keep, selection, frequencies)

    guard(lambda: truncation.apply(first, second, BUDGET), row_by_row)


def _one_by_one(a: int, b: int) -> tuple[int, int]:
    while a + b > BUDGET:
        if a > b:
            a -= 1
        else:
            b -= 1
    return a, b


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
