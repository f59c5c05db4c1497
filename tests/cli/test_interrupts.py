"""Asked to stop, a run ends at checkpoints with one line, unless it ignores that, as under nohup or ``&``."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from command_line import PATIENCE, children_of, interrupt, started, wait_until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

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
@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (a_worker_starts, signal.SIGINT),
        (a_trial_runs, signal.SIGTERM),
        pytest.param(a_trial_runs, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(a_trial_runs, signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_run_is_asked_to_stop(tiny, moment, number):
    """It ends with one line, and a trial that runs leaves a checkpoint; nothing is held any more."""
    Path("study.toml").write_text(tiny("epochs = 2", "epochs = 500"))
    with started(*RUN) as process:
        wait_until(lambda: moment(process), process)
        os.killpg(process.pid, number)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (128 + number, ""), complained
    assert complained.endswith(
        "trimtab: interrupted; finished work is kept, run the same command to resume\n"
    )
    assert "Traceback" not in complained
    assert moment is a_worker_starts or len(list(FOLDER.glob("trials/*/checkpoint.pt"))) == 1
    assert not [*FOLDER.glob("claims/*"), *FOLDER.glob("runs/*"), *FOLDER.rglob(".writing-*")]


@pytest.mark.slow
def test_many_interrupts_at_once_are_one(tiny):
    Path("study.toml").write_text(tiny("epochs = 2", "epochs = 500"))
    with started(*RUN) as process:
        wait_until(lambda: a_trial_runs(process), process)
        for _ in range(20):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.005)
        _, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert complained.count("trimtab: interrupted") == 1
    assert "Traceback" not in complained
    assert list(FOLDER.glob("trials/*/checkpoint.pt"))


@pytest.mark.slow
def test_a_second_request_ends_it_at_once():
    """Also where a worker does not answer."""
    with started(*RUN) as process:
        wait_until(lambda: a_trial_runs(process), process)
        # The fork server's child, which is this process's.
        [worker] = [each for child in children_of(process.pid) for each in children_of(child)]
        os.kill(worker, signal.SIGSTOP)
        process.terminate()
        time.sleep(1.5)
        assert process.poll() is None
        process.terminate()
        process.wait(timeout=PATIENCE)
        os.kill(worker, signal.SIGKILL)
    assert process.returncode == 143


@pytest.mark.slow
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
