"""How long trials take: measured within a given time, at the precision that the study states alone."""

import pytest

from trimtab.ledger.ledger import Ledger
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.report.plan import time_text, time_words
from trimtab.run.estimate import TimeEstimate, estimate
from trimtab.run.step_times import MeasuredSteps
from trimtab.training.step_times import next_rows


@pytest.fixture
def plan(tmp_path, tiny, study_at):
    return make_plan(prepare(study_at(tmp_path, tiny())))


def test_a_stated_precision_is_the_only_one_that_is_measured(plan, tmp_path):
    stages = []
    found = estimate(plan, Ledger(tmp_path / "none"), 1, "cpu", 20.0, stages.append)
    assert {words.rpartition(", ")[2] for words in stages} == {"fp32"}
    assert found.steps >= 8
    assert all(seconds > 0 for seconds in found.seconds)
    assert found.seconds[1] > found.seconds[0]  # max_len 40 against 12


def test_what_does_not_fit_into_the_time_is_given_up(plan, tmp_path):
    """No worker starts within a hundredth of a second."""
    found = estimate(plan, Ledger(tmp_path / "none"), 1, "cpu", 0.01)
    assert found.seconds == [None] * 4
    assert found.steps is None
    assert "could not be measured" in time_text(plan, [2, 2, 2, 0], found)


def test_of_auto_the_quicker_counts():
    steps = MeasuredSteps({"fp32": [(4, 9.0), (32, 1.0), (32, 1.0)], "bf16": [(4, 9.0), (32, 0.5)]})
    assert steps.rate("fp32") == 32
    assert steps.rate("auto") == 64
    assert MeasuredSteps({"fp32": [(4, 2.0)]}).rate("auto") == 2
    assert MeasuredSteps().rate("auto") is None


def test_steps_grow_while_they_fit():
    assert next_rows(4, 32, 0.1, 10.0) == 8
    assert next_rows(16, 32, 0.1, 9.0) == 16
    assert next_rows(16, 20, 0.1, 7.0) == 20
    assert next_rows(16, 32, 1.0, 3.0) == 3
    assert next_rows(16, 32, 9.0, 3.0) == 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59.0, "under a minute"),
        (61.0, "about a minute"),
        (150.0, "about 2 minutes"),
        (5400.0, "about 90 minutes"),
        (7200.0, "about 2.0 hours"),
    ],
)
def test_durations_in_words(seconds, words):
    assert words in time_words([1], [seconds], 1, "left", "training")


def test_the_source_of_an_estimate_is_said(plan):
    times = TimeEstimate([600.0, 60.0, 60.0, 60.0], 1, steps=3, rows=4, spent=19.6)
    said = time_text(plan, [1, 1, 0, 0], times).splitlines()
    assert said == [
        "2 trials left, 1 at a time: about 11 minutes of training here",
        "one trial: 60.0 s (longest_first, max_len 40) to 10 minutes (longest_first, max_len 12)",
        "extrapolated from 3 training steps of 4 rows (whole batches take too long to measure, and less time "
        "per row), measured in 20 s",
    ]
