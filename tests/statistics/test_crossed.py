import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import compare, effective_clusters, mean_interval
from trimtab.statistics.crossed import Clusters, contrast_components


def naive(d, clusters, alpha=0.05):
    """The paired formulas, one loop a sum."""
    n_seeds, n_examples = d.shape
    groups = sorted(set(clusters))
    mean = sum(d[s, i] for s in range(n_seeds) for i in range(n_examples)) / (n_seeds * n_examples)
    row = [sum(d[s]) / n_examples for s in range(n_seeds)]
    c = [sum(d[:, i]) / n_seeds for i in range(n_examples)]
    a = sum((r - mean) ** 2 for r in row) / (n_seeds - 1) / n_seeds
    factor = len(groups) / (len(groups) - 1) / n_examples**2
    b = e = 0.0
    for g in groups:
        inside = [i for i in range(n_examples) if clusters[i] == g]
        b += factor * sum(c[i] - mean for i in inside) ** 2
        for s in range(n_seeds):
            residual = sum(d[s, i] - row[s] - c[i] + mean for i in inside)
            e += factor * residual**2 / ((n_seeds - 1) * n_seeds)
    v = max(a, e) + max(b - e, 0)
    sizes = [list(clusters).count(g) for g in groups]
    freedom = sum(n**2 for n in sizes) ** 2 / sum(n**4 for n in sizes) * (1 - 1 / len(groups))
    df = 1 / (a / ((n_seeds - 1) * v) + b**2 / (freedom * v**2))
    more = (n_seeds - 1) / stats.chi2.ppf(0.3, n_seeds - 1) * max(a, e)
    of_seeds = more / (more + max(b - e, 0))
    df = min(df, 1 / (of_seeds / (n_seeds - 1) + b**2 / (freedom * v**2)))
    reach = stats.t.ppf(1 - alpha / 2, df) * math.sqrt(v)
    return mean, mean - reach, mean + reach, math.sqrt(v), df


def as_tuple(estimate):
    return estimate.mean, estimate.ci_low, estimate.ci_high, estimate.se, estimate.df


@pytest.mark.parametrize(
    ("n_seeds", "n_examples", "n_groups"), [(2, 9, 3), (3, 12, 5), (5, 30, 2), (4, 8, 8)]
)
def test_a_mean_with_clusters_is_the_naive_loop(n_seeds, n_examples, n_groups):
    rng = np.random.default_rng(n_examples)
    table = rng.normal(size=(n_seeds, 1)) + rng.normal(size=(n_seeds, n_examples))
    clusters = np.arange(n_examples) % n_groups
    np.testing.assert_allclose(as_tuple(mean_interval(table, clusters, 0.1)), naive(table, clusters, 0.1))


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 4), st.integers(2, 10), st.integers(0, 2**32 - 1))
def test_a_paired_contrast_is_the_naive_loop(n_seeds, n_examples, seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(2, n_seeds, n_examples))
    clusters = rng.integers(-2, 3, n_examples)
    clusters[:2] = [7, 8]
    contrast = compare(scores, clusters=clusters)[0]
    got = contrast.delta, contrast.ci_low, contrast.ci_high, contrast.se, contrast.df
    np.testing.assert_allclose(got, naive(scores[1] - scores[0], clusters), rtol=1e-7, atol=1e-12)


def test_without_clusters_the_parts_are_those_of_a_two_way_table():
    rng = np.random.default_rng(3)
    table = 2 * rng.normal(size=(4, 1)) + rng.normal(size=25) + rng.normal(size=(4, 25))
    residual = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    a, b = table.mean(1).var(ddof=1) / 4, table.mean(0).var(ddof=1) / 25
    e = (residual**2).sum() / (3 * 24) / (4 * 25)
    assert a > e  # so that the floor does not hide a wrong A
    np.testing.assert_allclose(mean_interval(table).se, math.sqrt(a + max(b - e, 0)))


def test_many_tables_at_once_are_each_alone():
    rng = np.random.default_rng(9)
    first, second = rng.random((2, 4, 3, 50)) < 0.7
    for labels in (None, rng.integers(0, 9, 50)):
        clusters = Clusters(labels, 50)
        for paired in (True, False):
            together = contrast_components(first, second, clusters, paired)
            for k in range(4):
                alone = contrast_components(first[k], second[k], clusters, paired)
                for name in ("mean", "seeds", "examples", "residual"):
                    np.testing.assert_allclose(getattr(together, name)[k], getattr(alone, name))


def test_clusters_of_equal_size_have_one_degree_of_freedom_less_than_there_are():
    assert Clusters(np.arange(12) // 3, 12).df == pytest.approx(3)
    assert Clusters(None, 12).df == pytest.approx(11)


def test_one_large_cluster_leaves_few_degrees_of_freedom():
    labels = np.concatenate([np.zeros(100, int), np.arange(1, 101)])
    assert Clusters(labels, 200).df == pytest.approx(10_100**2 / (100**4 + 100) * 100 / 101)
    table = np.random.default_rng(10).normal(size=(5, 200))
    assert mean_interval(table, labels).df < 8


def test_the_floor_holds_where_seed_means_are_equal():
    table = np.array([[1, 0, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0]], dtype=float)
    assert mean_interval(table).se > 0
    np.testing.assert_allclose(mean_interval(table).se, naive(table, range(4))[3])


def test_a_checkerboard_has_the_degrees_of_freedom_of_its_seeds():
    """Neither seeds nor examples vary on average: all that is known of chance is the floor under A."""
    estimate = mean_interval(np.array([[1, 0], [0, 1]]))
    assert estimate.df == 1
    np.testing.assert_allclose(estimate.ci_high - 0.5, stats.t.ppf(0.975, 1) * estimate.se)


def test_each_example_its_own_cluster_is_no_clusters():
    rng = np.random.default_rng(4)
    table = rng.random((3, 40)) < 0.7
    own = mean_interval(table, rng.permutation(40))
    np.testing.assert_allclose(as_tuple(own), as_tuple(mean_interval(table)))


@settings(deadline=None, max_examples=30)
@given(arrays(np.bool_, (3, 8)), st.permutations(range(8)), st.permutations(range(3)))
def test_the_order_of_seeds_and_examples_is_irrelevant(table, examples, seeds):
    clusters = np.array([0, 0, 1, 1, 1, 2, 3, 3])
    shuffled = table[np.ix_(seeds, examples)]
    for labels, moved in ((None, None), (clusters, clusters[examples])):
        one, other = as_tuple(mean_interval(table, labels)), as_tuple(mean_interval(shuffled, moved))
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-12)


def test_the_names_of_clusters_are_irrelevant():
    rng = np.random.default_rng(5)
    table, clusters = rng.random((3, 30)), rng.integers(0, 6, 30)
    renamed = np.array([99, -4, 7, 0, 10**12, 3])[clusters]
    assert mean_interval(table, clusters).se == pytest.approx(mean_interval(table, renamed).se)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint8, np.int64, np.float16, np.float32, np.float64])
def test_every_numeric_type_gives_the_same(dtype):
    scores = np.random.default_rng(6).random((2, 3, 200)) < 0.8
    got, expected = (dataclasses.asdict(compare(scores.astype(kind))[0]) for kind in (dtype, float))
    np.testing.assert_equal(got, expected)


def test_means_of_seeds_alone_give_the_one_sample_t_interval():
    seeds = np.random.default_rng(7).normal(0.8, 0.02, 6)
    estimate = mean_interval(np.repeat(seeds[:, None], 30, axis=1))
    expected = stats.ttest_1samp(seeds, 0).confidence_interval(0.95)
    np.testing.assert_allclose((estimate.ci_low, estimate.ci_high), expected, rtol=1e-8)
    assert estimate.df == pytest.approx(5)


def test_an_interval_is_not_clipped():
    scores = np.ones((2, 12))
    scores[0, 0] = 0
    assert mean_interval(scores).ci_high > 1


@pytest.mark.parametrize(
    ("scores", "clusters"),
    [(np.arange(5.0)[None], None), (np.arange(5.0)[:, None], None), (np.eye(4), [3, 3, 3, 3])],
    ids=["one seed", "one example", "one cluster"],
)
def test_where_a_source_of_chance_was_seen_once_there_is_no_interval(scores, clusters):
    estimate = mean_interval(scores, clusters)
    assert estimate.mean == scores.mean()
    assert np.isnan([estimate.ci_low, estimate.ci_high, estimate.se, estimate.df]).all()


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 1e9 / 3])
def test_equal_scores_have_no_error_and_no_interval(value):
    estimate = mean_interval(np.full((3, 1001), value))
    assert estimate.mean == pytest.approx(value)
    assert estimate.se == 0
    assert np.isnan([estimate.ci_low, estimate.ci_high, estimate.df]).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e200])
def test_a_score_that_is_no_usable_number_names_its_seed(value):
    scores = np.ones((3, 4))
    scores[2, 1] = value
    with pytest.raises(InputError, match="seed 2"):
        mean_interval(scores)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.ones(4), "seeds, examples"),
        (np.ones((1, 2, 3)), "seeds, examples"),
        (np.ones((3, 0)), "no examples"),
        (np.ones((0, 3)), "no seeds"),
        (np.ones((2, 3), dtype=complex), "complex"),
        (np.array([["a"]]), "booleans, integers or floats"),
    ],
)
def test_what_is_no_table_of_scores_is_refused(scores, message):
    with pytest.raises(InputError, match=message):
        mean_interval(scores)


def test_effective_clusters_weighs_sizes():
    assert effective_clusters([5, 5, 5, 5]) == 1
    assert effective_clusters(np.arange(7)) == 7
    assert effective_clusters([0, 0, 0, 1]) == pytest.approx(16 / 10)
    with pytest.raises(InputError, match="no example"):
        effective_clusters(np.array([], dtype=int))
