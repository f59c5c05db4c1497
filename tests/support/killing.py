"""Runs of the command line as processes of their own, killed at a chosen moment."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 120  # seconds until a test gives up on another process


def start(path, out):
    """``trimtab run`` as a process of its own, one trial after another."""
    command = [sys.executable, "-m", "trimtab.cli", "run", str(path), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--device", "cpu", "--jobs", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_at(moment, path, out):
    """Start a run and kill it at ``moment(out)``: whether it was still running; its workers must go too."""
    process = start(path, out)
    try:
        running = _until(lambda: moment(out), process)
        workers = _children(process.pid)
    finally:
        process.kill()
        process.wait()
    assert _until(lambda: all(map(_is_gone, workers)))
    return running


def _until(condition, process=None):
    """Wait for a condition; False where the process ended before it came."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if process is not None and process.poll() is not None:
            return False
        assert time.monotonic() < deadline, "nothing happens any more"
        time.sleep(0.001)
    return True


def _children(pid):
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
