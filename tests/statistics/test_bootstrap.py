import math
import tracemalloc

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.statistics.bootstrap import multi_bootstrap


def naive(first, second, rng, paired, resamples, clusters):
    """One resample at a time, its seeds and examples picked by index."""
    groups = np.unique(clusters)
    found = []
    for _ in range(resamples):
        drawn = rng.choice(groups, groups.size)
        examples = np.concatenate([np.flatnonzero(clusters == group) for group in drawn])
        seeds = rng.integers(0, len(first), len(first))
        others = seeds if paired else rng.integers(0, len(second), len(second))
        found.append(first[seeds][:, examples].mean() - second[others][:, examples].mean())
    return np.array(found)


def pair(shift=0.2, n_seeds=6, n_examples=60):
    rng = np.random.default_rng(0)
    difficulty = rng.normal(size=n_examples)
    noise = 0.3 * rng.normal(size=(2, n_seeds, 1)) + rng.normal(size=(2, n_seeds, n_examples))
    first, second = difficulty + noise
    return first + shift, second


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("clusters", [None, np.arange(60) ** 2 // 150], ids=["examples", "clusters"])
def test_the_distribution_is_that_of_the_naive_loop(paired, clusters):
    first, second = pair()
    groups = np.arange(60) if clusters is None else clusters
    # Quantiles of 6,000 draws are good to about two hundredths of a standard deviation.
    expected = naive(first, second, np.random.default_rng(1), paired, 6000, groups)
    found = multi_bootstrap(first, second, np.random.default_rng(2), paired, 20_000, clusters, alpha=0.2)
    tolerance = 0.06 * expected.std()
    np.testing.assert_allclose(
        (found.ci_low, found.ci_high), np.quantile(expected, [0.1, 0.9]), atol=tolerance
    )
    assert found.estimate == pytest.approx(first.mean() - second.mean())
    p = 2 * min((expected <= 0).mean(), (expected >= 0).mean())
    assert found.p == pytest.approx(p, rel=0.1, abs=0.01)


def test_unpaired_may_have_unequal_numbers_of_seeds():
    first, second = pair()
    found = multi_bootstrap(first, second[:4], np.random.default_rng(0), paired=False)
    expected = naive(first, second[:4], np.random.default_rng(1), False, 1000, np.arange(60))
    assert found.ci_high - found.ci_low == pytest.approx(
        np.diff(np.quantile(expected, [0.025, 0.975]))[0], rel=0.15
    )
    with pytest.raises(InputError, match="the same seeds in both"):
        multi_bootstrap(first, second[:4], np.random.default_rng(0))


def test_p_is_never_zero_and_turns_with_the_sign():
    first, second = pair(shift=50.0)
    there = multi_bootstrap(first, second, np.random.default_rng(0))
    back = multi_bootstrap(second, first, np.random.default_rng(0))
    assert there.p == back.p == pytest.approx(2 / 1001)
    np.testing.assert_allclose((there.ci_low, there.ci_high), (-back.ci_high, -back.ci_low))


def test_the_same_seed_gives_the_same_answer():
    first, second = pair()
    answers = [multi_bootstrap(first, second, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert answers[0] == answers[1] != answers[2]


def test_the_question_names_units_and_seeds():
    first, second = pair()
    rng = np.random.default_rng(0)
    assert "new examples (the same seeds in both)" in multi_bootstrap(first, second, rng).question
    found = multi_bootstrap(first, second, rng, paired=False, clusters=np.arange(60) // 2)
    assert "clusters of examples (independent seeds)" in found.question


def test_equal_scores_do_not_differ():
    first, _ = pair()
    found = multi_bootstrap(first, first, np.random.default_rng(0))
    assert (found.estimate, found.ci_low, found.ci_high, found.p) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("first", "second", "clusters", "why"),
    [
        (np.eye(1, 9), np.zeros((1, 9)), None, "one seed"),
        (np.ones((3, 1)), np.zeros((3, 1)), None, "one example or one cluster"),
        (np.eye(3), np.zeros((3, 3)), [4, 4, 4], "one example or one cluster"),
        (np.full((3, 101), 0.3), np.full((3, 101), 0.1), None, "do not vary enough"),
    ],
)
def test_where_chance_cannot_be_seen_there_is_only_the_difference(first, second, clusters, why):
    found = multi_bootstrap(first, second, np.random.default_rng(0), clusters=clusters)
    assert found.estimate == pytest.approx(first.mean() - second.mean())
    assert np.isnan([found.ci_low, found.ci_high, found.p]).all()
    assert found.question.startswith("none: ")
    assert why in found.question


def test_many_examples_fit_into_little_memory():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 20, 10_000))
    tracemalloc.start()
    found = multi_bootstrap(first, second, rng)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26  # 1,000 resamples of 10,000 examples are 80 MB held at once
    assert not math.isnan(found.p)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rng": 0}, "default_rng"),
        ({"resamples": 99}, "at least 100"),
        ({"resamples": 1000.0}, "at least 100"),
        ({"alpha": 0.0}, "alpha"),
        ({"clusters": [1, 2]}, "60 examples"),
        ({"first": np.full((6, 60), np.nan)}, "first: scores: seed 0"),
        ({"second": np.ones(60)}, "second: scores have shape"),
        ({"second": np.ones((6, 59))}, "60 examples, second 59"),
    ],
)
def test_a_wrong_argument_is_named(options, message):
    first, second = pair()
    arguments = {"first": first, "second": second, "rng": np.random.default_rng(0)} | options
    with pytest.raises(InputError, match=message):
        multi_bootstrap(**arguments)
