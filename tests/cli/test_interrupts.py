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


@pytest.mark.parametrize("moment", [a_worker_starts, a_trial_runs])
def test_a_run_is_interrupted(tiny, moment):
    Path("study.toml").write_text(tiny("epochs = 2", "epochs = 500"))
    with started(*RUN) as process:
        wait_until(lambda: moment(process), process)
        interrupt(process)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, "")
    assert complained == "trimtab: interrupted; finished work is kept, run the same command to resume\n"


def test_a_run_that_ignores_interrupts_goes_on(tiny):
    Path("study.toml").write_text(tiny("[12, 40]", "[12]", ', "ratio"', ""))
    with started(*RUN, interruptible=False) as process:
        wait_until(lambda: a_trial_runs(process), process)
        interrupt(process)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complained) == (0, "")
    lines = said.splitlines()
    assert (lines[0], lines[-1]) == ("2 trials done now, 0 before", str(FOLDER / "report.md"))
