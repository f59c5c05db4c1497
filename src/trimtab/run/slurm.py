"""Slurm as an engine: jobs of one array through submitit, each a run on the ledger that all of them share.

Administrators dislike thousands of small jobs, and arrays are capped, so a job is no trial: it trains trials
until none is left. Some time before its time limit Slurm sends a signal; the run in the job then stops at a
checkpoint, and the job is put back into the queue.
"""

import importlib.util
import io
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.run.devices import visible_devices
from trimtab.run.ended import Ended
from trimtab.run.engine import Part, Place
from trimtab.run.pool import Job, run_jobs
from trimtab.run.runtime import begin, default_jobs
from trimtab.run.stopping import TIME_IS_UP, Interrupted, held_back, interruptible

MINUTES = 60  # of a job where no time was asked for; a job that needs longer goes on in its next turn
_SECONDS = 1.0  # between two looks at what has ended,
_QUEUE_SECONDS = 5.0  # and at the queue, of which administrators would rather not be asked often
_GRACE = 20.0  # seconds until the result of a job that has ended must be visible
_FAREWELL = 120.0  # seconds that cancelled jobs have to write their checkpoints
_SHORTEST = 5.0  # seconds; a job that is told earlier that its time is up would be put back for ever
_OURS = ("array", "output", "error", "open_mode", "ntasks", "nodes", "ntasks_per_node", "job_name", "wrap")
_ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"}
_ENDED |= {"PREEMPTED", "TIMEOUT", "REVOKED", ""}  # empty where the queue no longer knows a job


def slurm_place(address: str, options: Mapping[str, str]) -> Place:
    """Slurm; options: of sbatch, by name. InputError where submitit or Slurm is missing."""
    if importlib.util.find_spec("submitit") is None:
        mend = "pip install 'trimtab[slurm]'"
        raise InputError(f"--engine slurm: needs submitit, which is not installed; {mend}")
    if shutil.which("sbatch") is None or shutil.which("srun") is None:
        raise InputError(
            "--engine slurm: there is no sbatch here; run this where jobs of the cluster are submitted, or "
            "leave --engine out"
        )
    for name in options:
        if name in _OURS:
            mend = "; the number of jobs is --jobs" if name == "array" else ""
            raise InputError(f"--slurm-option {name}: trimtab sets it itself; leave it out{mend}")
    return Place(run_jobs, begin, default_jobs, devices=visible_devices, parts=SlurmEngine(dict(options)))


@dataclass(frozen=True)
class SlurmEngine:
    """Runs jobs as one array; ``options``: of sbatch.

    All its jobs share one work: once one of them has ended well, those that still wait in the queue are
    cancelled.
    """

    options: Mapping[str, str] = field(default_factory=dict)

    def __call__(
        self, part: Part, many: int, threads: int, on_end: Callable[[int, Ended[str | None]], Part | None]
    ) -> None:
        """See ``PartsEngine``; threads: cores of a job where the options name none. Nothing is told of the
        jobs on the way, which is in the ledger.
        """
        queue = _Queue(part.logs, part.name, {"cpus_per_task": str(threads), **self.options})
        try:
            with held_back() as requests:
                queue.submit([(number, part) for number in range(many)])
                while queue.jobs and requests.number is None:
                    for number, ended in queue.ended():
                        again = on_end(number, ended)
                        if again is not None:
                            queue.submit([(number, again)])
                    if queue.jobs and requests.number is None:
                        wait(requests.readers, _SECONDS)
                if queue.jobs:
                    queue.cancel()
        except BaseException:
            if queue.jobs:
                queue.cancel()
            raise


@dataclass
class _Queued:
    """A job in the queue: submitit's, the number of what it does, and since when the queue calls it ended."""

    job: Any
    number: int
    ended: float | None = None


class _Queue:
    """The jobs that were submitted and have not ended yet."""

    def __init__(self, folder: Path, name: str, options: Mapping[str, str]) -> None:
        import submitit

        self.folder, self.jobs = folder, list[_Queued]()
        self._asked = 0.0
        self._states: dict[str, str] | None = (
            None  # of the jobs that the queue knows; None until it was asked
        )
        self._is_done = False
        folder.mkdir(parents=True, exist_ok=True)
        self._executor = submitit.SlurmExecutor(folder)
        flags = {key: True if value == "" else value for key, value in options.items()}
        self._executor.update_parameters(
            job_name=re.sub(r"[^A-Za-z0-9._-]", "-", name),
            # Since Slurm 22.05, srun does not take this from sbatch.
            srun_args=[f"--cpus-per-task={options['cpus_per_task']}"],
            additional_parameters={"time": MINUTES, "requeue": True, **flags},
        )

    def submit(self, numbered: Sequence[tuple[int, Job[Any, Any]]]) -> None:
        """Put jobs into the queue, as one array; InputError where Slurm refuses them."""
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        if not numbered:
            return
        try:
            # What sbatch says is in the error, which says it once.
            with redirect_stderr(io.StringIO()), self._executor.batch():
                submitted = [self._executor.submit(OnNode(job)) for _, job in numbered]
        except (FailedJobError, FailedSubmissionError, subprocess.CalledProcessError, OSError) as error:
            raise InputError(f"--engine slurm: sbatch refused the jobs: {_last_line(error)}") from error
        self.jobs += [_Queued(job, number) for (number, _), job in zip(numbered, submitted, strict=True)]
        self._asked = time.monotonic()

    def ended(self) -> list[tuple[int, Ended[Any]]]:
        """The jobs that have ended since it was last asked, and how."""
        with suppress(OSError):
            os.listdir(self.folder)  # a network file system may look again at this alone
        self._ask()
        found = []
        for each in list(self.jobs):
            ended = self._end_of(each)
            if ended is not None:
                self.jobs.remove(each)
                found.append((each.number, ended))
                self._is_done |= ended.value is None and ended.traceback is None and ended.lost is None
        return found

    def cancel(self) -> None:
        """Ask the jobs to stop, and wait until they have, as long as they have time to."""
        _said("scancel", *[each.job.job_id for each in self.jobs])
        deadline = time.monotonic() + _FAREWELL
        while self.jobs and time.monotonic() < deadline:
            time.sleep(_SECONDS)
            self._asked = 0.0
            self._ask()
            self.jobs = [each for each in self.jobs if self._state(each) not in _ENDED]
        self.jobs.clear()

    def _ask(self) -> None:
        """Ask for the states of all jobs, now and then."""
        now = time.monotonic()
        if now - self._asked < _QUEUE_SECONDS or not self.jobs:
            return
        self._asked = now
        numbers = sorted({each.job.job_id.partition("_")[0] for each in self.jobs})
        which = f"--jobs={','.join(numbers)}"
        said = _said("squeue", "--noheader", "--array", "--states=all", "--format=%i %T", which)
        if self._is_done:  # nothing is left for those that have not begun
            _said("scancel", "--state=PENDING", *[each.job.job_id for each in self.jobs])
        if said is not None:
            self._states = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)

    def _state(self, each: _Queued) -> str:
        """The state of a job, empty where the queue no longer knows it."""
        return (self._states or {}).get(each.job.job_id, "")

    def _end_of(self, each: _Queued) -> Ended[Any] | None:
        """How a job ended; None while it has not."""
        if each.job.paths.result_pickle.exists():
            kind, value = _loaded(each.job)
            return value if kind == "success" else Ended(traceback=value)
        state = "PENDING" if self._states is None else self._state(each)
        if state not in _ENDED:
            each.ended = None
            return None
        now = time.monotonic()
        each.ended = each.ended or now
        if now - each.ended < _GRACE and state != "CANCELLED":
            return None
        if state == "CANCELLED" and self._is_done:
            return Ended()
        words = f"Slurm's job {each.job.job_id} ended as {state or 'unknown'}"
        return Ended(lost=f"{words}; its log is in {self.folder}", may_pass=state != "CANCELLED")


@dataclass(frozen=True)
class OnNode:
    """What submitit calls on a node: does a job; returns how it ended."""

    job: Job[Any, Any]

    def __call__(self) -> Ended[Any]:
        """Do it; where the time is nearly up, it goes back to the queue once its checkpoint is written."""
        began = time.monotonic()
        try:
            with interruptible():
                return Ended(self.job.run(lambda news: None))
        except Interrupted as request:
            if request.number != TIME_IS_UP:  # cancelled, or moved: the queue knows what becomes of it
                sys.exit(128 + request.number)
        except Exception:
            return Ended(traceback=traceback.format_exc())
        if time.monotonic() - began < _SHORTEST:
            words = "Slurm said that its time is up when it had just begun"
            return Ended(lost=f"{words}; ask for more with --slurm-option time=MINUTES", may_pass=False)
        number = os.environ.get("SLURM_JOB_ID", "")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which Slurm sends as it puts the job back
        if _said("scontrol", "requeue", number) is None:
            return Ended(lost=f"Slurm's job {number} reached its time limit and could not be put back")
        sys.exit(128 + TIME_IS_UP)


def _loaded(job: Any) -> tuple[str, Any]:
    """What a job left: "success" and how it ended, or "error" and a traceback."""
    return pickle.loads(job.paths.result_pickle.read_bytes())


def _said(*command: str) -> str | None:
    """What a command of Slurm prints: empty where it knows no such job, None where it fails otherwise."""
    try:
        # Apart from this process's group, which Slurm signals.
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, start_new_session=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode and "Invalid job id" in done.stderr:
        return ""
    # One that was killed had said what is to be done: it is how a job ends that is put back.
    return None if done.returncode > 0 else done.stdout


def _last_line(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    said = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    lines = [line for line in said.splitlines() if line.strip()]
    return lines[-1].removeprefix("sbatch: ").removeprefix("error: ") if lines else "it does not say why"
