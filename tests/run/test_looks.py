"""Planned looks with real training: the report's own decisions, whatever happens to the run in between."""

import re
import sys
from pathlib import Path

import pytest

from command_line import kill_at
from trimtab import report
from trimtab.analysis.analysis import analyse
from trimtab.analysis.compared_sets import looks_taken
from trimtab.ledger import Ledger
from trimtab.run.runner import ProgressCallback, run

pytestmark = pytest.mark.integration

SMALL = ("[12, 40]", "[12]", "epochs = 2", "epochs = 1", "train = 320", "train = 96")


class Told(ProgressCallback):
    """Keeps what a run has decided, and how much it had to do before each look."""

    def __init__(self):
        self.lines, self.due = [], []

    def tell(self, sentence):
        self.lines.append(sentence)

    def start(self, trials, done_before, cost, what="trials"):
        self.due.append((trials, done_before))


@pytest.fixture(scope="module")
def looked(tmp_path_factory, session_cache, tiny, study_at):
    """A study with two looks, run to its end: the study, its outcome, what it told."""
    folder, told = tmp_path_factory.mktemp("looked"), Told()
    text = tiny(*SMALL, '["longest_first", "ratio"]', '["longest_first", "ratio", "longest_first+tail"]')
    study = study_at(folder, text.replace("seeds = 2", "[compare]\nlooks = [2, 3, 4]"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(session_cache))
        return study, run(study, out=folder / "out", device="cpu", jobs=1, progress=told), told


def test_a_run_trains_from_look_to_look(looked):
    _, outcome, told = looked
    taken, analysis = looks_taken(Ledger(outcome.folder)), analyse(Ledger(outcome.folder))
    assert taken.is_over
    assert outcome.done_now + outcome.stopped == 12
    assert outcome.stopped == len(taken.stopped) == len(analysis.stopped)
    assert (outcome.done_before, outcome.failures, analysis.missing) == (0, (), [])
    assert told.due[0] == (6, 0)
    assert [trials for trials, _ in told.due][-1] == outcome.done_now
    assert len(told.lines) == len(told.due) == taken.taken
    assert told.lines[0].startswith("look 1 of 3, 2 seeds: ")
    assert told.lines[-1].endswith("; nothing goes on")


def test_it_runs_no_trial_that_no_look_asked_for(looked):
    _, outcome, _ = looked
    ledger = Ledger(outcome.folder)
    there = {path.parent.name for path in outcome.folder.glob("trials/*/result.json")}
    assert there == looks_taken(ledger).wanted(ledger.study)
    assert set(ledger.stopped).isdisjoint(there)
    assert ledger.stopped == looks_taken(ledger).stopped


def test_a_second_run_has_nothing_to_do_and_says_the_same(looked):
    study, outcome, told = looked
    again = Told()
    second = run(study, out=outcome.folder, device="cpu", jobs=1, progress=again)
    assert (second.done_now, second.done_before) == (0, outcome.done_now)
    assert second.stopped == outcome.stopped
    assert again.lines == told.lines


def begun(number):
    """When the ``number``-th trial has an epoch behind it."""
    return lambda out: len(list(out.glob("trials/*/metrics.jsonl"))) >= number


def a_look_is_taken(out):
    found = (
        re.search(r'"taken": (\d)', (out / "looks.json").read_text())
        if (out / "looks.json").exists()
        else None
    )
    return found is not None and int(found[1]) > 0


def told_by(out):
    """What a report's tables of contrasts, and the ledger, say."""
    report.write(out)
    return {path.name: path.read_bytes() for path in out.glob("tables/contrasts-*")} | {
        "looks.json": (out / "looks.json").read_bytes()
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_killed_at_five_moments_it_takes_the_same_decisions(looked, tmp_path, unsaved_figures):
    """At the start, within the first look, just when it is taken, and within what follows."""
    study, outcome, told = looked
    out, killed = tmp_path / "out", 0
    later = outcome.done_now
    for moment in (begun(1), begun(4), a_look_is_taken, begun(7), begun(later)):
        killed += kill_at(moment, Path(study.path), out)
    assert killed >= 4  # the last may come when the last trial has just ended
    again = Told()
    last = run(study, out=out, device="cpu", jobs=1, progress=again)
    assert (last.failures, last.stopped) == ((), outcome.stopped)
    assert again.lines == told.lines
    assert told_by(out) == told_by(outcome.folder)
