"""What lies in a ledger only while runs go on in it: their own files, and their claims. Free of torch."""

import re

from trimtab.ledger.record import Record


def trial_label(variant: str, seed: int) -> str:
    """A trial's name in a run, and in what is told of it."""
    return f"{variant}, seed {seed}"


class RunningRecord(Record):
    """A trial in progress, or another piece of work of a run; began: seconds since 1970.

    What follows is of its last report, None before the first: the epoch, the step of all epochs together, the
    epoch's mean loss and rate so far.
    """

    label: str
    began: float
    epoch: int | None = None
    epochs: int | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    examples_per_second: float | None = None


class ClaimRecord(Record):
    """claims/NAME.json: which run holds a trial, or something else of which there must be one at a time.

    run: the run's name; process: when its process began, as the system counts, None where it does not say;
    since: seconds since 1970.
    """

    run: str
    host: str
    pid: int
    process: int | None = None
    since: float


class RunRecord(Record):
    """runs/HOST-PID-STARTED.json: what a run is doing; written while it runs, and removed when it ends.

    wants: a digest of the trials that it wants, empty until these are known; said: its last warnings.
    started, updated, began: seconds since 1970, of the run, the record and the present stage. stage: what is
    done where nothing is counted; what: ``trials`` or other work that is counted, empty where nothing is.
    done: with those before this run; share: of this run's work, from 0 to 1; seconds_left: an estimate.
    """

    host: str
    pid: int
    started: float
    updated: float
    began: float
    stage: str = ""
    what: str = ""
    trials: int = 0
    done: int = 0
    failed: int = 0
    share: float = 0.0
    seconds_left: float | None = None
    running: tuple[RunningRecord, ...] = ()
    wants: str = ""
    said: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The run's name, which is that of its file."""
        host = re.sub(r"[^A-Za-z0-9.]", "-", self.host)
        return f"{host}-{self.pid}-{int(self.started)}"
