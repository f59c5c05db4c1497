"""Several runs on one ledger: each trial is trained by one of them, whichever of them are killed."""

import signal
import time
from contextlib import ExitStack

import pytest

from command_line import PATIENCE, started, wait_until
from trimtab.ledger import Ledger
from trimtab.run.runner import run

pytestmark = pytest.mark.integration


def same_predictions(folder, other):
    one, two = (
        {path.parent.name: path.read_bytes() for path in each.glob("trials/*/predictions.npz")}
        for each in (folder, other)
    )
    return one == two


def launched(stack, study, out):
    return stack.enter_context(started("run", study.path, "--out", out, "--device", "cpu", "--jobs", "1"))


def trained_by(out):
    """Which run trained each finished trial, and how often its folder holds an epoch twice."""
    ledger, found = Ledger(out), {}
    for key in ledger.study.wanted:
        trial = ledger.trial(key)
        assert [epoch.epoch for epoch in trial.epochs()] == list(range(1, len(trial.epochs()) + 1))
        found[key] = trial.result.run
    return found


def assert_nothing_left_over(out):
    assert not [*out.glob("claims"), *out.glob("runs"), *out.rglob("checkpoint.pt"), *out.rglob(".writing-*")]


def test_two_runs_share_the_trials(tmp_path, ran, tiny, study_at):
    """Both train some, both end when all have ended, and what comes out is what one run makes."""
    study, out = study_at(tmp_path, tiny()), tmp_path / "out"
    with ExitStack() as stack:
        processes = [launched(stack, study, out) for _ in range(2)]
        said = [process.communicate(timeout=PATIENCE)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    runs = trained_by(out)
    assert len(set(runs.values())) == 2
    done = [int(words.split()[0]) for words in said]
    assert sum(done) == len(runs) == 6
    assert sorted(done) == sorted(list(runs.values()).count(name) for name in set(runs.values()))
    assert same_predictions(out, ran[1].folder)
    assert_nothing_left_over(out)


@pytest.mark.slow
def test_of_four_runs_two_are_killed(tmp_path, tiny, study_at):
    """What the dead ones had begun is taken over from its checkpoint; every trial is trained once."""
    study = study_at(tmp_path, tiny("epochs = 2", "epochs = 60", "seeds = 2", "seeds = 4"))
    out = tmp_path / "out"
    with ExitStack() as stack:
        processes = [launched(stack, study, out) for _ in range(4)]
        for number in range(2):
            wait_until(
                lambda many=number: len(list(out.glob("trials/*/result.json"))) > 2 * many, processes[-1]
            )
            processes[number].send_signal(signal.SIGKILL)
        said = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [-9, -9, 0, 0], said
    runs = trained_by(out)
    assert len(runs) == 12
    assert len(set(runs.values())) >= 3
    run(study, out=tmp_path / "alone", device="cpu", jobs=1)
    assert same_predictions(out, tmp_path / "alone")
    assert_nothing_left_over(out)


@pytest.mark.slow
def test_a_trial_of_thirty_epochs_killed_five_times_repeats_little(tmp_path, tiny, study_at):
    """It comes to the same bits, and repeats at most what lies between two checkpoints."""
    small = ("[12, 40]", "[12]", '["longest_first", "ratio"]', '["ratio"]', "seeds = 2", "seeds = 1")
    text = tiny(*small, "epochs = 2", "epochs = 30", "train = 320", "train = 3200")
    text = text.replace("question", "checkpoint_seconds = 0.5\nquestion", 1)
    study, out = study_at(tmp_path, text), tmp_path / "out"
    run(study, out=tmp_path / "alone", device="cpu", jobs=1)
    [key] = Ledger(tmp_path / "alone").study.wanted
    for kill in range(5):
        with started("run", study.path, "--out", out, "--device", "cpu", "--jobs", "1") as process:
            path = out / "trials" / key / "checkpoint.pt"
            before = path.stat().st_mtime_ns if path.exists() else 0
            wait_until(lambda old=before, file=path: file.exists() and file.stat().st_mtime_ns > old, process)
            time.sleep(0.3)
            process.kill()
            process.wait()
        assert path.exists(), kill
    assert run(study, out=out, device="cpu", jobs=1).failures == ()
    assert same_predictions(out, tmp_path / "alone")
    whole, resumed = (Ledger(each).trial(key) for each in (tmp_path / "alone", out))
    assert [epoch.loss for epoch in resumed.epochs()] == [epoch.loss for epoch in whole.epochs()]
    assert_nothing_left_over(out)
