import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trimtab.config import InputError
from trimtab.statistics import compare

VERDICTS = {"better", "worse", "equivalent", "inconclusive", "identical"}


@pytest.mark.parametrize("paired", [True, False])
def test_one_seed_permits_no_claim(scores, paired):
    identical = np.eye(4, dtype=bool)
    identical[3, 0] = True
    found = compare(scores[:, :1], identical=identical, paired=paired)
    assert [c.verdict for c in found] == ["inconclusive", "inconclusive", "identical"]
    assert found[0].delta == pytest.approx(scores[1, 0].mean() - scores[0, 0].mean())
    assert np.isnan([found[0].ci_low, found[0].ci_high, found[0].p, found[0].p_adjusted]).all()
    assert "one seed permits no claim about strategies" in found[0].question
    assert "McNemar" in found[0].question


def test_two_seeds_are_marked_exploratory(scores):
    assert "exploratory" in compare(scores[:, :2])[0].question
    assert "exploratory" not in compare(scores[:, :3])[0].question


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("clusters", [None, np.zeros(400, dtype=int)])
def test_one_example_or_one_cluster_permits_no_claim(scores, paired, clusters):
    found = compare(scores[..., :1] if clusters is None else scores, clusters=clusters, paired=paired)[0]
    assert found.verdict == "inconclusive"
    assert math.isnan(found.ci_low)
    assert "no claim about new examples" in found.question


@pytest.mark.parametrize(("examples", "verdict"), [(50, "inconclusive"), (600, "equivalent")])
def test_equal_scores_are_equivalent_where_they_are_many(examples, verdict):
    same = np.random.default_rng(4).random((1, 3, examples)).repeat(2, axis=0)
    contrast = compare(same, margin=0.005)[0]
    assert (contrast.delta, contrast.ci_low, contrast.ci_high, contrast.p) == (0, 0, 0, 1)
    assert contrast.p_equivalence == pytest.approx(0.995**examples)
    assert contrast.verdict == verdict
    assert "all scores agree" in contrast.question


def test_equal_scores_of_unknown_range_prove_no_equivalence():
    contrast = compare(np.full((2, 3, 10_000), 2.5))[0]
    assert np.isnan(contrast.p_equivalence)
    assert contrast.verdict == "inconclusive"


def test_equal_scores_seldom_pass_a_true_difference_off_as_equivalent():
    generator, claims = np.random.default_rng(5), 0
    for _ in range(300):
        right = np.broadcast_to(generator.random(200) >= 0.006, (3, 200))  # the other is always right
        claims += compare(np.stack([np.ones((3, 200), bool), right]))[0].verdict == "equivalent"
    assert claims / 300 <= 0.05


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("clusters", [None, np.arange(1001) % 13])
def test_the_same_difference_everywhere_cannot_be_told_from_chance(paired, clusters):
    constant = np.broadcast_to(np.array([0.3, 0.1])[:, None, None], (2, 3, 1001))
    contrast = compare(constant, paired=paired, clusters=clusters)[0]
    assert contrast.delta == pytest.approx(-0.2)
    assert contrast.se == 0
    assert np.isnan([contrast.ci_low, contrast.p]).all()
    assert contrast.verdict == "inconclusive"


def test_rounding_is_not_taken_for_chance():
    base = np.random.default_rng(5).random((1, 3, 1000))
    contrast = compare(np.concatenate([base, base + 0.1]))[0]
    assert contrast.se == 0
    assert contrast.verdict == "inconclusive"


def test_one_constant_variant_is_an_ordinary_contrast(scores):
    scores[0] = True
    contrast = compare(scores)[0]
    assert contrast.verdict == "worse"
    assert contrast.se > 0


def test_clusters_that_cancel_inside_are_not_equal_scores():
    first = np.tile([1, 0], (3, 10))
    contrast = compare(np.stack([1 - first, first]), clusters=np.arange(20) // 2)[0]
    assert contrast.delta == 0
    assert contrast.verdict == "inconclusive"


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 6)).flatmap(lambda s: arrays(np.int8, s)),
    st.booleans(),
    st.booleans(),
)
def test_any_scores_give_a_verdict_without_a_warning(scores, paired, clustered):
    clusters = np.arange(scores.shape[2]) // 2 if clustered else None
    found = compare(scores, clusters=clusters, paired=paired, margin=1.0)
    assert len(found) == len(scores) - 1
    for contrast in found:
        assert contrast.verdict in VERDICTS
        assert math.isnan(contrast.p) or 0 <= contrast.p <= contrast.p_adjusted <= 1


def test_unequal_numbers_of_seeds_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="rows are of unequal length; give every variant the same seeds"):
        compare([[[1, 0], [1, 1]], [[1, 0]]])


def test_pseudo_values_do_not_pass_for_scores_between_0_and_1():
    scores = np.ones((2, 3, 400))
    scores[0, 1, 7] = 0
    assert compare(scores, margin=0.05)[0].verdict == "equivalent"
    [bounded] = compare(scores, margin=0.05)
    [pseudo] = compare(scores, margin=0.05, bounded=False)
    assert pseudo.p_equivalence < bounded.p_equivalence  # only the bound knows that 400 examples are few
    [same] = compare(np.ones((2, 3, 400)), margin=0.05, bounded=False)
    assert (same.verdict, same.p) == ("inconclusive", 1.0)
