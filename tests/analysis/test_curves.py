"""What training went through: means over seeds, and where over-fitting begins, on curves made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.analysis.analysis import analyse
from trimtab.analysis.curves import CurvePoint, Spread, epoch_rows, overfitted_rows, overfitting

FALLING = [[1.0, 0.8, 0.6, 0.4, 0.2]]
LATE = [[0.9, 0.7, 0.6, 0.7, 0.8]]  # lowest after the third of five epochs


def test_over_fitting_of_one_seed():
    found = overfitting(FALLING, LATE)
    assert (found.epoch, found.best, found.seeds) == (4, 3, 1)
    assert found.rise == pytest.approx(0.2)
    assert (found.training_best, found.training_last) == (0.6, 0.2)
    assert math.isnan(found.se)


@pytest.mark.parametrize(
    ("training", "validation"),
    [
        ([[1.0, 0.8, 0.6]], [[0.9, 0.8, 0.7]]),  # validation falls until the end
        ([[1.0, 0.8, 0.6]], [[0.9, 0.9, 0.9]]),  # or stays
        ([[1.0, 0.8, 0.9]], [[0.9, 0.7, 0.8]]),  # training fails too
        ([[1.0, 0.8, 0.7, 0.6]], [[0.9, 0.7, 0.8, 0.7]]),  # a rise that does not last
        ([[1.0]], [[0.9]]),  # nothing to compare
    ],
    ids=["falling", "flat", "training rises", "passing", "one epoch"],
)
def test_what_is_no_over_fitting(training, validation):
    assert overfitting(training, validation) is None


def test_it_begins_where_it_lasts():
    training = [[1.0, 0.8, 0.6, 0.5, 0.4, 0.3]]
    found = overfitting(training, [[0.9, 0.5, 0.7, 0.5, 0.6, 0.7]])  # back at its lowest in between
    assert (found.best, found.epoch) == (2, 5)
    found = overfitting([[1.0, 0.8, 0.6, 0.61, 0.4, 0.3]], [[0.9, 0.5, 0.6, 0.6, 0.6, 0.7]])
    assert (found.best, found.epoch) == (2, 5)  # training loss rose before


def test_a_rise_within_two_standard_errors_may_be_chance():
    rises = np.array([0.00, 0.05, 0.10])  # mean 0.05, standard error 0.0289
    level = np.array([1.0, 2.0, 3.0])  # seeds that stand apart from the start are no noise of the rise
    training = np.tile([1.0, 0.5], (3, 1))
    validation = np.stack([level, level + rises], axis=1)
    assert overfitting(training, validation) is None
    found = overfitting(training, validation + np.array([0.0, 0.01]))
    assert found.epoch == 2
    assert found.se == pytest.approx(rises.std(ddof=1) / math.sqrt(3))
    assert found.rise == pytest.approx(0.06)


def test_the_mean_counts_and_not_a_single_seed():
    training = np.tile(FALLING, (3, 1))
    validation = np.array([LATE[0], LATE[0], [0.9, 0.7, 0.6, 0.5, 0.4]])
    assert overfitting(training, validation) is None  # the mean is as low at the end, and seeds disagree


def naive(training, validation):
    """The definition, word by word, in loops."""
    seeds, epochs = len(training), len(training[0])

    def mean(table, e):
        return sum(row[e] for row in table) / seeds

    best = min(range(epochs), key=lambda e: mean(validation, e))

    def risen(e):
        each = [row[e] - row[best] for row in validation]
        centre = sum(each) / seeds
        if seeds == 1:
            return centre > 0
        error = math.sqrt(sum((x - centre) ** 2 for x in each) / (seeds - 1) / seeds)
        return centre > 0 and centre > 2 * error

    for e in range(best + 1, epochs):
        later = range(e, epochs)
        if all(mean(training, f) < mean(training, f - 1) and risen(f) for f in later):
            return e + 1
    return None


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 10_000), st.floats(0, 0.5))
def test_it_is_the_definition(seeds, epochs, seed, noise):
    rng = np.random.default_rng(seed)
    training = np.cumsum(-rng.random(epochs) + 0.2) + noise * rng.normal(size=(seeds, epochs))
    validation = rng.normal(size=epochs) + noise * rng.normal(size=(seeds, epochs))
    found = overfitting(training, validation)
    assert (found and found.epoch) == naive(training.tolist(), validation.tolist())


def test_losses_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="same seeds and epochs"):
        overfitting([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ValueError, match="at least one of each"):
        overfitting(np.zeros((0, 3)), np.zeros((0, 3)))


def curve(handmade, number, seed, losses):
    """The points of a trial whose validation losses these are."""
    return [
        CurvePoint(
            handmade.variant(number),
            seed,
            handmade.epoch(e, validation_loss=loss, seconds=seed + e),
            evaluated=e == len(losses),
        )
        for e, loss in enumerate(losses, 1)
    ]


def test_one_row_per_variant_and_epoch(handmade):
    curves = curve(handmade, 0, 0, [0.9, 0.8]) + curve(handmade, 0, 1, [0.7, 0.6])
    rows = epoch_rows(curves + curve(handmade, 3, 0, [0.5]))
    assert [(row.variant.number, row.epoch, row.seeds) for row in rows] == [
        (0, 1, [0, 1]),
        (0, 2, [0, 1]),
        (3, 1, [0]),
    ]
    first = rows[0]
    assert first.validation_loss.mean == pytest.approx(0.8)
    assert (first.validation_loss.low, first.validation_loss.high) == (0.7, 0.9)
    assert first.seconds == Spread(1.5, 1.0, 2.0)
    assert first.validation_seconds == Spread(0.25, 0.25, 0.25)
    assert [row.evaluated for row in rows] == [[], [0, 1], [0]]


def test_the_variants_that_over_fit_are_named(handmade):
    curves = curve(handmade, 0, 0, [0.9, 0.8, 0.7])
    curves += curve(handmade, 1, 0, [0.9, 0.5, 0.7]) + curve(handmade, 1, 1, [0.9, 0.6, 0.8])
    [row] = overfitted_rows(curves)
    assert row.variant.number == 1
    assert (row.overfitting.epoch, row.overfitting.seeds) == (3, 2)
    assert overfitted_rows([]) == []


def test_the_epoch_that_was_evaluated_is_marked(tmp_path, handmade):
    right = np.ones((2, 2, 6), bool)
    last = analyse(handmade.write(tmp_path / "last", {"test": right}))
    assert [point.evaluated for point in last.curves] == [False, True] * 4
    first = analyse(handmade.write(tmp_path / "first", {"test": right}, evaluated=1))
    assert [point.evaluated for point in first.curves] == [True, False] * 4
