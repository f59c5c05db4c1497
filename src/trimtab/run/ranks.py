"""A trial that several processes train: its worker starts them, and ends them all when one is gone.

The worker itself computes nothing, so that it notices whatever becomes of them. Free of torch.
"""

import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from trimtab.run.devices import VARIABLE, named
from trimtab.run.jobs import TrialJob
from trimtab.run.pool import interrupts_held_back, worker_context
from trimtab.run.progress import TrialNews
from trimtab.run.stopping import asked_to_stop
from trimtab.run.worker import begin_process
from trimtab.training.epoch import StoppedError

_WORK = "trimtab.run.trial_work"
_LOOK = 0.2  # seconds between two looks whether to stop
_GRACE = 5.0  # seconds in which the process that knows why must say so, once another noticed that it is gone

Failure = tuple[str, bool]  # the reason, and whether memory ran out


@dataclass(frozen=True)
class RankEnded:
    """How one of the processes ended: ``failure`` is None where all is done.

    stopped: at a checkpoint, as it was asked to; traceback: where it raised an error; lost_peer: an error
    that says no more than that another process is gone; lost_device: as in ``pool.Ended``; error: of a file;
    exit_code: where it died.
    """

    failure: Failure | None = None
    stopped: bool = False
    traceback: str | None = None
    lost_peer: bool = False
    lost_device: bool = False
    error: OSError | None = None
    exit_code: int | None = None

    @property
    def is_well(self) -> bool:
        """Whether it did what it should."""
        return self == RankEnded()


class RankDiedError(RuntimeError):
    """One of the processes died, or lost its GPU; killed: by SIGKILL, as when memory runs out."""

    def __init__(self, sentence: str, killed: bool) -> None:
        super().__init__(sentence)
        self.killed = killed


class RankError(RuntimeError):
    """One of the processes raised an error; its traceback is the message."""


@dataclass
class _Rank:
    process: Any
    pipe: Connection
    ended: RankEnded | None = None


def attempt_together(job: TrialJob, report: Callable[[TrialNews], None], threads: int) -> Failure | None:
    """Train a trial in as many processes as its recipe says, of ``threads`` threads each.

    None where it is done, else the reason and whether memory ran out. Raises StoppedError where this process
    was asked to stop, and they did; RankDiedError where one died; RankError where one raised an error, and
    OSError where it was of a file. When it returns or raises, none of them runs any more.
    """
    with tempfile.TemporaryDirectory() as folder, asked_to_stop() as stop:
        ranks: list[_Rank] = []
        try:
            for number in range(job.devices):
                rank = _start(job, number, Path(folder) / "rendezvous", threads)
                ranks.append(rank)
            _watch(ranks, report, stop)
        finally:
            for rank in ranks:
                rank.process.kill()
            for rank in ranks:
                rank.process.join()
                rank.pipe.close()
    return _outcome(ranks, stop())


def environment_of_rank(number: int, visible: str | None) -> dict[str, str]:
    """The variables of a process on a GPU: it sees one of those that its worker has, ``visible``."""
    return {VARIABLE: named(visible, number + 1)[number]}


def _start(job: TrialJob, number: int, rendezvous: Path, threads: int) -> _Rank:
    context, environment = worker_context(), dict(os.environ)
    if job.device == "cuda":
        context = get_context("spawn")  # it imports torch after the variable that says which GPU it sees
        environment |= environment_of_rank(number, os.environ.get(VARIABLE))
    ours, theirs = context.Pipe()
    arguments = (theirs, job, number, rendezvous, threads, environment)
    process = context.Process(target=_serve, args=arguments, name=f"rank-{number}")
    with interrupts_held_back():
        process.start()
    theirs.close()
    return _Rank(process, ours)


def _watch(ranks: list[_Rank], report: Callable[[TrialNews], None], stop: Callable[[], bool]) -> None:
    """Pass on what they report until all have ended, or it is clear why one did not end well."""
    told, until = False, None
    while running := {rank.pipe: rank for rank in ranks if rank.ended is None}:
        if stop() and not told:
            ranks[0].process.terminate()  # which tells the others, after a step that all of them take
            told = True
        if until is not None and time.monotonic() > until:
            return
        for pipe in wait(list(running), _LOOK):
            rank = running[pipe]  # type: ignore[index]
            try:
                news = rank.pipe.recv()
            except (EOFError, OSError):
                rank.process.join()
                news = RankEnded(exit_code=rank.process.exitcode)
            if not isinstance(news, RankEnded):
                report(news)
                continue
            rank.ended = news
            if news.lost_peer:
                until = until or time.monotonic() + _GRACE
            elif not (news.is_well or news.stopped):
                return


def _outcome(ranks: list[_Rank], stopping: bool) -> Failure | None:
    """What their ends come to; the one that knows most decides."""
    ends = [(number, rank.ended) for number, rank in enumerate(ranks) if rank.ended is not None]
    if stopping and not any(ended.failure or ended.error or ended.traceback for _, ended in ends):
        raise StoppedError("stopped")
    for number, ended in ends:
        where = f"process {number + 1} of the {len(ranks)} that trained it"
        if ended.failure is not None:
            return ended.failure
        if ended.error is not None:
            raise ended.error
        if ended.exit_code is not None:
            killed = ended.exit_code == -signal.SIGKILL
            words = "was killed, as happens when memory runs out; lower batch_size or --jobs"
            died = words if killed else f"died with exit code {ended.exit_code}"
            raise RankDiedError(f"{where} {died}", killed)
        if ended.lost_device:
            last = (ended.traceback or "").splitlines()[-1]
            raise RankDiedError(f"{where} lost its GPU: {last}", False)
        if ended.traceback is not None and not ended.lost_peer:
            raise RankError(ended.traceback)
    lost = next((ended for _, ended in ends if ended.lost_peer), None)
    if lost is not None:
        last = (lost.traceback or "").splitlines()[-1]
        raise RankDiedError(f"the processes that trained it lost each other: {last}", False)
    if not all(ended.is_well for _, ended in ends) or len(ends) < len(ranks):
        raise RankDiedError("some of the processes that trained it did not end", False)
    return None


def _serve(
    pipe: Connection,
    job: TrialJob,
    number: int,
    rendezvous: Path,
    threads: int,
    environment: Mapping[str, str],
) -> None:
    """One of the processes: train, and say how it ended."""
    begin_process(threads, environment)
    import torch

    from trimtab.training.device_errors import spoils_device
    from trimtab.training.ranks import PeerLostError, Ranks

    def report(news: TrialNews) -> None:
        if number == 0:
            pipe.send(news)

    try:
        ranks = Ranks(number, job.recipe.devices, rendezvous, torch.device(job.device))
        ended = RankEnded(failure=import_module(_WORK).attempt(job, report, ranks))
        if ended.failure is None:
            ranks.close()
    except StoppedError:
        ended = RankEnded(stopped=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        ended = RankEnded(error=error)
    except Exception as error:
        lost = isinstance(error, PeerLostError)
        ended = RankEnded(
            traceback=traceback.format_exc(), lost_peer=lost, lost_device=not lost and spoils_device(error)
        )
    pipe.send(ended)
    os._exit(0)  # the others may be gone, and parting from them would wait
