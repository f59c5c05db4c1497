"""Slurm, for real: a cluster of two nodes on this machine; what comes out is what one machine makes."""

import contextlib
import os
import signal

import pytest

from command_line import started, wait_until
from slurm_cluster import slurm_cluster
from trimtab.ledger import Ledger
from trimtab.run.runner import run

pytestmark = pytest.mark.slow
PATIENCE = 400  # seconds, on a machine that others use

# Two trials of some seconds each, which leave checkpoints on the way.
LONG = ("epochs = 2", "epochs = 80", "[12, 40]", "[12]", "seeds = 2", "seeds = 1")
BEGINNING = ("question", "checkpoint_seconds = 1\nquestion")
# A hundred trials of next to nothing.
MANY = (
    "train = 320",
    "train = 64",
    "epochs = 2",
    "epochs = 1",
    "[12, 40]",
    "[12]",
    "seeds = 2",
    "seeds = 50",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with slurm_cluster(tmp_path_factory.mktemp("slurm")) as made:
        yield made


@pytest.fixture(autouse=True)
def idle(cluster, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(cluster.conf))
    cluster.clear()


@contextlib.contextmanager
def launched(study, out, jobs=2):
    words = ("--engine", "slurm", "--slurm-option", "partition=main", "--device", "cpu")
    with started("run", study.path, "--out", out, "--jobs", str(jobs), *words) as process:
        yield process


def predictions(folder):
    return {path.parent.name: path.read_bytes() for path in folder.glob("trials/*/predictions.npz")}


def assert_as_alone(study, out, alone):
    """As one process after another of one thread each makes it, and nothing is left over."""
    assert run(study, out=alone, device="cpu", jobs=os.cpu_count()).failures == ()
    assert predictions(out) == predictions(alone)
    left = [*out.glob("claims"), *out.glob("runs"), *out.rglob("checkpoint.pt"), *out.rglob(".writing-*")]
    assert not left


def test_a_hundred_short_trials_in_an_array(tmp_path, cluster, tiny, study_at):
    """Two jobs train them, each a share; the folder of their logs goes with the last."""
    study, out = study_at(tmp_path, tiny(*MANY)), tmp_path / "out"
    with launched(study, out) as process:
        said, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complained
    assert said.startswith("100 trials done now, 0 before\n")
    assert complained.count(": validation accuracy ") == 100
    assert not cluster.jobs()
    ledger = Ledger(out)
    assert len({ledger.trial(key).result.run for key in ledger.study.wanted}) == 2
    assert not (out / "slurm").exists()
    assert_as_alone(study, out, tmp_path / "alone")
    with launched(study, out) as process:  # for which nothing is left, so that nothing is submitted
        assert process.communicate(timeout=PATIENCE)[0].startswith("0 trials done now, 100 before\n")


def test_a_node_is_lost(tmp_path, cluster, tiny, study_at):
    study, out = study_at(tmp_path, tiny(*LONG).replace(*BEGINNING, 1)), tmp_path / "out"
    with launched(study, out) as process:
        wait_until(lambda: len(list(out.glob("trials/*/checkpoint.pt"))) == 2, process)
        cluster.lose("n1")
        said, complained = process.communicate(timeout=PATIENCE)
    cluster.start_node("n1")
    assert process.returncode == 0, complained
    assert said.startswith("2 trials done now, 0 before\n")
    assert_as_alone(study, out, tmp_path / "alone")


def test_a_time_limit_comes(tmp_path, cluster, tiny, study_at):
    """On the signal that Slurm sends before it, jobs write checkpoints, go back to the queue and resume."""
    study, out = study_at(tmp_path, tiny(*LONG).replace(*BEGINNING, 1)), tmp_path / "out"
    with launched(study, out) as process:
        wait_until(lambda: len(list(out.glob("trials/*/checkpoint.pt"))) == 2, process)
        for job in cluster.jobs():
            cluster.signal(job, signal.SIGUSR2)
        wait_until(lambda: set(cluster.jobs().values()) == {"PENDING"}, process)
        assert not list(out.glob("claims/*"))
        before = [path.stat().st_mtime for path in out.glob("trials/*/checkpoint.pt")]
        assert len(before) == 2
        cluster.requeue_now()
        said, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complained
    assert said.startswith("2 trials done now, 0 before\n")
    assert_as_alone(study, out, tmp_path / "alone")


def test_the_submitting_process_is_asked_to_stop(tmp_path, cluster, tiny, study_at):
    """The jobs are cancelled, and leave checkpoints; the same command goes on."""
    study, out = study_at(tmp_path, tiny(*LONG)), tmp_path / "out"
    with launched(study, out) as process:
        wait_until(lambda: len(list(out.glob("trials/*/metrics.jsonl"))) == 2, process)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, ""), complained
    assert complained.count("trimtab: interrupted") == 1
    assert not cluster.jobs()
    assert len(list(out.glob("trials/*/checkpoint.pt"))) == 2
    assert not [*out.glob("claims/*"), *out.glob("runs/*")]
    with launched(study, out) as process:
        said, complained = process.communicate(timeout=PATIENCE)
    assert said.startswith("2 trials done now, 0 before\n"), complained
    assert_as_alone(study, out, tmp_path / "alone")


def test_what_slurm_refuses(tmp_path, wrong, tiny, study_at):
    study = study_at(tmp_path, tiny())
    words = (
        "run",
        study.path,
        "--out",
        tmp_path / "out",
        "--engine",
        "slurm",
        "--slurm-option",
        "partition=no",
    )
    assert "sbatch refused the jobs: " in wrong(*words)
