"""Planned looks: levels against published values, a Brownian motion and numbers by hand; what stops when."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import Components, Looks, adjusted_interval, compare, holm, sequential, sequential_p
from trimtab.statistics.crossed import paired
from trimtab.statistics.futility import chance_at_last
from trimtab.statistics.looks import nominal_levels
from trimtab.statistics.stopping import Evidence, Family

SIZES = (3, 5, 8, 12)


@pytest.mark.parametrize(
    ("level", "published"),
    [(0.05, (0.00625, 0.00939, 0.01859, 0.03413)), (0.01, (0.00125, 0.00176, 0.00345, 0.00618))],
)
def test_published_levels(level, published):
    """Those were computed on a grid, which errs by a third of a per cent."""
    np.testing.assert_allclose(nominal_levels(SIZES, 12, level)[:, 0], published, rtol=4e-3)


@pytest.mark.parametrize("level", [0.3, 0.05, 1e-3])
def test_levels_against_an_integral_of_the_normal_distribution(level):
    bounds = stats.norm.isf(nominal_levels(SIZES[:3], 12, level)[:, 0] / 2)
    correlation = np.sqrt(np.minimum.outer(SIZES, SIZES) / np.maximum.outer(SIZES, SIZES))
    for looks in (2, 3):
        within = stats.multivariate_normal.cdf(
            bounds[:looks],
            cov=correlation[:looks, :looks],
            lower_limit=-bounds[:looks],
            maxpts=20_000,
            rng=np.random.default_rng(0),
        )
        np.testing.assert_allclose(1 - within, level * (SIZES[looks - 1] / 12) ** 1.5, rtol=0.02)


@pytest.mark.parametrize("sizes", [SIZES, (2, 12), (4, 5, 7), (2, 3, 4, 6, 7, 9, 12)])
def test_a_brownian_motion_crosses_as_often_as_is_spent(sizes):
    rng = np.random.default_rng(1)
    motion = np.cumsum(rng.standard_normal((200_000, 12)), axis=1)[:, np.array(sizes) - 1]
    p = 2 * stats.norm.sf(np.abs(motion) / np.sqrt(sizes))
    for level in (0.05, 0.4):
        crossed = (p <= nominal_levels(sizes, 12, level)[:, 0]).any(axis=1).mean()
        spent = level * (sizes[-1] / 12) ** 1.5
        assert abs(crossed - spent) < 4 * math.sqrt(spent * (1 - spent) / 200_000)
    adjusted = np.min([Looks(sizes[: n + 1], 12).adjusted(p[:, n]) for n in range(len(sizes))], axis=0)
    for level in (0.05, 0.4):
        spent = level * (sizes[-1] / 12) ** 1.5
        assert abs((adjusted <= level).mean() - spent) < 4 * math.sqrt(spent / 200_000)


def test_one_sided_p_values_err_on_the_safe_side():
    """N_j(2 a) / 2, which one side alone would be granted, is never under N_j(a)."""
    levels = np.geomspace(1e-5, 0.25, 30)
    assert (nominal_levels(SIZES, 12, 2 * levels) / 2 >= nominal_levels(SIZES, 12, levels) * (1 - 1e-9)).all()


def test_adjusted_and_nominal_are_inverse():
    looks = Looks(SIZES[:2], 12)
    levels = np.array([2e-6, 1e-3, 0.05, 0.49])
    np.testing.assert_allclose(looks.adjusted(looks.nominal(levels)), levels, rtol=1e-9)
    np.testing.assert_allclose(
        looks.nominal(levels[1:]), nominal_levels(SIZES[:2], 12, levels[1:])[-1], rtol=1e-3
    )
    assert looks.adjusted([0.0, 1e-12]).tolist() == pytest.approx([1e-6, 1e-6])
    assert looks.adjusted(0.9) == 1
    assert np.isnan(looks.adjusted(np.nan))
    assert looks.nominal(0.9) == looks.nominal(0.5)  # never wider than the grid knows
    assert 0 < looks.nominal(1e-9) < looks.nominal(1e-6)
    before = Looks((2,), 12, begun=False)
    assert before.adjusted(1e-9) == 1
    assert np.isnan(before.adjusted(np.nan))


@pytest.mark.parametrize("sizes", [(), (3, 3), (5, 3), (0, 3), (3, 13)])
def test_looks_must_rise(sizes):
    with pytest.raises(InputError, match="give rising numbers of seeds"):
        Looks(sizes, 12)


def scores(shift, seeds=12, rows=400):
    rng = np.random.default_rng(3)
    base = 0.7 + 0.01 * rng.standard_normal((2, seeds, 1))
    base[1] += shift
    return (rng.random((2, seeds, rows)) < base).astype(float)


def at(table, seeds):
    return compare(table[:, :seeds], [(1, 0)], margin=0.05, correction="none")[0]


def test_a_contrast_over_its_looks():
    table = scores(0.06)
    raw = [(size, at(table, size)) for size in SIZES[:3]]
    found = sequential(raw, 12, 0.05)
    each = [float(Looks(SIZES[: n + 1], 12).adjusted(one.p)) for n, (_, one) in enumerate(raw)]
    assert found.p == found.p_adjusted == min(each)
    assert sequential_p(found, lambda one: one.p_equivalence) <= found.p_equivalence
    assert [one.looks.sizes for one in found.earlier] == [(3,), (3, 5)]
    level = nominal_levels(SIZES[:3], 12, 0.05)[-1, 0]
    assert found.ci_high == pytest.approx(found.delta + stats.t.isf(level / 2, found.df) * found.se, rel=1e-4)
    assert found.ci_high > raw[-1][1].ci_high
    assert (found.delta, found.se, found.df) == (raw[-1][1].delta, raw[-1][1].se, raw[-1][1].df)


@pytest.mark.parametrize("p_adjusted", [0.049, 0.051])
def test_the_adjusted_interval_leaves_out_0_just_where_the_verdict_does(p_adjusted):
    found = sequential([(8, at(scores(0.05, rows=2000), 8))], 12, 0.05)
    assert 1e-5 < found.p < 0.04
    low, high = adjusted_interval(replace(found, p_adjusted=p_adjusted), 0.05, 3)
    # At level alpha * p / p_adjusted of all looks; the look's own p is where it touches 0.
    own = adjusted_interval(replace(found, p_adjusted=0.05), 0.05, 3)
    assert min(abs(own[0]), abs(own[1])) < 1e-6
    assert (low < 0 < high) == (p_adjusted > 0.05)


def test_before_the_first_look_nothing_is_shown():
    found = sequential([(2, at(scores(0.3), 2))], 12, 0.05, begun=False)
    assert found.p == found.p_equivalence == 1
    assert sequential_p(found, lambda one: 1e-9) == 1


def parts(delta, seeds=5, seed_variance=4e-5, lasting=1e-6, residual=2e-6):
    return Components(
        mean=np.asarray(delta),
        seeds=np.asarray(seed_variance / seeds),
        examples=np.asarray(lasting + residual),
        residual=np.asarray(residual),
        n_seeds=seeds,
        n_clusters=1000,
        examples_df=999.0,
    )


def test_the_chance_at_the_last_look_by_simulation():
    """The further seeds move the mean by a t-distributed amount; the rest is a test with known variance."""
    now, rng = parts(0.008), np.random.default_rng(0)
    planned = replace(
        parts(0.0, 12),
        seeds=np.asarray(4e-5 / 12),
        residual=np.asarray(2e-6 * 5 / 12),
        examples=np.asarray(1e-6 + 2e-6 * 5 / 12),
    )
    variance, df = paired(planned)
    needed = stats.t.isf(0.005, df) * math.sqrt(variance)
    moved = 0.008 + math.sqrt(4e-5 * 7 / 60) * rng.standard_t(4, 400_000)
    assert float(chance_at_last(now, 12, 0.01)) == pytest.approx((np.abs(moved) > needed).mean(), abs=0.004)
    assert chance_at_last(parts(0.0), 12, 1e-4) < 0.01
    assert chance_at_last(parts(0.1), 12, 0.01) > 0.99
    own = (2e-5, 2e-5)
    assert 0 < chance_at_last(now, 12, 0.01, own) < 1


def test_a_family_over_four_looks():
    """Five contrasts: one differs at once, one is equal, one hopeless, one lost, one goes on to the end."""
    family = Family(5, 4, 0.05)
    hopeless = lambda level: 0.05  # noqa: E731
    family.look({0: Evidence(0.001), 1: Evidence(0.9), 2: Evidence(0.9, chance=hopeless), 4: Evidence(0.06)})
    assert family.active == [1, 2, 3, 4]  # none is hopeless at the first look
    family.look({1: Evidence(0.8, 0.001), 2: Evidence(0.7, chance=hopeless), 3: Evidence(withheld=True)})
    assert family.active == [4]
    family.look({4: Evidence(0.2, chance=lambda level: 0.5)})
    family.look({4: Evidence(0.1)})
    reasons = [(one.look, one.reason) for one in family.courses]
    assert reasons == [(1, "different"), (2, "equivalent"), (2, "open"), (2, "withheld"), (4, "last look")]
    expected = holm([0.001, 0.8, 0.7, 1.0, 0.06])  # the smallest of each, 1 where nothing is known
    np.testing.assert_allclose([one.p for one in family.courses], expected)
    assert [one.is_exaggerated for one in family.courses] == [True, False, False, False, False]


def test_an_open_contrast_is_shown_once_others_are():
    """Holm asks less of it then, and its p was valid when it stopped."""
    family = Family(2, 3, 0.05)
    family.look({0: Evidence(0.03), 1: Evidence(0.5)})
    family.look({0: Evidence(0.9, chance=lambda level: 0.0), 1: Evidence(0.4, chance=lambda level: 0.9)})
    assert family.courses[0].reason == "open"
    family.look({1: Evidence(0.02)})
    assert [(one.look, one.reason) for one in family.courses] == [(2, "different"), (3, "different")]
