"""The runs that go on in a ledger's folder: one small file each, written by the run, read by who watches."""

import contextlib
import os
import socket
import time
from pathlib import Path

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.files import read_record, write_record
from trimtab.ledger.run_records import ClaimRecord, RunRecord

RUNS = "runs"
STALE = 60.0  # seconds without an update after which a run is no longer shown
GONE = 180.0  # and after which, on another machine, it counts as gone for good


class RunFile:
    """The file of one run, ``runs/HOST-PID-STARTED.json``.

    What cannot be written is left out: a run goes on without anyone who watches it.
    """

    def __init__(self, folder: Path, run: RunRecord) -> None:
        self.path = folder / RUNS / f"{run.name}.json"

    def write(self, run: RunRecord) -> None:
        """Write the run's record, atomically; on a full disk, its time alone, which says that it goes on."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            try:
                write_record(self.path, run)
            except OSError:
                os.utime(self.path)

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
    return run.host != socket.gethostname() or process_is_there(run.pid)


def sweep_runs(folder: Path) -> None:
    """Remove the files of runs that ended without doing so themselves."""
    for path in ended_runs(folder):
        with contextlib.suppress(OSError):
            path.unlink()
    with contextlib.suppress(OSError):
        (folder / RUNS).rmdir()  # where none is left


def ended_runs(folder: Path) -> list[Path]:
    """The files of runs that ended without removing them."""
    found = []
    for path in sorted((folder / RUNS).glob("*.json")):
        with contextlib.suppress(OSError):
            if not path.name.startswith(TEMPORARY) and _has_ended(path):
                found.append(path)
    return found


def _has_ended(path: Path) -> bool:
    """Whether the run of that file is gone for good."""
    renewed = path.stat().st_mtime
    with contextlib.suppress(InputError):  # a damaged file, or one of another version, goes by its age
        run = read_record(path, RunRecord)
        if run is not None and run.host == socket.gethostname() and not process_is_there(run.pid):
            return True
        renewed = max(renewed, run.updated if run is not None else 0.0)
    return time.time() - renewed > GONE


def process_is_there(pid: int, began: int | None = None) -> bool:
    """Whether a process of this machine is there; began: what ``process_began`` said of it, where it did."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    fields = _process_fields(pid)
    if fields and fields[0] in "ZX":  # it has ended, and its parent has not yet asked how
        return False
    return began is None or process_began(pid) in (began, None)


def process_began(pid: int) -> int | None:
    """When a process of this machine began, in ticks since the system did; None where it does not say."""
    fields = _process_fields(pid)
    return int(fields[19]) if fields else None


def _process_fields(pid: int) -> list[str]:
    """What the system says of a process from its state on; empty where it does not, as outside Linux."""
    with contextlib.suppress(OSError):
        # What comes before is its number and, in parentheses, its name, which may hold anything.
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return []


def claim_of(run: RunRecord) -> ClaimRecord:
    """What a run of this process says of itself in its claims."""
    return ClaimRecord(
        run=run.name, host=run.host, pid=run.pid, process=process_began(run.pid), since=time.time()
    )
