"""What a job comes to: why it failed, in a sentence, and whether it is worth another attempt."""

import signal
from dataclasses import dataclass

from trimtab.atomic import NO_ROOM
from trimtab.run.ended import Ended

# Each attempt costs its time, so what may pass is not tried for ever.
_RETRIES = 2
_RETRIES_AFTER_KILL = 4  # the first as it was, then each with half the rows at a time
_RETRIES_AFTER_GPU = 1  # in a new process, without captured steps


@dataclass(frozen=True)
class JobOutcome:
    """What a worker returns of a trial: why it failed, None where it was done.

    stopped: whether it was asked to stop, and did at a checkpoint. may_pass: whether another attempt may end
    well. killed: whether SIGKILL ended a process that trained it for the worker.
    """

    failure: str | None = None
    stopped: bool = False
    may_pass: bool = False
    killed: bool = False


def was_killed(ended: Ended[JobOutcome]) -> bool:
    """Whether SIGKILL ended the worker, or a process that trained for it: most likely memory ran out."""
    return ended.exit_code == -signal.SIGKILL or (ended.value is not None and ended.value.killed)


def failure_of(ended: Ended[JobOutcome], mend: str) -> str | None:
    """Why a job failed, in a sentence; None where it was done. mend: what to do where memory ran out."""
    if ended.traceback is not None and ended.lost_device:
        return f"an error of the GPU, which ended its process: {ended.traceback.splitlines()[-1]}"
    if ended.traceback is not None:
        return f"a bug in trimtab; the traceback is in failure.json: {ended.traceback.splitlines()[-1]}"
    if ended.lost is not None:
        return ended.lost
    if ended.silent is not None:
        return f"its process hung: no progress for {ended.silent:.0f} s"
    if ended.exit_code == -signal.SIGKILL:
        return f"its process was killed, as happens when memory runs out; {mend}"
    if ended.value is None:
        return f"its process died with exit code {ended.exit_code}"
    return ended.value.failure


def retries(ended: Ended[JobOutcome]) -> int:
    """How many more attempts a job is worth that failed so: none where the next would end like it.

    A process that is killed again most likely took too much memory, and gets smaller micro-batches. A hung or
    crashed one, and a file that cannot be read or written, may have had bad luck.
    """
    if ended.lost_device:
        return _RETRIES_AFTER_GPU
    if ended.traceback is not None or not ended.may_pass:
        return 0
    if ended.value is not None and not ended.value.may_pass:
        return 0
    return _RETRIES_AFTER_KILL if was_killed(ended) else _RETRIES


def sentence_of(error: OSError) -> str:
    """What went wrong with which file, and what to do."""
    place = f"{error.filename}: " if error.filename else ""
    if error.errno in NO_ROOM:
        return f"{place}{error.strerror}; free space there, then run the same command again"
    if error.filename and isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError):
        return f"{place}stands in the place of a file of the ledger; delete it and run the same command again"
    return f"{place}{error.strerror or error}; run the same command again"
