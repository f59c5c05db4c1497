"""``trimtab watch``: a study that runs in another process, seen from its files."""

import os
import re
import time
from pathlib import Path

import pytest

from command_line import interrupt, started, wait_until
from screen import needs_tmux, screen
from trimtab.ledger.run_records import RunningRecord, RunRecord
from trimtab.ledger.runs import RunFile, live_runs, sweep_runs

pytestmark = pytest.mark.integration

FOLDER = Path("results", "study")


def test_a_finished_study(ran, trimtab):
    code, said, complained = trimtab("watch", ran[1].folder)
    assert (code, complained) == (0, [])
    assert said[0] == "Does it matter?"
    rows = [line for line in said if re.search(r"  2 of 2 +\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)$", line)]
    assert len(rows) == 3  # as two variants share their trials
    assert said[-1] == "6 of 6 trials done; no run goes on here"
    assert trimtab("watch", ran[1].folder, "--once") == (0, said, [])


def test_where_there_is_no_study(wrong, tmp_path):
    nothing = "holds no results; name the folder of a study that was run"
    assert wrong("watch", "nowhere") == f"nowhere: {nothing}"
    assert wrong("watch", tmp_path) == f"{tmp_path}: {nothing}"


def test_a_study_that_runs_elsewhere(tiny, trimtab):
    Path("study.toml").write_text(tiny("epochs = 2", "epochs = 500"))
    with started("run", "study.toml", "--device", "cpu", "--jobs", "1") as process:
        wait_until(lambda: any(one.step for run in live_runs(FOLDER) for one in run.running), process)
        [run] = live_runs(FOLDER)
        assert (run.pid, run.trials, run.done, run.what) == (process.pid, 6, 0, "trials")
        [trial] = run.running
        assert 0 < trial.step < trial.steps
        assert trial.epochs == 500
        code, said, complained = trimtab("watch", FOLDER)
        assert (code, complained) == (0, [])
        assert "0 of 6 trials done, 1 running" in said
        assert any(line.startswith(f"running on {run.host} since ") for line in said)
        assert any(line.startswith(f"  {trial.label}  epoch ") for line in said)
        interrupt(process)
        process.wait()
    assert not (FOLDER / "runs").exists()
    last = trimtab("watch", FOLDER)[1][-1]
    assert last == "0 of 6 trials done, 1 interrupted; no run goes on here, trimtab run STUDY resumes it"


@pytest.fixture
def run():
    """run(changes): the record of a run of this process, with changes."""

    def made(**changes):
        now = time.time()
        known = {
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "started": now,
            "updated": now,
            "began": now,
        }
        trial = RunningRecord(label="ratio, max_len 12, seed 0", began=now)
        known |= {"what": "trials", "trials": 6, "running": (trial,)}
        return RunRecord(**known | changes)

    return made


def test_several_runs_and_those_that_are_gone(tmp_path, run):
    here, elsewhere = run(), run(host="other.host", pid=1, started=1.0)
    gone = [run(updated=1.0, started=2.0), run(pid=2**22 + 1), run(host="other.host", pid=2, updated=1.0)]
    for each in [here, elsewhere, *gone]:
        RunFile(tmp_path, each).write(each)
    (tmp_path / "runs" / "damaged.json").write_text("{")
    assert live_runs(tmp_path) == [elsewhere, here]
    for path in (tmp_path / "runs").iterdir():
        os.utime(path, (1, 1))
    sweep_runs(tmp_path)
    assert len(list((tmp_path / "runs").iterdir())) == 2  # the live ones
    for each in (here, elsewhere):
        RunFile(tmp_path, each).remove()
    assert not (tmp_path / "runs").exists()


PROGRAM = "from trimtab.cli import main\nprint(main(['watch', 'results/study']))"


@needs_tmux
def test_on_a_terminal_the_view_is_live_until_the_run_ends(run):
    FOLDER.mkdir(parents=True)
    mine = RunFile(FOLDER, run())
    mine.write(run())
    with screen(PROGRAM, 80) as shown:
        lines = shown.wait_for("0 of 6 trials done")
        assert max(map(len, lines)) <= 80
        mine.write(run(done=1))
        shown.wait_for("1 of 6 trials done")
        shown.tmux("send-keys", "C-c")
        assert shown.at_the_end()[-1] == "0"
