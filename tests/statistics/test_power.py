from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from trimtab.config import InputError
from trimtab.statistics import (
    assumed_parts,
    compare,
    contrast_parts,
    crossed,
    floor_of_examples,
    rescaled,
    seed_variances,
    smallest_detectable,
    smallest_margin,
)
from trimtab.statistics.power import analysed

EXAMPLES = 300


def tables(rng, studies, n_seeds, difference=0.0, seed_sd=0.04, lasting_sd=0.5, n_examples=EXAMPLES):
    """Normal scores (studies, 2, seeds, examples) whose parts of variance are known."""
    seeds = seed_sd / np.sqrt(2) * rng.normal(size=(studies, 2, n_seeds, 1))
    lasting = lasting_sd / np.sqrt(2) * rng.normal(size=(studies, 2, 1, n_examples))
    scores = seeds + lasting + 0.5 * rng.normal(size=(studies, 2, n_seeds, n_examples))
    scores[:, 1] += difference
    return scores


def true_parts(n_seeds, seed_sd=0.04, lasting_sd=0.5, n_examples=EXAMPLES):
    parts = assumed_parts(n_seeds, n_examples)
    residual = 0.5 / n_seeds / n_examples
    return type(parts)(
        mean=0.0,
        seeds=seed_sd**2 / n_seeds + residual,
        examples=lasting_sd**2 / n_examples + residual,
        residual=residual,
        n_seeds=n_seeds,
        n_clusters=n_examples,
        examples_df=n_examples - 1.0,
    )


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("n_seeds", [3, 10])
def test_the_smallest_detectable_difference_is_found_in_four_of_five_studies(n_seeds, paired):
    rng = np.random.default_rng([n_seeds, paired])
    difference = smallest_detectable(true_parts(n_seeds), paired=paired)
    found = [
        compare(scores, paired=paired, groups=[0, 1])[0].verdict == "better"
        for scores in tables(rng, 300, n_seeds, difference)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.07)


def test_parts_of_a_contrast_are_on_average_the_true_ones():
    for paired in (True, False):
        found = [contrast_parts(b, a, paired=paired) for a, b in tables(np.random.default_rng(1), 400, 4)]
        expected = true_parts(4)
        for name in ("seeds", "examples", "residual"):
            mean = np.mean([getattr(parts, name) for parts in found])
            assert mean == pytest.approx(getattr(expected, name), rel=0.1), (paired, name)


def test_parts_are_those_that_compare_uses():
    scores = np.random.default_rng(2).random((2, 4, 90)) < 0.7
    clusters = np.arange(90) // 4
    contrast = compare(scores, clusters=clusters)[0]
    parts = contrast_parts(scores[1], scores[0], clusters)
    assert parts.mean == pytest.approx(contrast.delta)
    variance = max(parts.seeds, parts.residual) + max(parts.examples - parts.residual, 0)
    assert contrast.se == pytest.approx(np.sqrt(variance))
    assert (parts.n_seeds, parts.n_clusters) == (4, 23)


def test_unpaired_parts_are_those_that_compare_uses():
    scores = np.random.default_rng(5).random((2, 4, 90)) < np.array([0.5, 0.9])[:, None, None]
    contrast = compare(scores, paired=False, groups=[0, 1])[0]
    parts = contrast_parts(scores[1], scores[0], paired=False)
    assert parts.seeds == pytest.approx(scores.mean(axis=2).var(axis=1, ddof=1).sum() / 4)
    variance = max(parts.seeds, parts.residual) + max(parts.examples - parts.residual, 0)
    assert contrast.se == pytest.approx(np.sqrt(variance))


@pytest.mark.parametrize("n_seeds", [3, 5, 10])
def test_unpaired_seeds_count_as_welch_counts_them_on_average(n_seeds):
    means = np.random.default_rng(6).normal(size=(4000, 2, n_seeds))
    variances = means.var(axis=2, ddof=1)
    welch = variances.sum(axis=1) ** 2 / (variances**2).sum(axis=1) * (n_seeds - 1)
    _, df = analysed(only_seeds(np.sqrt(2), n_seeds), paired=False)
    assert df == pytest.approx(1 / np.mean(1 / welch), rel=0.01)


def only_seeds(deviation, n_seeds):
    """Parts of a difference to which the examples add nothing; ``deviation`` over seeds of the difference."""
    parts = assumed_parts(n_seeds, 10_000, disagreement=0.0, seed_deviation=deviation / np.sqrt(2))
    assert (parts.examples, parts.residual) == (0, 0)
    return parts


@pytest.mark.parametrize("n_seeds", [5, 10, 30])
@pytest.mark.parametrize("contrasts", [1, 6])
def test_without_examples_it_is_the_power_of_a_t_test(n_seeds, contrasts):
    level = 0.05 / contrasts
    found = smallest_detectable(only_seeds(1.0, n_seeds), contrasts=contrasts)
    expected = TTestPower().solve_power(nobs=n_seeds, alpha=level, power=0.8)
    assert found == pytest.approx(expected, rel=0.01)
    found = smallest_detectable(only_seeds(np.sqrt(2), n_seeds), contrasts=contrasts, paired=False)
    expected = TTestIndPower().solve_power(nobs1=n_seeds, alpha=level, power=0.8)
    assert found == pytest.approx(expected, rel=0.3 / n_seeds)  # as df are fewer than 2 * (n_seeds - 1)


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_the_smallest_margin_is_shown_in_four_of_five_studies_of_equal_variants(paired):
    margin = smallest_margin(true_parts(6), paired=paired, effective_clusters=np.nan)
    found = [
        compare(scores + 5, paired=paired, groups=[0, 1], margin=margin)[0].verdict == "equivalent"
        for scores in tables(np.random.default_rng(7), 300, 6)
    ]
    assert np.mean(found) == pytest.approx(0.8, abs=0.07)


def test_few_clusters_ask_for_a_larger_margin():
    parts = assumed_parts(5, 10_000)
    alone = smallest_margin(parts, effective_clusters=np.nan)
    assert alone < smallest_margin(parts) < smallest_margin(parts, effective_clusters=50)


def test_a_margin_of_half_a_point_is_out_of_reach_of_ten_thousand_examples():
    assert smallest_margin(assumed_parts(10, 10_000)) > 0.005


def test_the_floor_is_where_more_seeds_lead_to():
    parts = assumed_parts(3, 5000)
    floor = floor_of_examples(parts, contrasts=3)
    assert smallest_detectable(parts, 10**6, contrasts=3) == pytest.approx(floor, rel=0.002)
    assert smallest_detectable(parts, 50, contrasts=3) > floor
    assert floor_of_examples(assumed_parts(2, 9000)) == pytest.approx(
        2.8016 * np.sqrt(0.075 / 9000), rel=1e-4
    )


def test_power_from_three_finished_seeds_is_what_is_promised():
    """The smallest difference of a plan for ten: 0.74 with the finished seeds' variance as the true one.

    The allowance for what three seeds do not know of it makes it a little more than 0.80.
    """
    rng, true = np.random.default_rng(8), true_parts(3, lasting_sd=0.2)
    truth, found = rescaled(true, 10), []
    for _ in range(300):
        own = (true.seeds - true.residual) * rng.chisquare(2) / 2 + true.residual
        parts = replace(true, seeds=own)
        smallest = smallest_detectable(parts, 10, known=seed_variances([parts])[0])
        variance, df = crossed.paired(replace(truth, seeds=truth.seeds * rng.chisquare(9) / 9))
        error = np.sqrt(truth.seeds + truth.examples - truth.residual) * rng.standard_normal()
        found.append((smallest + error) / np.sqrt(variance) > stats.t.isf(0.025, df))
    assert 0.78 < np.mean(found) < 0.88


def test_rescaled_parts_are_those_of_the_other_size():
    small, large = true_parts(3), true_parts(12, n_examples=4 * EXAMPLES)
    grown = rescaled(small, 12, 4 * EXAMPLES)
    for name in ("seeds", "examples", "residual"):
        assert getattr(grown, name) == pytest.approx(getattr(large, name))
    assert rescaled(small) == small


def test_parts_smaller_than_their_residual_stay_positive():
    board = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1]])
    parts = rescaled(contrast_parts(board, 1 - board), 8, 400)
    assert parts.seeds >= 0
    assert parts.examples >= 0


def test_more_contrasts_noise_or_disagreement_hide_more():
    base = smallest_detectable(assumed_parts(5, 9824))
    assert smallest_detectable(assumed_parts(5, 9824), contrasts=6) > base
    assert smallest_detectable(assumed_parts(5, 9824, seed_deviation=0.008)) > base
    assert smallest_detectable(assumed_parts(5, 9824, disagreement=0.3)) > base
    assert smallest_detectable(assumed_parts(5, 9824, n_clusters=300)) > base
    assert smallest_detectable(assumed_parts(5, 9824), power=0.9) > base
    assert smallest_detectable(assumed_parts(10, 9824)) < base


def test_where_nothing_is_known_of_chance_nothing_is_promised():
    scores = np.random.default_rng(4).random((2, 3, 50)) < 0.5
    for parts in (
        contrast_parts(*scores[:, :1]),
        contrast_parts(*scores, clusters=np.zeros(50, int)),
        contrast_parts(np.ones((3, 50)), np.ones((3, 50))),
    ):
        for paired in (True, False):
            assert np.isnan(smallest_detectable(parts, paired=paired))
            assert np.isnan(smallest_margin(parts, paired=paired))


def test_one_seed_detects_nothing():
    assert np.isnan(smallest_detectable(assumed_parts(1, 9824)))
    assert smallest_detectable(assumed_parts(1, 9824), 5) == pytest.approx(
        smallest_detectable(assumed_parts(5, 9824))
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: contrast_parts(np.ones((2, 3)), np.ones((2, 4))), "one shape"),
        (lambda p: contrast_parts(np.ones(3), np.ones(3)), "seeds, examples"),
        (lambda p: assumed_parts(0, 10), "n_seeds"),
        (lambda p: assumed_parts(2, 10, 11), "n_examples"),
        (lambda p: assumed_parts(2, 10, disagreement=1.5), "disagreement"),
        (lambda p: assumed_parts(2, 10, seed_deviation=-1), "seed_deviation"),
        (lambda p: rescaled(p, 0), "n_seeds"),
        (lambda p: rescaled(p, 3, 0), "n_clusters"),
        (lambda p: smallest_detectable(p, contrasts=0), "contrasts"),
        (lambda p: smallest_detectable(p, alpha=0), "alpha"),
        (lambda p: smallest_detectable(p, power=1.0), "power"),
        (lambda p: smallest_margin(p, power=0.0), "power"),
        (lambda p: floor_of_examples(p, contrasts=0), "contrasts"),
    ],
)
def test_a_number_out_of_its_range_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(assumed_parts(3, 100))
