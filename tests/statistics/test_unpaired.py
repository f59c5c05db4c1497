import math

import numpy as np
import pytest
from scipy import stats

from trimtab.statistics import compare
from trimtab.statistics.spreads import seed_spreads


def constant_over_examples(seed_means, n_examples=40):
    return np.repeat(np.asarray(seed_means)[:, :, None], n_examples, axis=2)


def interval(contrast):
    return contrast.ci_low, contrast.ci_high


def test_two_variants_are_the_pooled_t_test_where_examples_carry_no_variance():
    seeds = np.random.default_rng(0).normal(0.8, 0.02, (2, 6))
    contrast = compare(constant_over_examples(seeds), paired=False)[0]
    expected = stats.ttest_ind(seeds[1], seeds[0])
    np.testing.assert_allclose(contrast.p, expected.pvalue, rtol=1e-8)
    np.testing.assert_allclose(interval(contrast), expected.confidence_interval(), rtol=1e-8)
    assert contrast.df == pytest.approx(10)


def test_two_groups_are_welchs_t_test():
    seeds = np.random.default_rng(1).normal(0.8, [[0.02], [0.05]], (2, 6))
    contrast = compare(constant_over_examples(seeds), paired=False, groups=["small", "base"])[0]
    expected = stats.ttest_ind(seeds[1], seeds[0], equal_var=False)
    np.testing.assert_allclose(contrast.p, expected.pvalue, rtol=1e-8)
    np.testing.assert_allclose(contrast.df, expected.df, rtol=1e-8)


def test_a_group_lends_its_variance_and_its_degrees_of_freedom():
    seeds = np.random.default_rng(2).normal(0.8, 0.02, (4, 5))
    contrast = compare(constant_over_examples(seeds), paired=False)[1]
    pooled = seeds.var(axis=1, ddof=1).mean()
    assert contrast.df == pytest.approx(16)
    assert contrast.se == pytest.approx(math.sqrt(2 * pooled / 5))


def test_where_brown_forsythe_says_no_each_keeps_its_own_variance():
    seeds = np.random.default_rng(3).normal(0.8, [[0.001], [0.2]], (2, 10))
    assert stats.levene(*seeds, center="median").pvalue < 0.05
    contrast = compare(constant_over_examples(seeds), paired=False)[0]
    expected = stats.ttest_ind(seeds[1], seeds[0], equal_var=False)
    np.testing.assert_allclose((contrast.p, contrast.df), (expected.pvalue, expected.df), rtol=1e-8)


def test_the_formulas_with_clusters_are_the_naive_loop():
    rng = np.random.default_rng(4)
    n_seeds, n_examples = 4, 15
    scores = rng.normal(size=(2, 1, n_examples)) + rng.normal(size=(2, n_seeds, n_examples))
    clusters = rng.permutation(np.arange(n_examples) % 6)
    factor = 6 / 5 / n_examples**2
    c = scores[1].mean(0) - scores[0].mean(0)
    b = factor * sum((c - c.mean())[clusters == g].sum() ** 2 for g in range(6))
    e = 0.0
    for y in scores:
        residual = y - y.mean(1, keepdims=True) - y.mean(0) + y.mean()
        for g in range(6):
            sums = residual[:, clusters == g].sum(axis=1)
            e += factor * (sums**2).sum() / ((n_seeds - 1) * n_seeds)
    a = scores.mean(2).var(axis=1, ddof=1).mean() * 2 / n_seeds
    v = max(a, e) + max(b - e, 0)
    contrast = compare(scores, clusters=clusters, paired=False)[0]
    np.testing.assert_allclose(contrast.se, math.sqrt(v))
    sizes = np.bincount(clusters)
    freedom = (sizes**2).sum() ** 2 / (sizes**4).sum() * 5 / 6
    low = max(a, e) * 6 / stats.chi2.ppf(0.3, 6)  # as far too small as the lowest 30 % are
    share = max(a / v, low / (low + max(b - e, 0)))
    np.testing.assert_allclose(contrast.df, 1 / (share**2 / 6 + (b / v) ** 2 / freedom))
    assert a != e


def test_each_contrast_can_be_paired_or_not():
    scores = np.random.default_rng(5).random((3, 4, 60))
    mixed = compare(scores, paired=[True, False])
    together, apart = compare(scores), compare(scores, paired=False)
    assert [contrast.paired for contrast in mixed] == [True, False]
    assert [contrast.se for contrast in mixed] == [together[0].se, apart[1].se]
    assert "same seeds" in mixed[0].question
    assert "independent seeds" in mixed[1].question


def test_the_order_of_seeds_in_one_variant_is_irrelevant():
    rng = np.random.default_rng(6)
    scores = rng.random((2, 5, 60))
    moved = np.stack([scores[0], scores[1][rng.permutation(5)]])
    one, other = (compare(s, paired=False)[0] for s in (scores, moved))
    np.testing.assert_allclose((one.se, one.df, one.p), (other.se, other.df, other.p))


def test_equal_spreads_that_do_not_vary_are_pooled():
    spreads = seed_spreads(np.array([[1, 1, 0, 0], [2, 2, 1, 1.0]]), ["a", "a"])
    assert [spread.df for spread in spreads] == [6, 6]


def test_two_seeds_of_unequal_spread_are_not_pooled():
    spreads = seed_spreads(np.array([[0, 1], [0, 3.0]]), ["a", "a"])
    assert [spread.variance for spread in spreads] == [0.5, 4.5]


def test_one_seed_has_no_spread():
    assert np.isnan([spread.variance for spread in seed_spreads(np.ones((3, 1)), [0, 0, 0])]).all()


@pytest.mark.parametrize("n_seeds", [2, 3, 4])
def test_equal_scores_are_equal_unpaired_too(n_seeds):
    contrast = compare(np.full((2, n_seeds, 1001), 0.1), paired=False)[0]
    assert (contrast.delta, contrast.ci_low, contrast.ci_high, contrast.p) == (0, 0, 0, 1)
    assert contrast.verdict == "equivalent"


def test_the_floor_holds_where_seed_means_are_equal():
    board = np.array([[1, 0, 1, 0], [0, 1, 0, 1]])
    contrast = compare(np.stack([board, 1 - board]), paired=False)[0]
    assert contrast.se == pytest.approx(math.sqrt(2 * (8 / 4) / (3 * 8)))  # both variants' own E
    assert contrast.p == 1
    assert contrast.verdict == "inconclusive"
