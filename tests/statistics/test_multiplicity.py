import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from trimtab.config import InputError
from trimtab.statistics import benjamini_hochberg, holm
from trimtab.statistics.multiplicity import correction_named

FAMILY = [0.04, 0.001, 0.3, 0.011, 0.011, 0.9, 0.02]
families = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@pytest.mark.parametrize(("adjust", "method"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_it_is_statsmodels(adjust, method):
    np.testing.assert_allclose(adjust(FAMILY), multipletests(FAMILY, method=method)[1], atol=1e-12)


@settings(deadline=None)
@given(families)
def test_holm_is_its_step_down_rule(p):
    order, largest, expected = sorted(range(len(p)), key=p.__getitem__), 0.0, [0.0] * len(p)
    for rank, place in enumerate(order):
        largest = max(largest, p[place] * (len(p) - rank))
        expected[place] = min(largest, 1.0)
    np.testing.assert_allclose(holm(p), expected, atol=1e-12)


@settings(deadline=None)
@given(families)
def test_benjamini_hochberg_is_its_step_up_rule(p):
    expected = [min(1.0, min(q * len(p) / sum(r <= q for r in p) for q in p if q >= own)) for own in p]
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_nan_is_no_member_of_the_family(adjust):
    adjusted = adjust([0.01, np.nan, 0.04, np.nan])
    np.testing.assert_allclose(adjusted[[0, 2]], adjust([0.01, 0.04]))
    assert np.isnan(adjusted[[1, 3]]).all()


@pytest.mark.parametrize("name", ["holm", "bh", "none"])
def test_many_families_at_once_are_each_of_them(name):
    p = np.random.default_rng(0).random((4, 3, 6)) ** 3
    p[:, 1, 2] = p[2, :, 4] = np.nan
    adjust = correction_named(name)
    np.testing.assert_array_equal(adjust(p), [[adjust(family) for family in some] for some in p])


@pytest.mark.parametrize("name", ["holm", "bh", "none"])
def test_nothing_to_adjust_is_no_error(name):
    adjust = correction_named(name)
    assert adjust([]).shape == (0,)
    assert np.isnan(adjust([np.nan])).all()


@pytest.mark.parametrize("name", ["holm", "bh", "none"])
def test_the_given_array_stays_as_it_is(name):
    p = np.array([0.04, 0.01, 0.03])
    correction_named(name)(p)
    assert p.tolist() == [0.04, 0.01, 0.03]


def test_a_p_value_outside_its_range_is_refused():
    with pytest.raises(InputError, match="between 0 and 1"):
        holm([0.5, 1.5])


def test_an_unknown_correction_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'holm'"):
        correction_named("holms")
