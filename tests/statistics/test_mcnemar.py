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


def test_the_estimate_is_first_minus_second():
    found = mcnemar(*answers(6, 2))
    assert (found.won, found.lost) == (6, 2)
    assert found.estimate == pytest.approx(4 / 16)
    assert "says nothing of new seeds" in found.question


def test_checkpoints_that_agree_everywhere_do_not_differ():
    found = mcnemar(*answers(0, 0))
    assert (found.estimate, found.p) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([1.0, 0.0], [True, False], "booleans"),
        ([True], [True, False], "shapes"),
        ([[True]], [[True]], "shapes"),
        (np.zeros(0, bool), np.zeros(0, bool), "shapes"),
    ],
)
def test_what_it_cannot_test_is_said(first, second, message):
    with pytest.raises(InputError, match=message):
        mcnemar(first, second)
