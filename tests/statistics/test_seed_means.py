import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics.seed_means import paired_t, permutation_test


def tables(n_seeds, seed=0, shift=0.05):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(0.8, 0.05, (2, n_seeds, 30))
    return first + shift, second


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(0, 2**32 - 1))
def test_paired_t_is_scipys(n_seeds, seed):
    first, second = tables(n_seeds, seed)
    expected = stats.ttest_rel(first.mean(axis=1), second.mean(axis=1))
    found = paired_t(first, second, alpha=0.1)
    np.testing.assert_allclose(found.p, expected.pvalue)
    interval = expected.confidence_interval(0.9)
    np.testing.assert_allclose((found.ci_low, found.ci_high), (interval.low, interval.high))


def test_paired_t_of_equal_or_of_constant_differences_is_defined():
    first, second = tables(4)
    same = paired_t(first, first)
    assert (same.estimate, same.ci_low, same.ci_high, same.p) == (0, 0, 0, 1)
    apart = paired_t(second + 0.1, second)
    assert apart.estimate == pytest.approx(0.1)
    assert np.isnan([apart.ci_low, apart.ci_high, apart.p]).all()
    assert "do not vary enough" in apart.question


@pytest.mark.parametrize("n_seeds", [2, 3, 5, 8])
@pytest.mark.parametrize("shift", [0.0, 0.01, 1.0])
def test_sign_flips_are_scipys_permutation_test(n_seeds, shift):
    first, second = tables(n_seeds, seed=n_seeds, shift=shift)
    expected = stats.permutation_test(
        (first.mean(axis=1), second.mean(axis=1)),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert permutation_test(first, second, np.random.default_rng(0)).p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (4, 4), (5, 3), (2, 7)])
def test_deals_are_scipys_permutation_test(n, m):
    first, second = tables(7, seed=n, shift=0.01)
    expected = stats.permutation_test(
        (first[:n].mean(axis=1), second[:m].mean(axis=1)),
        lambda a, b, axis: np.abs(a.mean(axis=axis) - b.mean(axis=axis)),
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    found = permutation_test(first[:n], second[:m], np.random.default_rng(0), paired=False)
    assert found.p == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("paired", [True, False])
def test_too_many_relabellings_are_sampled(paired):
    first, second = tables(16, seed=3, shift=0.004)
    exact = stats.permutation_test(
        (first.mean(axis=1), second.mean(axis=1)),
        lambda a, b, axis: (a - b).mean(axis=axis) if paired else a.mean(axis=axis) - b.mean(axis=axis),
        permutation_type="samples" if paired else "independent",
        n_resamples=50_000,
        vectorized=True,
        random_state=np.random.default_rng(9),
    ).pvalue
    found = permutation_test(first, second, np.random.default_rng(0), paired)
    assert found.p == pytest.approx(exact, abs=0.02)
    assert found == permutation_test(first, second, np.random.default_rng(0), paired)
    assert found != permutation_test(first, second, np.random.default_rng(1), paired)
    far = permutation_test(first + 9, second, np.random.default_rng(0), paired)
    assert far.p == pytest.approx(1 / 10_000)


@pytest.mark.parametrize(("paired", "least"), [(True, 2 / 32), (False, 2 / 252)])
def test_few_seeds_bound_p_and_the_question_says_so(paired, least):
    first, second = tables(5)
    found = permutation_test(first + 9, second, np.random.default_rng(0), paired)
    assert found.p == pytest.approx(least)
    assert f"under {least:.3g}" in found.question
    assert "says nothing of new examples" in found.question


def test_the_null_is_about_whole_runs():
    # Every example speaks for the first, but all within one seed: 2 of 4 relabellings lie as far away.
    first = np.array([[1.0] * 50, [0.0] * 50])
    assert permutation_test(first, np.zeros((2, 50)), np.random.default_rng(0)).p == 1.0


def test_rounding_breaks_no_tie():
    first = np.array([0.1, 0.2, 0.3])[:, None]
    second = np.array([0.3, 0.1, 0.2])[:, None]  # differences -0.2, 0.1, 0.1: all sums of equal size tie
    assert permutation_test(first, second, np.random.default_rng(0)).p == 1.0


def test_equal_scores_do_not_differ():
    first, _ = tables(4)
    found = permutation_test(first, first, np.random.default_rng(0))
    assert (found.estimate, found.p) == (0, 1)


def test_one_seed_permits_no_claim():
    first, second = tables(1)
    for found in (paired_t(first, second), permutation_test(first, second, np.random.default_rng(0))):
        assert found.estimate == pytest.approx(first.mean() - second.mean())
        assert math.isnan(found.p)
        assert "one seed permits no claim about strategies" in found.question


def test_pairs_need_as_many_seeds_in_both():
    first, second = tables(4)
    for analysis in (paired_t, lambda a, b: permutation_test(a, b, np.random.default_rng(0))):
        with pytest.raises(InputError, match="4 seeds, second 3"):
            analysis(first, second[:3])


def test_nan_is_refused():
    first, second = tables(4)
    first[2, 1] = np.nan
    with pytest.raises(InputError, match="first: scores: seed 2"):
        paired_t(first, second)
    with pytest.raises(InputError, match="second: scores: seed 2"):
        permutation_test(second, first, np.random.default_rng(0))
