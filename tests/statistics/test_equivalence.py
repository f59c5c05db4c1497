import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from trimtab.config import InputError
from trimtab.statistics import compare, tost


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
    scores = np.repeat(seeds[:, :, None], 50, axis=2)
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
