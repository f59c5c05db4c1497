"""Ctrl-C: a run ends at once with one line, unless it was started to ignore it, as with nohup or ``&``."""

import sys
from pathlib import Path

import pytest

from command_line import PATIENCE, interrupt, started, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

RUN = ("run", "study.toml", "--device", "cpu", "--jobs", "1")
FOLDER = Path("results", "study")


def a_worker_starts(process):
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    return (FOLDER / "study.json").exists() and any(path.read_text().strip() for path in children)


def a_trial_runs(process):
    return any(FOLDER.glob("trials/*/metrics.jsonl"))


def trials_done():
    return len(list(FOLDER.glob("trials/*/result.json")))


# The first is the harder moment: a signal that comes then must neither be lost nor reach the worker.
@pytest.mark.parametrize("moment", [a_worker_starts, pytest.param(a_trial_runs, marks=pytest.mark.slow)])
def test_a_run_is_interrupted(tiny, moment):
    Path("study.toml").write_text(tiny("epochs = 2", "epochs = 500"))
    with started(*RUN) as process:
        wait_until(lambda: moment(process), process)
        interrupt(process)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, "")
    assert complained.endswith(
        "trimtab: interrupted; finished work is kept, run the same command to resume\n"
    )


def test_a_run_that_ignores_interrupts_goes_on():
    """It is stopped before it writes its report, as a process that has none of that loaded takes long."""
    with started(*RUN, interruptible=False) as process:
        wait_until(lambda: a_trial_runs(process), process)
        finished = trials_done()
        interrupt(process)
        wait_until(lambda: trials_done() >= finished + 2, process)
        process.kill()
        said, complained = process.communicate(timeout=PATIENCE)
    assert said == ""
    assert "interrupted" not in complained
