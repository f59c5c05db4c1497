"""A real Slurm of two nodes on this machine, from Debian's packages: for tests that are run as root."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

NODES = ("n1", "n2")
_NEEDED = ("slurmctld", "slurmd", "sbatch", "munged")

_CONF = """\
ClusterName=trimtab
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
KillWait=60
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""
_NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1 RealMemory=4000\n"


class Cluster:
    """Its folder, and what may happen to it."""

    def __init__(self, folder):
        self.folder, self.conf = folder, folder / "slurm.conf"

    def start(self):
        (self.folder / "state").mkdir()
        host = socket.gethostname().partition(".")[0]
        ports = _free_ports(1 + len(NODES))
        text = _CONF.format(folder=self.folder, port=ports[0])
        for name, port in zip(NODES, ports[1:], strict=True):
            text += _NODE.format(name=name, host=host, port=port)
        self.conf.write_text(text)
        self._call("slurmctld", "-f", self.conf)
        for name in NODES:
            self.start_node(name)
        self.wait_until_idle()

    def start_node(self, name):
        self._call("slurmd", "-N", name, "-f", self.conf)

    def wait_until_idle(self):
        deadline = time.monotonic() + 60
        while self._call("sinfo", "--noheader", "--Node", "--format=%T").split() != ["idle"] * len(NODES):
            assert time.monotonic() < deadline, self._call("sinfo", "--Node")
            time.sleep(0.5)

    def jobs(self):
        """The state of each job that has not ended."""
        lines = self._call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()
        return dict(line.split() for line in lines)

    def clear(self):
        """Cancel what a failed test left, and wait until the nodes are idle."""
        for job in self.jobs():
            self._call("scancel", job)
        self.wait_until_idle()

    def signal(self, job, number):
        self._call("scancel", f"--signal={signal.Signals(number).name[3:]}", job)

    def requeue_now(self):
        """Let jobs that were put back begin at once: Slurm lets two minutes pass."""
        for job in self.jobs():
            self._call("scontrol", "update", f"JobId={job}", "StartTime=now")

    def lose(self, name):
        """A node goes away, with all that runs on it."""
        daemon = int((self.folder / f"{name}.pid").read_text())
        _kill([daemon, *self._processes(name)])

    def stop(self):
        for name in NODES:
            self.lose(name)
        _kill([int((self.folder / "ctld.pid").read_text())])

    def _processes(self, name):
        """What runs on a node, and the daemons above it, which outlive the node's own."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = path.joinpath("environ").read_bytes().decode(errors="replace").split("\0")
                if {f"SLURM_CONF={self.conf}", f"SLURMD_NODENAME={name}"} <= set(words):
                    found.append(int(path.name))
        parents = {_parent(each) for each in found}
        return [*[each for each in parents if _name(each).startswith("slurmstepd")], *found]

    def _call(self, *words):
        done = subprocess.run(
            list(map(str, words)),
            capture_output=True,
            text=True,
            env={**os.environ, "SLURM_CONF": str(self.conf)},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _kill(processes):
    for each in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _parent(process):
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def _name(process):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_text()
    return ""


def _free_ports(many):
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(many)]
        for each in bound:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in bound]


@contextlib.contextmanager
def slurm_cluster(folder):
    """A cluster whose state lies in ``folder``; the test is skipped where Slurm is not installed."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and Debian's slurm-wlm and munge; missing: {', '.join(missing) or 'root'}")
    _begin_munge()
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _begin_munge():
    """Start the daemon that says who is who, unless it runs."""
    if subprocess.run(["munge", "-n"], capture_output=True).returncode == 0:
        return
    user = pwd.getpwnam("munge")
    Path("/run/munge").mkdir(exist_ok=True)
    os.chown("/run/munge", user.pw_uid, user.pw_gid)
    subprocess.run(["runuser", "-u", "munge", "--", "munged", "--force"], check=True)
