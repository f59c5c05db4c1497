"""Ray, for real: a cluster of two nodes on this machine; what comes out is what one machine makes."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from command_line import started, wait_until
from ray_cluster import CLUSTER
from trimtab.run.runner import run

pytestmark = pytest.mark.slow
PATIENCE = 400  # seconds, on a machine that others use

# Two trials of some seconds each, which leave checkpoints on the way.
LONG = ("epochs = 2", "epochs = 80", "[12, 40]", "[12]", "seeds = 2", "seeds = 1")
BEGINNING = ("question", "checkpoint_seconds = 1\nquestion")

# Nodes that share no file system are hard to come by here, so that a run is told that they do not.
APART = """
import sys
from pathlib import Path
from trimtab.run.engine import Place
from trimtab.run.engines import ENGINES
from trimtab.run.ray_engine import RayEngine
from trimtab.run.runner import run
from trimtab.study import load

def place(address, options):
    engine = RayEngine(address, shared=False)
    return Place(engine, engine.begin, engine.slots)

ENGINES["ray"] = place
outcome = run(load(Path(sys.argv[1])), out=Path(sys.argv[2]), engine=f"ray={sys.argv[3]}")
print(outcome.done_now, outcome.crossed_now, outcome.failures)
"""


@pytest.fixture
def cluster():
    pytest.importorskip("ray.cluster_utils", reason="needs Ray")
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    ) as process:
        process.address = process.stdout.readline().strip()
        assert process.address
        try:
            yield process
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate("\n", timeout=PATIENCE)


def lose_a_node(cluster):
    cluster.stdin.write("remove\n")
    cluster.stdin.flush()
    assert cluster.stdout.readline().strip() == "removed"


@contextlib.contextmanager
def launched(study, out, cluster):
    engine = f"ray={cluster.address}"
    with started("run", study.path, "--out", out, "--engine", engine, "--device", "cpu") as process:
        yield process


def predictions(folder):
    files = [*folder.glob("trials/*/predictions.npz"), *folder.glob("trials/*/cross/*.npz")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def assert_as_alone(study, out, alone):
    """As one process after another of one thread each makes it, and nothing is left over."""
    assert run(study, out=alone, device="cpu", jobs=os.cpu_count()).failures == ()
    assert predictions(out) == predictions(alone)
    left = [*out.glob("claims"), *out.glob("runs"), *out.rglob("checkpoint.pt"), *out.rglob(".writing-*")]
    assert not left


def test_a_node_is_lost(tmp_path, cluster, tiny, study_at):
    """Its trial resumes on the other one from its checkpoint."""
    study, out = study_at(tmp_path, tiny(*LONG).replace(*BEGINNING, 1)), tmp_path / "out"
    with launched(study, out, cluster) as process:
        wait_until(lambda: len(list(out.glob("trials/*/checkpoint.pt"))) == 2, process)
        lose_a_node(cluster)
        said, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complained
    assert said.startswith("2 trials done now, 0 before\n")
    assert "its task of Ray was lost" in complained
    assert "; it is tried again" in complained
    assert_as_alone(study, out, tmp_path / "alone")


def test_the_driver_is_asked_to_stop(tmp_path, cluster, tiny, study_at):
    study, out = study_at(tmp_path, tiny(*LONG)), tmp_path / "out"
    with launched(study, out, cluster) as process:
        wait_until(lambda: len(list(out.glob("trials/*/metrics.jsonl"))) == 2, process)
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, ""), complained
    assert complained.count("trimtab: interrupted") == 1
    assert len(list(out.glob("trials/*/checkpoint.pt"))) == 2
    assert not [*out.glob("claims/*"), *out.glob("runs/*")]
    with launched(study, out, cluster) as process:
        said, complained = process.communicate(timeout=PATIENCE)
    assert said.startswith("2 trials done now, 0 before\n"), complained
    assert_as_alone(study, out, tmp_path / "alone")


def test_nodes_that_share_no_file_system(tmp_path, cluster, tiny, study_at):
    """Inputs go to the nodes, results and weights come back, and models go out again to be evaluated."""
    text = tiny("[12, 40]", "[12]") + "\n[compare]\ncross = true\n"
    study, out = study_at(tmp_path, text), tmp_path / "out"
    done = subprocess.run(
        [sys.executable, "-c", APART, study.path, out, cluster.address],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "4 4 ()\n", done.stderr
    assert len(list(out.glob("trials/*/cross/*.npz"))) == 4
    assert_as_alone(study, out, tmp_path / "alone")


def test_no_ray_there(wrong, tiny, study_at, tmp_path):
    study = study_at(tmp_path, tiny())
    said = wrong("run", study.path, "--out", tmp_path / "out", "--engine", "ray=127.0.0.1:1")
    assert said.startswith("--engine ray=127.0.0.1:1: ")
