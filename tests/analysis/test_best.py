"""What each variant of a study is at most worse than the best, from a ledger."""

from itertools import count

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.statistics import behind_best, gap_bounds

SEEDS, ROWS = 4, 800


def rights(*rates, seeds=SEEDS):
    rng = np.random.default_rng(0)
    level = rng.random(ROWS) + 0.05 * rng.standard_normal((len(rates), seeds, ROWS))
    return level < np.array(rates)[:, None, None]


@pytest.fixture
def analysed(tmp_path, handmade):
    number = count()

    def made(scores, **options):
        return analyse(handmade.write(tmp_path / str(next(number)), {"test": scores}, **options)).tests[0]

    return made


def test_all_variants_at_once(analysed):
    scores = rights(0.8, 0.78, 0.6)
    expected = behind_best(gap_bounds(scores, level=0.05 / 3))
    found = analysed(scores).behind_best
    assert list(found) == [0, 1, 2]
    np.testing.assert_allclose(list(found.values()), expected)


def test_identical_ones_are_one(analysed):
    scores = rights(0.8, 0.8, 0.6)
    found = analysed(scores, same=[0, 0, 2]).behind_best
    assert found[0] == found[1]
    np.testing.assert_allclose(found[2], behind_best(gap_bounds(scores[[0, 2]], level=0.05 / 2))[1])


def test_each_two_on_the_seeds_that_both_have(analysed):
    scores = rights(0.8, 0.79, 0.6)
    found = analysed(scores, missing=[(0, 0), (2, 3)]).behind_best
    level = 0.05 / 3
    apart = [
        gap_bounds(scores[[0, 1], 1:], level=level)[0, 1],
        gap_bounds(scores[[0, 2], 1:3], level=level)[0, 1],
    ]
    np.testing.assert_allclose(found[0], max(0, *apart))


def test_a_variant_with_a_seed_that_diverged_has_no_bound(analysed):
    found = analysed(rights(0.8, 0.79, 0.6), failed=[(1, 0)]).behind_best
    assert [np.isnan(found[number]) for number in range(3)] == [False, True, False]


def test_nothing_to_bound(analysed):
    assert analysed(rights(0.8)).behind_best == {}
    assert analysed(rights(0.8, 0.8), replicas=True).behind_best == {}
    apart = [(0, 0), (0, 1), (1, 2), (1, 3)]
    assert np.isnan(list(analysed(rights(0.8, 0.8), missing=apart).behind_best.values())).all()


@pytest.mark.parametrize("margin", [0.01, 0.02, 0.03, 0.05, 0.08])
def test_undecided_where_no_bound_is_under_the_margin(analysed, margin):
    """The bound is under the margin just where Holm's first step would name the variant."""
    test = analysed(rights(0.80, 0.795, 0.72), margin=margin)
    assert test.recommendation.named == (min(test.behind_best.values()) < margin)
