import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_paired

from trimtab.config import InputError
from trimtab.statistics import compare, tost
from trimtab.statistics.equivalence import (
    chance_of_equal,
    clusters_to_show_equal,
    not_inferior,
    se_at_margin,
)


def test_tost_is_statsmodels_paired_tost():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0.0, 1.0, 30), rng.normal(0.1, 1.0, 30)
    difference = first - second
    se = difference.std(ddof=1) / np.sqrt(30)
    p = tost([difference.mean()], [se], [29], 0.7)
    np.testing.assert_allclose(p[0], ttost_paired(first, second, -0.7, 0.7)[0], rtol=1e-10)


def test_compare_is_paired_tost_on_seed_means_where_examples_carry_no_variance():
    rng = np.random.default_rng(1)
    seeds = rng.normal(0.8, 0.01, (2, 8))
    scores = np.repeat(1 + seeds[:, :, None], 50, axis=2)  # beyond 1: of no known range
    expected = ttost_paired(seeds[1], seeds[0], -0.02, 0.02)[0]
    np.testing.assert_allclose(compare(scores, margin=0.02)[0].p_equivalence, expected, rtol=1e-6)


def test_a_difference_at_the_margin_is_a_coin_toss():
    np.testing.assert_allclose(tost([0.005, -0.005], [1e-9, 1e-9], [10, 10], 0.005), 0.5)


def test_what_has_no_standard_error_has_no_p():
    assert np.isnan(tost([0.1], [np.nan], [np.nan], 0.5)).all()


@pytest.mark.parametrize("margin", [0.0, -0.1, np.nan, np.inf])
def test_a_margin_must_be_a_positive_number(margin):
    with pytest.raises(InputError, match="margin"):
        tost([0.1], [0.1], [3], margin)


def test_a_standard_error_of_zero_is_refused():
    with pytest.raises(InputError, match="standard error of 0"):
        tost([0.1], [0.0], [3], 0.5)


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.1])
def test_a_one_sided_difference_at_the_margin_is_seldom_called_equivalent(margin):
    # One variant always right, the other wrong on a binomial number of examples: the rate is exact.
    for n_examples in [*range(20, 3000, 20), 9824]:
        wrong = np.arange(int(stats.binom.isf(1e-6, n_examples, margin)) + 2)
        delta = -wrong / n_examples
        se = np.sqrt(np.maximum(-delta * (1 + delta), 1e-30) / (n_examples - 1))
        p = tost(delta, se_at_margin(delta, se, margin, n_examples), n_examples - 1, margin)
        p[0] = chance_of_equal(margin, n_examples)
        assert stats.binom.pmf(wrong, n_examples, margin)[p < 0.05].sum() <= 0.051


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("margin", [0.002, 0.005, 0.1, 0.99, 1.0])
def test_the_fewest_clusters_on_which_equal_scores_show_equivalence(margin, alpha):
    few = clusters_to_show_equal(margin, alpha)
    assert chance_of_equal(margin, few) < alpha
    assert few == 1 or chance_of_equal(margin, few - 1) >= alpha


def test_compare_adds_what_the_difference_lacks_to_the_margin():
    scores = np.random.default_rng(2).random((2, 4, 500)) < 0.9
    clusters = np.arange(500) // 2
    contrast = compare(scores, clusters=clusters, margin=0.04)[0]
    se = se_at_margin(contrast.delta, contrast.se, 0.04, 250)
    assert se == pytest.approx(np.sqrt(contrast.se**2 + (0.04 - abs(contrast.delta) + 1 / 250) / 250))
    assert contrast.p_equivalence == pytest.approx(float(tost(contrast.delta, se, contrast.df, 0.04)))
    assert contrast.p == pytest.approx(2 * stats.t.sf(abs(contrast.delta) / contrast.se, contrast.df))


def test_equivalence_is_the_same_in_both_directions():
    scores = np.random.default_rng(4).random((2, 4, 300)) < np.array([0.80, 0.83])[:, None, None]
    one, other = compare(scores, [(0, 1)], margin=0.06)[0], compare(scores, [(1, 0)], margin=0.06)[0]
    assert one.delta == -other.delta != 0
    assert one.p_equivalence == pytest.approx(other.p_equivalence, rel=1e-9)


def test_scores_of_another_range_keep_their_standard_error():
    scores = np.random.default_rng(3).normal(size=(2, 4, 500))
    contrast = compare(scores, margin=0.2)[0]
    expected = tost(contrast.delta, contrast.se, contrast.df, 0.2)
    assert contrast.p_equivalence == pytest.approx(float(expected))


@pytest.mark.parametrize("n", [100, 400, 1_000, 2_000, 5_000, 9_824])
def test_losses_that_last_are_seldom_taken_for_none(n):
    """Exactly: each example is lost with the chance of the margin, by every seed alike."""
    margin, rate = 0.005, 0.0
    for lost in range(n // 20):
        delta = -lost / n
        se = np.sqrt(-delta * (1 + delta) / (n - 1))
        p = not_inferior(delta, se, n - 1, margin, n) if lost else chance_of_equal(margin, n)
        rate += (p < 0.05) * stats.binom.pmf(lost, n, margin)
    assert rate <= 0.05


def test_not_inferior_is_the_lower_half_of_tost_at_a_range_without_bounds():
    p = not_inferior(-0.002, 0.003, 7.0, 0.005, np.nan)
    assert p == pytest.approx(stats.t.sf(1.0, 7.0))
