import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from trimtab.config import InputError
from trimtab.statistics.dominance import almost_stochastic_order, probability_of_improvement


def order(first, second, **options):
    columns = (np.asarray(runs, dtype=float)[:, None] for runs in (first, second))
    return almost_stochastic_order(*columns, np.random.default_rng(0), **options)


def improvement(first, second, **options):
    return probability_of_improvement(np.array(first)[:, None], np.array(second)[:, None], **options)


runs = st.lists(st.integers(-4, 4), min_size=2, max_size=7)


@settings(deadline=None)
@given(runs, runs)
def test_improvement_is_mann_whitneys_u_over_its_number(first, second):
    expected = stats.mannwhitneyu(first, second).statistic / (len(first) * len(second))
    assert improvement(first, second).estimate == pytest.approx(expected)


@settings(deadline=None)
@given(runs, runs, st.sampled_from([0.05, 0.3]))
def test_the_ends_of_the_interval_just_bear_the_estimate(first, second, alpha):
    found = improvement(first, second, alpha=alpha)
    assert 0 <= found.ci_low <= found.estimate <= found.ci_high <= 1
    n, m, z = len(first), len(second), stats.norm.ppf(1 - alpha / 2)
    for end in {found.ci_low, found.ci_high} - {0.0, 1.0}:
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)  # Hanley and McNeil's
        more = (n + m) / 2 - 1
        variance = (end * (1 - end) + more * (q1 - end**2) + more * (q2 - end**2)) / (n * m)
        assert abs(found.estimate - end) == pytest.approx(z * math.sqrt(variance), rel=1e-6)


def test_runs_that_do_not_overlap_still_leave_room_for_chance():
    found = improvement([3.0, 4, 5], [0.0, 1, 2])
    assert (found.estimate, found.ci_high) == (1.0, 1.0)
    assert 0.4 < found.ci_low < 0.9
    turned = improvement([0.0, 1, 2], [3.0, 4, 5])
    assert (turned.estimate, turned.ci_low) == (0.0, 0.0)
    assert turned.ci_high == pytest.approx(1 - found.ci_low)
    more = improvement(np.arange(20.0) + 20, np.arange(20.0))
    assert more.ci_low > found.ci_low


def test_ties_count_half_and_rounding_breaks_none():
    found = improvement([0.1 + 0.2, 0.3], [0.3, 0.3])
    assert found.estimate == 0.5
    assert math.isnan(found.p)


def test_the_interval_mostly_covers_the_truth():
    rng = np.random.default_rng(0)
    truth, covered = stats.norm.cdf(1 / math.sqrt(2)), 0
    for _ in range(400):
        found = improvement(rng.normal(1, 1, 5), rng.normal(0, 1, 5))
        covered += found.ci_low <= truth <= found.ci_high
    assert 0.92 <= covered / 400 < 1


def naive_violation(first, second):
    """The two integrals over quantiles, numerically, on a grid that meets every step between its points."""
    t = (np.arange(420 * 20) + 0.5) / (420 * 20)  # 1 to 7 runs divide 420
    f = np.sort(first)[np.ceil(t * len(first)).astype(int) - 1]
    g = np.sort(second)[np.ceil(t * len(second)).astype(int) - 1]
    total = integrate.simpson((f - g) ** 2, x=t)
    return integrate.simpson(np.where(f < g, (f - g) ** 2, 0.0), x=t) / total if total else 0.5


@settings(deadline=None, max_examples=40)
@given(runs, runs)
def test_the_violation_ratio_is_the_numerical_integral(first, second):
    estimate = order(first, second, resamples=100).estimate
    # Simpson's rule is off by about a grid step at each jump.
    assert estimate == pytest.approx(naive_violation(first, second), abs=0.01)


def test_of_two_normal_distributions_it_is_the_known_integral():
    t = (np.arange(4000) + 0.5) / 4000
    first, second = stats.norm.ppf(t, 0.3, 2.0), stats.norm.ppf(t)
    # F^-1 - G^-1 is 0.3 + z, negative for z under -0.3.
    against, _ = integrate.quad(lambda z: (0.3 + z) ** 2 * stats.norm.pdf(z), -12, -0.3)
    assert order(first, second, resamples=100).estimate == pytest.approx(against / 1.09, abs=0.002)


def test_always_better_never_better_and_the_same():
    better = order([3, 4, 5], [0, 1, 2])
    assert (better.estimate, better.ci_low, better.ci_high) == (0, 0, 0)
    worse = order([0, 1, 2], [3, 4, 5])
    assert (worse.estimate, worse.ci_high) == (1, 1)
    same = order([0.1 + 0.2, 1, 2], [0.3, 1, 2])
    assert same.estimate == 0.5
    assert same.ci_high == 1
    constant = order([1, 1, 1], [1, 1])
    assert (constant.estimate, constant.ci_high) == (0.5, 0.5)


def test_the_two_directions_add_up_to_one():
    first, second = np.random.default_rng(1).normal(size=(2, 6))
    assert order(first, second).estimate + order(second, first[:6]).estimate == pytest.approx(1)


def test_the_bound_is_a_naive_bootstraps():
    rng = np.random.default_rng(2)
    first, second = rng.normal(0.5, 1, 7), rng.normal(0, 1, 5)
    drawn = [naive_violation(rng.choice(first, 7), rng.choice(second, 5)) for _ in range(2000)]
    found = order(first, second, resamples=20_000, alpha=0.2)
    expected = naive_violation(first, second) + stats.norm.ppf(0.8) * np.std(drawn)
    assert found.ci_high == pytest.approx(expected, abs=0.02)
    assert found.ci_high < order(first, second, alpha=0.1).ci_high


def test_many_runs_of_a_better_variant_are_found_better():
    rng = np.random.default_rng(3)
    first, second = rng.normal(1, 1, 100), rng.normal(0, 1, 100)
    assert order(first, second).ci_high < 0.5
    assert order(second, first).ci_high > 0.5
    assert order(first, second) == order(first, second)


@pytest.mark.parametrize("analysis", [order, improvement])
def test_one_seed_gives_the_estimate_alone(analysis):
    found = analysis([1.0], [0.0, 0.5])
    assert found.estimate == (0.0 if analysis is order else 1.0)
    assert np.isnan([found.ci_low, found.ci_high, found.p]).all()
    assert "one seed permits no claim about strategies" in found.question


def test_a_wrong_argument_is_named():
    table = np.ones((3, 4))
    with pytest.raises(InputError, match="first: scores: seed 0"):
        probability_of_improvement(table * np.nan, table)
    with pytest.raises(InputError, match="default_rng"):
        almost_stochastic_order(table, table, 0)
    with pytest.raises(InputError, match="alpha"):
        probability_of_improvement(table, table, alpha=2)
