"""The progress of a run: live on a terminal, a line for each trial elsewhere, nothing where asked."""

import re

import pytest

from trimtab.cli import progress as module
from trimtab.cli.progress import Lines, shown_progress
from trimtab.ledger.run_records import RunningRecord, RunRecord
from trimtab.ledger.trial_records import Scores
from trimtab.report.live import clock, live_lines
from trimtab.training.epoch import Epoch, TrialProgress

EPOCH = Epoch(1, 0.5, 0.5, 0.5, 0.5, 100.0, 1000.0, 1 << 20, 1.0, 0.1)
LONG = "only_second(otherwise=longest_first)+head_tail, max_len 128, seed 4"


def progress(step, loss):
    return TrialProgress(epoch=1, epochs=2, step=step, steps=20, loss=loss, examples_per_second=1234.0)


@pytest.fixture
def shown(capsys):
    """shown(): what a run of three trials, one of them done before and one that fails, shows on stderr."""

    def run(**options):
        with shown_progress(**options) as told:
            told.stage("reading the data")
            told.start(3, 1, 20.0)
            told.begin("ratio, seed 0", 10.0)
            told.begin("ratio, seed 1", 10.0)
            if hasattr(told, "live"):
                told.live.refresh()
            told.news("ratio, seed 0", progress(5, 0.75))
            told.news("ratio, seed 0", EPOCH)
            if hasattr(told, "live"):
                told.live.refresh()
            told.end("ratio, seed 0", None, Scores(loss=0.7, accuracy=0.625))
            told.warn("look at [this]")
            told.end("ratio, seed 1", "the loss became [nan]; lower learning_rate")
        said, complained = capsys.readouterr()
        assert said == ""
        return complained

    return run


def test_off_a_terminal_each_trial_has_a_line(shown):
    lines = shown().splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)
    start, done, warned, failed = (line[9:] for line in lines)
    assert start == "2 trials to run, 1 done before"
    assert re.fullmatch(r"2/3 ratio, seed 0: validation accuracy 62.50 %, \d+:\d\d left", done)
    assert warned == "warning: look at [this]"
    assert failed == "3/3 ratio, seed 1: failed: the loss became [nan]; lower learning_rate"


def test_quiet(shown):
    assert shown(quiet=True) == ""


def test_where_nothing_is_left_nothing_is_said(capsys):
    with shown_progress() as told:
        told.stage("reading the data")
        told.start(3, 3, 0.0)
        told.stage("writing the report")
    assert capsys.readouterr() == ("", "")


def test_a_silence_is_ended_by_what_runs(capsys, monkeypatch):
    lines = Lines()
    lines.stage("reading the data")
    lines.tick()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "SILENCE", 0.0)
    lines.tick()
    lines.start(9, 0, 9.0)
    for number in range(4):
        lines.begin(f"ratio, seed {number}", 1.0)
    lines.news("ratio, seed 0", progress(5, 0.75))
    lines.tick()
    reading, start, runs = (line[9:] for line in capsys.readouterr().err.splitlines())
    assert reading == "still reading the data, for 0:00"
    assert start == "9 trials to run"
    assert re.fullmatch(
        r"0 of 9 trials done, \d+:\d\d left; running: "
        r"ratio, seed 0 \(epoch 1/2, 25 %, loss 0.750, 1,234 ex./s\);"
        r" ratio, seed 1 \(starting\); ratio, seed 2 \(starting\); and 1 more",
        runs,
    )


def test_on_a_terminal_progress_is_live(shown, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown())
    assert "ratio, seed 1  starting" in text  # before it reports anything
    assert "epoch 1/2, 25 %, loss 0.750, 1,234 ex./s" in text
    assert "1 of 3 trials done" in text
    assert "warning: look at [this]" in text
    assert "failed: ratio, seed 1: the loss became [nan]; lower learning_rate" in text


@pytest.mark.parametrize("width", [40, 80, 160])
def test_live_lines_fit_and_cut_no_word(width):
    trials = (
        RunningRecord(label=LONG, began=0.0),
        RunningRecord(
            label="ratio, max_len 16, seed 0",
            began=0.0,
            **{"epoch": 1, "epochs": 2, "step": 5, "steps": 20, "loss": 0.75, "examples_per_second": 1234.0},
        ),
    )
    run = RunRecord(
        host="here",
        pid=1,
        started=0.0,
        updated=0.0,
        began=0.0,
        what="cross evaluations",
        trials=1000,
        done=999,
        failed=1,
        share=0.5,
        seconds_left=1e5,
        running=trials,
    )
    lines = live_lines(run, width)
    words = " ".join(lines).split()
    assert {*LONG.split(), "999", "of", "1000", "cross", "evaluations", "loss"} <= set(words)
    longest = max(map(len, words))
    assert max(map(len, lines)) <= max(width, longest + 4)
    assert (len(lines) == 3) == (width == 160)


def test_clock():
    assert [clock(seconds) for seconds in (0, 61.4, 3723, -5)] == ["0:00", "1:01", "1:02:03", "0:00"]
