"""Bounds of the gap to the best, against compare() pair by pair, and their coverage by simulation."""

import numpy as np
import pytest
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import behind_best, compare, effective_clusters, gap_bounds
from trimtab.statistics.equivalence import chance_of_equal, not_inferior

LEVEL = 0.01


def rights(rates, seeds=4, rows=300, seed=0):
    """Scores (variants, seeds, rows) with seeds that differ and rows of unlike difficulty."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(0, 0.15, (1, 1, rows))
    noise = rng.normal(0, 0.02, (len(rates), seeds, 1))
    chance = np.asarray(rates)[:, None, None] + difficulty + noise
    return rng.random((len(rates), seeds, rows)) < chance


def naive(scores, i, j, effective, **options):
    """The smallest margin at which i is not inferior to j, at it and at all larger ones, by bisection."""
    [c] = compare(scores, [(i, j)], groups=range(len(scores)), **options)

    def p(margin):
        return not_inferior(c.delta, c.se, c.df, margin, effective)

    margins = np.linspace(-1, 3, 401)
    above = max(np.flatnonzero([p(margin) >= LEVEL for margin in margins]))
    low, high = margins[above], margins[above + 1]
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if p(middle) >= LEVEL else (low, middle)
    return high


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("clustered", [False, True])
def test_as_pair_by_pair(together, clustered):
    scores = rights([0.5, 0.52, 0.9])
    clusters = np.arange(300) // 3 if clustered else None
    effective = effective_clusters(np.arange(300) if clusters is None else clusters)
    found = gap_bounds(scores, clusters, together, LEVEL)
    for i, j in ((0, 1), (1, 0), (0, 2), (2, 0)):
        expected = naive(scores, i, j, effective, clusters=clusters, paired=together)
        np.testing.assert_allclose(found[i, j], expected, atol=1e-9)
    assert (np.diagonal(found) == 0).all()


def test_scores_without_bounds_are_plain_t_bounds():
    scores = np.random.default_rng(1).normal(size=(3, 5, 80)) + np.arange(3)[:, None, None]
    found = gap_bounds(scores, level=LEVEL)
    for c in compare(scores, [(0, 1), (1, 0), (2, 0)]):
        expected = stats.t.isf(LEVEL, c.df) * c.se - c.delta
        np.testing.assert_allclose(found[c.variant, c.baseline], expected)


def test_few_differing_rows_prove_little():
    """One seed in four differs on one row of 200: the bound is no smaller than what the others may hide."""
    scores = np.ones((2, 4, 200), bool)
    scores[0, 0, 0] = False
    found = gap_bounds(scores, level=LEVEL)
    assert found[0, 1] == pytest.approx(naive(scores, 0, 1, 200), abs=1e-9)
    assert found[0, 1] > 1 / 200


def test_equal_scores_are_bounded_by_their_number():
    found = gap_bounds(np.ones((2, 3, 500), bool), level=LEVEL)
    np.testing.assert_allclose(chance_of_equal(found[0, 1], 500), LEVEL)
    assert np.isnan(gap_bounds(np.ones((2, 3, 500)), level=LEVEL, bounded=False)[0, 1])


def test_nothing_known_of_chance():
    assert np.isnan(gap_bounds(rights([0.5, 0.6], seeds=1))[0, 1])
    assert np.isnan(gap_bounds(rights([0.5, 0.6]), np.zeros(300, int))[0, 1])
    scores = np.zeros((2, 3, 10))
    scores[1] += 1
    assert np.isnan(gap_bounds(scores)[0, 1])
    with pytest.raises(InputError, match="alpha"):
        gap_bounds(rights([0.5, 0.6]), level=2)


def test_behind_the_best_is_the_largest_gap():
    bounds = [[9, -0.1, -0.2], [0.3, 9, 0.1], [np.nan, 0.5, 9]]
    np.testing.assert_array_equal(behind_best(bounds), [0, 0.3, np.nan])
    assert bounds[0][0] == 9
    assert behind_best(np.zeros((1, 1))).tolist() == [0]


def covered(truths, studies, seeds, seed_sd, rows=60, seed=2):
    """The share of studies in which every variant's gap to the best is within its bound: scores of any range,
    seeds and rows as chance, the rows shared by all variants.
    """
    rng = np.random.default_rng(seed)
    truths, alpha, good = np.asarray(truths, float), 0.05, 0
    gaps, size = truths.max() - truths, (len(truths), seeds, rows)
    for _ in range(studies):
        scores = rng.standard_normal(size) + rng.standard_normal((len(truths), 1, rows))
        scores += truths[:, None, None] + seed_sd * rng.standard_normal((len(truths), seeds, 1))
        bounds = gap_bounds(scores, level=alpha / len(truths), bounded=False)
        good += (gaps <= behind_best(bounds)).all()
    return good / studies


@pytest.mark.parametrize("truths", [[0, -3, -3, -3, -3], [0, -0.2, -0.4], [0, 0, -1]])
@pytest.mark.parametrize("seeds", [3, 5])
def test_coverage(truths, seeds):
    """Equal variants are always covered, so that some must lie behind; those far behind bind most."""
    studies = 400
    assert covered(truths, studies, seeds, seed_sd=0.1) > 0.95 - 3 * np.sqrt(0.05 * 0.95 / studies)
