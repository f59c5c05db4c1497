import dataclasses
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import compare, holm


def test_paired_t_on_seed_means_where_examples_carry_no_variance():
    seeds = np.random.default_rng(1).normal(0.8, 0.02, (2, 7))
    contrast = compare(np.repeat(seeds[:, :, None], 25, axis=2))[0]
    expected = stats.ttest_rel(seeds[1], seeds[0])
    np.testing.assert_allclose(contrast.p, expected.pvalue, rtol=1e-8)
    interval = expected.confidence_interval()
    np.testing.assert_allclose((contrast.ci_low, contrast.ci_high), interval, rtol=1e-8)


def test_one_sample_t_on_examples_where_seeds_carry_no_variance():
    examples = np.random.default_rng(2).normal(0.1, 1.0, (2, 30))
    contrast = compare(np.repeat(examples[:, None, :], 4, axis=1))[0]
    expected = stats.ttest_rel(examples[1], examples[0])
    np.testing.assert_allclose(contrast.p, expected.pvalue, rtol=1e-8)
    assert contrast.df == pytest.approx(29)


def test_every_variant_meets_the_baseline_by_default(scores):
    found = compare(scores, baseline=2)
    assert [(c.variant, c.baseline) for c in found] == [(0, 2), (1, 2), (3, 2)]
    assert {c.verdict for c in found} == {"better"}


def test_verdicts_name_the_direction(scores):
    assert [c.verdict for c in compare(scores)[:2]] == ["better", "worse"]
    turned = compare(scores, contrasts=[(0, 1), (0, 2)])
    assert [c.verdict for c in turned] == ["worse", "better"]


def test_a_wide_margin_makes_equivalent_what_does_not_differ(scores):
    assert compare(scores, margin=0.0001)[2].verdict == "inconclusive"
    assert compare(scores, margin=0.2)[2].verdict == "equivalent"


def test_a_difference_shown_comes_before_equivalence(scores):
    first = compare(scores, margin=0.9)[0]
    assert first.verdict == "better"
    assert first.p_equivalence < 0.05


def test_a_contrast_turned_round_changes_its_sign(scores):
    there, back = compare(scores, contrasts=[(1, 0), (0, 1)])
    assert there.delta == -back.delta
    assert there.ci_low == pytest.approx(-back.ci_high)
    assert there.p == pytest.approx(back.p)


@pytest.mark.parametrize("correction", ["holm", "bh", "none"])
def test_the_correction_is_that_of_the_declared_contrasts(scores, correction):
    found = compare(scores, correction=correction, margin=0.05)
    p = np.array([c.p for c in found])
    expected = {"holm": holm(p), "bh": stats.false_discovery_control(p), "none": p}[correction]
    np.testing.assert_allclose([c.p_adjusted for c in found], expected)


def test_equivalence_is_adjusted_over_the_same_family(scores):
    alone = [compare(scores, contrasts=[(k, 0)], margin=0.05)[0].p_equivalence for k in (1, 2, 3)]
    together = [c.p_equivalence for c in compare(scores, margin=0.05)]
    np.testing.assert_allclose(together, holm(alone))


def test_the_verdict_is_that_of_adjusted_p_values(scores):
    p = compare(scores)[1].p  # the smallest of three, so three times as large when adjusted
    assert compare(scores, alpha=2 * p, correction="none")[1].verdict == "worse"
    assert compare(scores, alpha=2 * p)[1].verdict != "worse"


def test_equivalence_is_judged_by_adjusted_p_values(scores):
    p = compare(scores, margin=0.05, correction="none")[2].p_equivalence
    assert compare(scores, alpha=2 * p, margin=0.05, correction="none")[2].verdict == "equivalent"
    assert compare(scores, alpha=2 * p, margin=0.05)[2].verdict == "inconclusive"


def test_identical_inputs_are_not_tested_and_cost_the_others_nothing(scores):
    identical = np.zeros((4, 4), dtype=bool)
    identical[0, 3] = True  # either order means the pair
    found = compare(scores, identical=identical)
    last = found[2]
    assert (last.verdict, last.delta, last.ci_low, last.ci_high) == ("identical", 0, 0, 0)
    assert np.isnan([last.p, last.p_adjusted, last.p_equivalence]).all()
    alone = compare(scores, contrasts=[(1, 0), (2, 0)])
    assert [c.p_adjusted for c in found[:2]] == [c.p_adjusted for c in alone]


def test_a_contrast_cannot_be_changed(scores):
    with pytest.raises(dataclasses.FrozenInstanceError):
        compare(scores)[0].delta = 1.0


def test_one_variant_has_nothing_to_compare(scores):
    assert compare(scores[:1]) == []
    assert compare(scores, contrasts=[]) == []


def test_the_scores_stay_as_they_are(scores):
    before = scores.copy()
    compare(scores, paired=False, clusters=np.arange(400) // 2)
    assert (scores == before).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contrasts": [(4, 0)]}, "numbered 0 to 3"),
        ({"contrasts": [(1, -1)]}, "numbered 0 to 3"),
        ({"contrasts": [(1, 1)]}, "with itself"),
        ({"contrasts": [(1, 0), (1, 0)]}, "given twice"),
        ({"contrasts": [(1, 0, 2)]}, "not a pair"),
        ({"baseline": 9}, "baseline: there is no variant 9"),
        ({"clusters": [1, 2]}, "400 examples"),
        ({"clusters": np.zeros(400)}, "integers"),
        ({"groups": ["a"]}, "4 variants"),
        ({"identical": np.zeros((3, 3), dtype=bool)}, "4 variants"),
        ({"identical": np.zeros((4, 4))}, "booleans"),
        ({"paired": [True]}, "3 contrasts"),
        ({"paired": "yes"}, "not true or false"),
        ({"alpha": 1.0}, "alpha"),
        ({"margin": 0.0}, "margin"),
        ({"correction": "bonferroni"}, "correction"),
    ],
)
def test_a_wrong_option_is_named(scores, options, message):
    with pytest.raises(InputError, match=message):
        compare(scores, **options)


def test_nan_names_its_variant_and_seed():
    broken = np.ones((3, 4, 5))
    broken[2, 1, 3] = np.nan
    with pytest.raises(InputError, match="variant 2, seed 1"):
        compare(broken)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4, 5), (2, 0, 3), (0, 2, 3)])
def test_scores_of_another_shape_are_refused(shape):
    with pytest.raises(InputError, match="scores have shape"):
        compare(np.ones(shape))


def test_contrasts_are_made_one_at_a_time():
    scores = np.random.default_rng(6).random((31, 10, 10_000), dtype=np.float32) < 0.8
    tracemalloc.start()
    compare(scores, clusters=np.arange(10_000) // 3, paired=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23  # a few tables of one contrast, never of all
