"""Where the trials of a study run while a fault comes: one run, two on one ledger, Ray, Slurm.

The clusters are those of the tests (``tests/support``): real ones, of two nodes on this machine.
"""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SUPPORT = Path(__file__).parents[2] / "tests" / "support"
_STAT_PARENT = 1  # of a process, behind its name in /proc/PID/stat


@dataclass
class Place:
    """One of the four. processes: how many commands are started at a time; options: of each."""

    name: str
    processes: int = 1
    options: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    cluster: Any = None

    def start(self, study: Path, out: Path, cache: Path, said: Path) -> list[subprocess.Popen]:
        """Start ``trimtab run``, in a process group of its own; what it says goes to a file."""
        words = [sys.executable, "-m", "trimtab.cli", "run", str(study), "--out", str(out), "--device", "cpu"]
        environment = os.environ | self.environment | {"TRIMTAB_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
        with said.open("ab") as file:
            return [
                subprocess.Popen(
                    [*words, *self.options],
                    stdout=file,
                    stderr=file,
                    env=environment,
                    start_new_session=True,
                )
                for _ in range(self.processes)
            ]

    def workers(self, mains: Sequence[subprocess.Popen], cache: Path) -> list[int]:
        """The processes in which trials run now."""
        if self.name == "Ray":
            return [pid for pid in _every() if _words(pid).startswith("ray::do")]
        marked = [pid for pid in _every() if f"TRIMTAB_CACHE={cache}" in _environment(pid)]
        servers = {pid for pid in marked if "forkserver" in _words(pid)}
        return [pid for pid in servers if _parent(pid) in servers]

    def lose_a_node(self) -> None:
        """Take one of two nodes away, with all that runs on it."""
        if self.name == "Ray":
            self.cluster.stdin.write("remove\n")
            self.cluster.stdin.flush()
            self.cluster.stdout.readline()
        else:
            self.cluster.lose("n1")

    def mend(self) -> None:
        """After a cell: the node is back, and nothing is in the queue."""
        if self.name == "Slurm":
            with contextlib.suppress(AssertionError):  # it runs
                self.cluster.start_node("n1")
            self.cluster.clear()


@contextlib.contextmanager
def place_named(name: str, folder: Path) -> Iterator[Place]:
    """The place of that name; ``folder``: for a cluster's state."""
    if name == "one run":
        yield Place(name, options=("--jobs", "1"))
    elif name == "two runs":
        yield Place(name, 2, ("--jobs", "1"))
    elif name == "Ray":
        with _ray() as process:
            assert process.stdout is not None  # for mypy
            address = process.stdout.readline().strip()
            yield Place(name, options=("--engine", f"ray={address}"), cluster=process)
    elif name == "Slurm":
        made = _support("slurm_cluster")
        folder.mkdir(parents=True, exist_ok=True)
        with made.slurm_cluster(folder) as cluster:
            options = ("--engine", "slurm", "--slurm-option", "partition=main", "--jobs", "2")
            yield Place(name, 1, options, {"SLURM_CONF": str(cluster.conf)}, cluster)
    else:
        raise ValueError(f"{name!r} is no place")


PLACES = ("one run", "two runs", "Ray", "Slurm")


def _support(name: str) -> Any:
    """A module beside the tests, which starts a cluster."""
    if str(_SUPPORT) not in sys.path:
        sys.path.append(str(_SUPPORT))
    return importlib.import_module(name)


@contextlib.contextmanager
def _ray() -> Iterator[subprocess.Popen]:
    with subprocess.Popen(
        [sys.executable, "-c", _support("ray_cluster").CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate("\n", timeout=120)


def end(processes: Sequence[int], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to processes, some of which may be gone."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _every() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _words(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    return ""


def _environment(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return []


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[_STAT_PARENT])
    return 0
