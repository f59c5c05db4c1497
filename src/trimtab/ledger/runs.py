"""The runs that go on in a ledger's folder: one small file each, written by the run, read by who watches."""

import contextlib
import os
import re
import socket
import time
from pathlib import Path

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.files import read_record, write_record
from trimtab.ledger.records import RunRecord

RUNS = "runs"
STALE = 60.0  # seconds without an update after which a run counts as gone


class RunFile:
    """The file of one run, ``runs/HOST-PID-STARTED.json``.

    What cannot be written is left out: a run goes on without anyone who watches it.
    """

    def __init__(self, folder: Path, run: RunRecord) -> None:
        host = re.sub(r"[^A-Za-z0-9.]", "-", run.host)
        self.path = folder / RUNS / f"{host}-{run.pid}-{int(run.started)}.json"

    def write(self, run: RunRecord) -> None:
        """Write the run's record, atomically."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            write_record(self.path, run)

    def remove(self) -> None:
        """Remove it, and the folder where it was the last one."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()


def live_runs(folder: Path) -> list[RunRecord]:
    """The runs that go on in a ledger's folder, on this machine or another; the first begun first."""
    found = []
    for path in (folder / RUNS).glob("*.json"):
        # One that ends meanwhile is gone; one of another version is nothing that could be shown.
        with contextlib.suppress(InputError):
            run = None if path.name.startswith(TEMPORARY) else read_record(path, RunRecord)
            if run is not None and is_live(run):
                found.append(run)
    return sorted(found, key=lambda run: run.started)


def is_live(run: RunRecord) -> bool:
    """Whether a run still goes on: it was updated lately and, on this machine, its process is there."""
    if time.time() - run.updated > STALE:
        return False
    return run.host != socket.gethostname() or _is_there(run.pid)


def sweep_runs(folder: Path) -> None:
    """Remove the files of runs that ended without doing so themselves."""
    live = {RunFile(folder, run).path.name for run in live_runs(folder)}
    for path in (folder / RUNS).glob("*.json"):
        with contextlib.suppress(OSError):
            if path.name not in live and time.time() - path.stat().st_mtime > STALE:
                path.unlink()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
