"""``trimtab`` as a process of its own, with the signals that a test needs; it never outlives the test."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120  # seconds until a test gives up on another process


@contextlib.contextmanager
def started(*arguments, interruptible=True, **options):
    """A running ``trimtab``: its Popen, whose stdout and stderr are pipes of text.

    It leads a process group of its own, which is killed at the end if it still runs. A process inherits
    whether SIGINT is ignored, and a script ignores it in what it starts with ``&``; so this is set here.
    """
    with _sigint(signal.default_int_handler if interruptible else signal.SIG_IGN):
        process = subprocess.Popen(
            [sys.executable, "-m", "trimtab.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
    with process:  # closes the pipes and waits
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition, process):
    """Return once ``condition()`` holds, which it must while ``process`` runs, and before patience ends."""
    assert _until(condition, lambda: process.poll() is None), process.communicate()


def kill_at(moment, path, out):
    """Kill a run of a study, one trial after another, at ``moment(out)``: whether it was still running then.

    Its workers, which are not killed, must end too.
    """
    with started("run", path, "--out", out, "--device", "cpu", "--jobs", "1") as process:
        running = _until(lambda: moment(out), lambda: process.poll() is None)
        workers = children_of(process.pid)
        process.kill()
        process.wait()
        _until(lambda: all(map(_is_gone, workers)))
    return running


def interrupt(process):
    """Ctrl-C, as a terminal sends it: to every process of the group."""
    os.killpg(process.pid, signal.SIGINT)


@contextlib.contextmanager
def _sigint(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _until(condition, going_on=lambda: True):
    """Wait for ``condition()``; False where ``going_on()`` ceases to hold before it comes."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if not going_on():
            return False
        assert time.monotonic() < deadline, "nothing happens any more"
        time.sleep(0.001)
    return True


def children_of(pid):
    """The processes that a process started, and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def _is_gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
