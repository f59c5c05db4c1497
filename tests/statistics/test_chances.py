"""The chances of settling of an open contrast: against simulated studies, and at their ends."""

import numpy as np
import pytest

from bench.calibration import chances as calibration
from trimtab.config import InputError
from trimtab.statistics import (
    FinishedContrast,
    assumed_parts,
    chances_to_settle,
    contrast_parts,
)
from trimtab.statistics.crossed import Components


def finished(delta, points=0.4, seeds=3, examples=10_000, paired=True, effective=None):
    """A contrast whose variance of seeds came out as assumed."""
    parts = assumed_parts(seeds, examples, seed_deviation=points / 100)
    parts = Components(**vars(parts) | {"mean": np.asarray(delta)})
    return FinishedContrast(parts, paired, examples if effective is None else effective)


@pytest.mark.integration
def test_predicted_chances_come_true():
    """All of them to a tenth, and those of a number of seeds that would be named.

    Of the numbers that the formula before named for 80 %, 0.55 came true in these studies.
    """
    rng = np.random.default_rng(3)
    rows = calibration.rows(60, rng)
    for row in rows:
        error = 2.5 * np.sqrt(0.25 / max(row["chances"] / 3, 1))  # several numbers of seeds of one contrast
        assert abs(row["chance_error"]) < max(0.1, error), row


def test_the_same_contrasts_give_the_same_chances():
    some = [finished(0.004), finished(-0.002)]
    first, second = (chances_to_settle(some, [5, 8, 20], 0.005) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert ((first >= 0) & (first <= 1)).all()


@pytest.mark.parametrize("paired", [True, False])
def test_more_seeds_a_larger_difference_or_a_wide_margin_settle_sooner(paired):
    [few] = chances_to_settle([finished(0.008, paired=paired)], [5, 8, 20, 1000], 0.002)
    assert (np.diff(few) > -0.01).all()
    [far] = chances_to_settle([finished(0.03, paired=paired)], [20], 0.002)
    [wide] = chances_to_settle([finished(0.0, paired=paired)], [20], 0.05)
    assert min(far[0], wide[0]) > 0.95
    [hidden] = chances_to_settle([finished(0.002, examples=500, paired=paired)], [20], 0.002)
    assert hidden[0] < 0.1


def test_a_larger_family_settles_later():
    one = finished(0.009)
    alone = chances_to_settle([one], [8], 0.002)[0, 0]
    among = chances_to_settle([one, *[finished(0.0)] * 9], [8], 0.002)[0, 0]
    assert among < alone - 0.1
    nothing_corrected = chances_to_settle([one, *[finished(0.0)] * 9], [8], 0.002, correction="none")[0, 0]
    assert among < nothing_corrected


def test_no_number_is_given_where_nothing_is_known_or_no_seed_is_new():
    board = np.random.default_rng(4).random((2, 3, 60)) < 0.5
    one_seed = FinishedContrast(contrast_parts(*board[:, :1]), True, 60)
    equal = FinishedContrast(contrast_parts(np.ones((3, 60)), np.ones((3, 60))), True, 60)
    one_cluster = FinishedContrast(contrast_parts(*board, clusters=np.zeros(60, int)), True, 1)
    found = chances_to_settle([one_seed, equal, one_cluster, finished(0.01)], [3, 8], 0.005)
    assert np.isnan(found[:3]).all()
    assert np.isnan(found[3, 0])
    assert found[3, 1] > 0
    assert np.isnan(chances_to_settle([one_seed], [5], 0.005)).all()
    assert chances_to_settle([], [5], 0.005).shape == (0, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"margin": 0.0}, "margin"), ({"alpha": 2}, "alpha"), ({"correction": "sidak"}, "correction")],
)
def test_a_number_out_of_its_range_is_named(options, message):
    with pytest.raises(InputError, match=message):
        chances_to_settle([finished(0.0)], [5], **{"margin": 0.005} | options)
