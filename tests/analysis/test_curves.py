"""What training went through: means over seeds, and where over-fitting begins, on curves made by hand."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.analysis.analysis import analyse
from trimtab.analysis.curves import MEASURES, epoch_rows, overfitting, overfitting_rows
from trimtab.ledger import Ledger
from trimtab.run.runner import run
from trimtab.training.chosen import chosen_epoch

FALLING = [[1.0, 0.8, 0.6, 0.4, 0.2]]
LATE = [[0.9, 0.7, 0.6, 0.7, 0.8]]  # lowest after the third of five epochs


def test_over_fitting_of_one_seed():
    found = overfitting(FALLING, LATE)
    assert (found["epoch"], found["best"], found["seeds"]) == (4, 3, 1)
    assert found["rise"] == pytest.approx(0.2)
    assert (found["training_best"], found["training_last"]) == (0.6, 0.2)
    assert math.isnan(found["se"])


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
    assert (found["best"], found["epoch"]) == (2, 5)
    found = overfitting([[1.0, 0.8, 0.6, 0.61, 0.4, 0.3]], [[0.9, 0.5, 0.6, 0.6, 0.6, 0.7]])
    assert (found["best"], found["epoch"]) == (2, 5)  # training loss rose before


def test_a_rise_within_two_standard_errors_may_be_chance():
    rises = np.array([0.00, 0.05, 0.10])  # mean 0.05, standard error 0.0289
    level = np.array([1.0, 2.0, 3.0])  # seeds that stand apart from the start are no noise of the rise
    training = np.tile([1.0, 0.5], (3, 1))
    validation = np.stack([level, level + rises], axis=1)
    assert overfitting(training, validation) is None
    found = overfitting(training, validation + np.array([0.0, 0.01]))
    assert found["epoch"] == 2
    assert found["se"] == pytest.approx(rises.std(ddof=1) / math.sqrt(3))
    assert found["rise"] == pytest.approx(0.06)


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
    assert (found and found["epoch"]) == naive(training.tolist(), validation.tolist())


def test_losses_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="same seeds and epochs"):
        overfitting([[1.0, 2.0]], [[1.0]])
    with pytest.raises(ValueError, match="at least one of each"):
        overfitting(np.zeros((0, 3)), np.zeros((0, 3)))


def curve(variant, seed, losses, **more):
    place = {"variant": variant, "name": f"v{variant}", "series": "s", "max_len": 8, "seed": seed}
    return [
        place
        | {
            "epoch": e,
            "loss": 1 / e,
            "validation_loss": loss,
            "validation_accuracy": 0.5,
            "seconds": seed + e,
        }
        | {"evaluated": e == len(losses)}
        | more
        for e, loss in enumerate(losses, 1)
    ]


def test_a_row_a_variant_and_epoch():
    curves = curve(0, 0, [0.9, 0.8]) + curve(0, 1, [0.7, 0.6]) + curve(3, 0, [0.5], validation_seconds=2.0)
    rows = epoch_rows(curves)
    assert [(row["variant"], row["epoch"], row["seeds"]) for row in rows] == [
        (0, 1, [0, 1]),
        (0, 2, [0, 1]),
        (3, 1, [0]),
    ]
    first = rows[0]
    assert first["validation_loss"] == pytest.approx(0.8)
    assert (first["validation_loss_low"], first["validation_loss_high"]) == (0.7, 0.9)
    assert (first["seconds"], first["seconds_low"], first["seconds_high"]) == (1.5, 1.0, 2.0)
    assert [row["evaluated"] for row in rows] == [[], [0, 1], [0]]
    assert rows[2]["validation_seconds"] == 2.0


def test_what_a_seed_lacks_is_missing_and_never_0():
    curves = curve(0, 0, [0.9]) + curve(0, 1, [0.7], validation_seconds=1.0)
    [row] = epoch_rows(curves)
    ends = ("", "_low", "_high")
    assert [row[f"validation_seconds{end}"] for end in ends] == [None] * 3
    assert all(row[f"{name}{end}"] is not None for name in MEASURES[:-1] for end in ends)


def test_the_variants_that_over_fit_are_named():
    curves = curve(0, 0, [0.9, 0.8, 0.7]) + curve(1, 0, [0.9, 0.5, 0.7]) + curve(1, 1, [0.9, 0.6, 0.8])
    [row] = overfitting_rows(curves)
    assert (row["variant"], row["name"], row["epoch"], row["seeds"]) == (1, "v1", 3, 2)
    assert overfitting_rows([]) == []


def test_an_older_ledger_evaluated_its_last_epoch(tmp_path, handmade):
    right = np.ones((2, 2, 6), bool)
    old = analyse(handmade.write(tmp_path / "old", {"test": right}))
    assert [row["evaluated"] for row in old.curves] == [False, True] * 4
    new = analyse(handmade.write(tmp_path / "new", {"test": right}, evaluated=1))
    assert [row["evaluated"] for row in new.curves] == [True, False] * 4


def test_a_study_evaluates_the_epoch_that_its_recipe_chooses(tmp_path, tiny, study_at):
    text = tiny(
        'truncation = ["longest_first", "ratio"]\nmax_len = [12, 40]\nseeds = 2',
        'evaluate = ["last", "best_loss"]\nmax_len = [12]\nseeds = 2',
        "epochs = 2\n",
        "epochs = 4\nschedule = 'constant'\ndropout = 0.0\n",
        "learning_rate = 1e-3",
        "learning_rate = 1e-2",
    )
    study = study_at(tmp_path, text)
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1)
    frame = Ledger(outcome.folder).frame()
    assert len(frame) == frame["key"].nunique() == 4
    places = {}
    for row in frame.to_dict("records"):
        trial = Ledger(outcome.folder).trial(row["key"])
        records, result = trial.metrics(), json.loads((trial.folder / "result.json").read_text())
        place = chosen_epoch(row["recipe.evaluate"], records)
        assert result["evaluated_epoch"] == records[place]["epoch"]
        assert result["validation"]["loss"] == records[place]["validation_loss"]
        places.setdefault(row["seed"], []).append(
            (place, [r["validation_loss"] for r in records], result["tests"]["test"]["loss"])
        )
    for (last, curve_last, loss_last), (best, curve_best, loss_best) in places.values():
        assert curve_last == curve_best
        assert last == 3
        assert (best == last) == (loss_best == loss_last)
    assert any(best < 3 for (_, (best, *_)) in places.values())
