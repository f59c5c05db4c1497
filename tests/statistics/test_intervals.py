"""Intervals that agree with adjusted verdicts: checked against the verdicts themselves."""

import math

import numpy as np
import pytest
from scipy import stats

from trimtab.statistics import adjusted_interval, compare, equivalence_interval, one_family

ALPHA, MARGIN = 0.05, 0.06


@pytest.fixture(scope="module", params=["holm", "bh"])
def family(request):
    """Contrasts of twelve variants with a baseline, far ones, near ones and equal ones."""
    rng = np.random.default_rng(3)
    rates = np.array([0.6, *np.linspace(0.5, 0.7, 8), 0.6, 0.605, 0.595])
    shared = rng.random((1, 4, 900))
    noise = rng.random((12, 4, 900)) < 0.03
    scores = np.where(noise, rng.random((12, 4, 900)) < 0.6, shared < rates[:, None, None]).astype(float)
    single = compare(scores, alpha=ALPHA, margin=MARGIN, correction="none")
    return one_family(single, ALPHA, request.param)


def tested(family):
    return sum(not math.isnan(one.p) for one in family)


def test_it_excludes_0_exactly_where_the_verdict_says_so(family):
    verdicts = set()
    for one in family:
        low, high = adjusted_interval(one, ALPHA, tested(family))
        assert (low > 0) == (one.verdict == "better")
        assert (high < 0) == (one.verdict == "worse")
        assert low <= one.ci_low
        assert one.ci_high <= high
        verdicts.add(one.verdict)
    assert {"better", "worse"} < verdicts


def test_equivalence_lies_within_the_margin(family):
    for one in family:
        low, high = equivalence_interval(one, ALPHA, tested(family))
        assert low < one.delta < high
        if one.verdict == "equivalent":
            assert -MARGIN < low < high < MARGIN
    assert any(one.verdict == "equivalent" for one in family)


def test_levels(family):
    """The whole family's smallest p is multiplied by its size under Holm: Bonferroni's interval."""
    one = min(family, key=lambda contrast: contrast.p)
    reach = stats.t.ppf(1 - ALPHA * one.p / one.p_adjusted / 2, one.df) * one.se
    assert adjusted_interval(one, ALPHA, tested(family)) == pytest.approx(
        (one.delta - reach, one.delta + reach)
    )
    cut = [each for each in family if each.p_adjusted == 1]
    for each in cut:
        reach = stats.t.ppf(1 - ALPHA / len(family) / 2, each.df) * each.se
        assert adjusted_interval(each, ALPHA, len(family))[1] == pytest.approx(each.delta + reach)


def test_one_contrast_keeps_its_interval():
    scores = np.random.default_rng(4).random((2, 3, 50))
    [one] = compare(scores, margin=MARGIN)
    assert adjusted_interval(one, ALPHA, 1) == pytest.approx((one.ci_low, one.ci_high))


def test_where_there_is_none():
    scores = np.random.default_rng(4).random((2, 1, 50))
    [one] = compare(scores)
    assert np.isnan([*adjusted_interval(one, ALPHA, 0), *equivalence_interval(one, ALPHA, 0)]).all()
    [same] = compare(np.ones((2, 3, 50)))
    assert adjusted_interval(same, ALPHA, 1) == equivalence_interval(same, ALPHA, 1) == (0, 0)
    [identical] = compare(np.ones((2, 3, 50)), identical=np.ones((2, 2), bool))
    assert adjusted_interval(identical, ALPHA, 0) == (0, 0)
