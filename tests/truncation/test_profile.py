"""The profile of lengths, against loops over pairs."""

import json
import math
import statistics
from dataclasses import asdict

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.truncation import parse
from trimtab.truncation.profile import length_profile, length_summary, shortest_uncut

RNG = np.random.default_rng(0)
PAIRS = RNG.integers(1, 30, (2, 200))
LONG = np.stack([RNG.integers(3, 12, 400), RNG.integers(20, 900, 400)])
SPECS = ["longest_first", "ratio+tail", "ratio", "only_first"]


def profile(pairs, specs=SPECS, marks=(16,), special=3):
    second = pairs[1] if len(pairs) > 1 else None
    return length_profile(pairs[0], second, [parse(spec) for spec in specs], marks, special)


@pytest.mark.parametrize("pairs", [PAIRS, LONG])
def test_the_share_of_pairs_cut(pairs):
    made = profile(pairs)
    for max_len, share in zip(made.max_len, made.cut, strict=True):
        assert share == pytest.approx(np.mean([a + b + 3 > max_len for a, b in pairs.T]))


@pytest.mark.parametrize("pairs", [PAIRS, LONG])
def test_the_share_of_pairs_that_lose_tokens_of_a_side(pairs):
    made = profile(pairs)
    assert [row.split for row in made.splits] == ["longest_first", "ratio", "only_first"]
    for row in made.splits:
        split = parse(row.split)
        for number, max_len in [*enumerate(made.max_len)][::5]:
            lost = np.zeros(2)
            try:
                for a, b in pairs.T:
                    [first], [second] = split.split([a], [b], max_len - 3)
                    lost += [first < a, second < b]
            except InputError:
                lost = np.full(2, math.nan)
            found = [row.first[number], row.second[number]]
            assert [math.nan if share is None else share for share in found] == pytest.approx(
                (lost / pairs.shape[1]).tolist(), nan_ok=True
            )
    refusing = made.splits[2].first
    assert None in refusing
    assert refusing[-1] is not None


@pytest.mark.parametrize(("pairs", "log"), [(PAIRS, False), (LONG, True)])
def test_the_distributions_count_every_text_on_the_axis(pairs, log):
    made = profile(pairs)
    assert made.log is log
    sides = (pairs[0], pairs[1], pairs.sum(axis=0) + 3)
    names = ["first text", "second text", "pair, with its 3 special tokens"]
    assert [rows.what for rows in made.distributions] == names
    for side, rows in zip(sides, made.distributions, strict=True):
        edges, shares = np.array(rows.edges), np.array(rows.shares)
        assert np.all(np.diff(edges) > 0)
        counted = shares * (np.diff(np.log2(edges)) if log else 1)
        for low, high, share in zip(edges, edges[1:], counted, strict=False):
            assert share == pytest.approx(np.mean([low <= length < high for length in side]))
        assert counted.sum() == pytest.approx(1, abs=0.006)


def test_a_few_outliers_do_not_stretch_the_axis():
    pairs = np.concatenate([PAIRS[:, :199], [[90_000], [5]]], axis=1).repeat(2, axis=1)
    pairs[0, -1] = 10
    made = profile(pairs)
    assert made.high < 100
    assert made.longest == 90_008
    assert made.beyond == pytest.approx(np.mean(pairs.sum(axis=0) + 3 > made.high))
    assert 0 < made.beyond <= 0.005


def test_every_mark_is_on_the_axis_and_on_the_curves():
    made = profile(PAIRS, marks=(5, 16, 500))
    assert made.high == 500
    assert {5, 16, 500} <= set(made.max_len)
    assert made.cut[made.max_len.index(500)] == 0
    assert list(made.max_len) == sorted(set(made.max_len))


def test_single_texts():
    made = profile(PAIRS[:1], special=2)
    assert made.splits == ()
    assert [rows.what for rows in made.distributions] == ["text, with its 2 special tokens"]
    for max_len, share in zip(made.max_len, made.cut, strict=True):
        assert share == pytest.approx(np.mean(PAIRS[0] + 2 > max_len))


@pytest.mark.parametrize("pairs", [[[0], [0]], [[1], [1]], [[0, 1, 2000], [0, 0, 0]], [[5] * 3, [7] * 3]])
def test_odd_lengths(pairs):
    made = profile(np.array(pairs), marks=(4,))
    assert json.loads(json.dumps(asdict(made)))  # so it goes into a ledger
    assert made.pairs == len(pairs[0])
    assert all(0 <= share <= 1 for share in made.cut)


@pytest.mark.parametrize("pairs", [PAIRS, LONG, PAIRS[:1]])
def test_the_summary_of_lengths(pairs):
    made = length_summary(pairs[0], pairs[1] if len(pairs) > 1 else None, 3)
    whole = sorted(int(sum(row)) + 3 for row in pairs.T)
    assert (made.pairs, made.longest) == (len(whole), whole[-1])
    assert made.mean == pytest.approx(sum(whole) / len(whole))
    wanted = statistics.quantiles(whole, n=100, method="inclusive")
    found = [made.median, made.p90, made.p99]
    assert found == pytest.approx([wanted[49], wanted[89], wanted[98]])
    assert json.loads(json.dumps(asdict(made))) == asdict(made)


def test_no_pairs():
    with pytest.raises(InputError, match="there are no pairs to audit"):
        profile(np.zeros((2, 0), np.int64))
    with pytest.raises(InputError, match="there are no pairs to audit"):
        length_summary([], None, 2)


def test_the_shortest_max_len_that_leaves_a_share_whole():
    first, second = PAIRS
    for share, found in shortest_uncut(first, second, 3, (0.5, 0.95, 0.99, 1.0)).items():
        assert np.mean(first + second + 3 <= found) >= share > np.mean(first + second + 3 <= found - 1)
    assert shortest_uncut([5, 7], None, 2, [0.5, 0.51]) == {0.5: 7, 0.51: 9}
    with pytest.raises(InputError, match="there are no rows to measure"):
        shortest_uncut([], None, 2, [0.95])
