import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference

from trimtab.config import InputError
from trimtab.statistics.mcnemar import mcnemar


def answers(won, lost, both=5, neither=3):
    """Two checkpoints (examples,), of which the first alone is right ``won`` times, the second ``lost``."""
    first = np.repeat([True, False, True, False], [won, lost, both, neither])
    second = np.repeat([False, True, True, False], [won, lost, both, neither])
    return first, second


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_is_statsmodels(won, lost):
    expected = reference([[5, won], [lost, 3]], exact=True).pvalue
    np.testing.assert_allclose(mcnemar(*answers(won, lost)).p, expected, rtol=1e-9)


@pytest.mark.parametrize(("won", "lost"), [(0, 1), (1, 1), (0, 5), (2, 4), (3, 3), (7, 2), (5, 6)])
def test_mid_p_is_every_outcome_counted(won, lost):
    # A coin for each example on which one alone was right: two tails, each with half of its edge.
    heads = [sum(coins) for coins in product([0, 1], repeat=won + lost)]
    edge = min(won, lost)
    expected = 2 * np.mean([0.5 if side == edge else float(side < edge) for side in heads])
    np.testing.assert_allclose(mcnemar(*answers(won, lost), method="mid-p").p, expected)


def test_the_estimate_is_first_minus_second_and_has_no_interval():
    found = mcnemar(*answers(6, 2))
    assert found.estimate == pytest.approx(4 / 16)
    assert math.isnan(found.ci_low)
    assert math.isnan(found.ci_high)
    assert "says nothing of new seeds" in found.question


@pytest.mark.parametrize("method", ["exact", "mid-p"])
def test_checkpoints_that_agree_everywhere_do_not_differ(method):
    found = mcnemar(*answers(0, 0), method=method)
    assert (found.estimate, found.p) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "method", "message"),
    [
        ([1.0, 0.0], [True, False], "exact", "booleans"),
        ([True], [True, False], "exact", "shapes"),
        ([[True]], [[True]], "exact", "shapes"),
        (np.zeros(0, bool), np.zeros(0, bool), "exact", "shapes"),
        ([True], [True], "midp", "did you mean 'mid-p'"),
    ],
)
def test_what_it_cannot_test_is_said(first, second, method, message):
    with pytest.raises(InputError, match=message):
        mcnemar(first, second, method)
