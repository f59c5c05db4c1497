import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from trimtab.config import InputError
from trimtab.statistics import paired_examples


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(0)
    first = rng.normal(size=60)
    return first, first + rng.normal(0.1, 1, size=60)


def test_it_is_scipys_paired_t_test(two):
    found, expected = paired_examples(*two), stats.ttest_rel(*two)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.df == pytest.approx(expected.df)
    interval = expected.confidence_interval(0.95)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert (found.won, found.lost) == ((two[0] > two[1]).sum(), (two[0] < two[1]).sum())
    assert "says nothing of new seeds" in found.question


def test_clusters_are_those_of_a_sandwich(two):
    """Against statsmodels' cluster-robust variance of a mean, before its correction for few clusters."""
    clusters = np.arange(60) // 4
    found, difference = paired_examples(*two, clusters), two[0] - two[1]
    fitted = OLS(difference, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    assert found.estimate == pytest.approx(fitted.params[0])
    assert found.se == pytest.approx(fitted.bse[0] * np.sqrt(15 / 14))
    assert found.df == pytest.approx(14)


def test_what_does_not_vary():
    same = paired_examples([1.0, 2.0], [1.0, 2.0])
    assert (same.estimate, same.se, same.p) == (0.0, 0.0, 1.0)
    apart = paired_examples([1.0, 2.0], [0.0, 1.0])
    assert (apart.estimate, apart.se) == (1.0, 0.0)
    assert np.isnan([apart.p, apart.ci_low]).all()


def test_one_example_permits_nothing():
    with pytest.raises(InputError, match="one example or one cluster"):
        paired_examples([1.0], [2.0])
