"""Worker processes on this machine, each with one job at a time; one that dies is replaced."""

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol, TypeVar

from trimtab.run.devices import environment_of, least_loaded
from trimtab.run.ended import Ended
from trimtab.run.stopping import Requests, held_back
from trimtab.run.worker import PRELOAD, serve

_LATER = 1.0  # seconds until it is asked again for further jobs
# What is sent to all processes of a group, of which the run's own says to the others what to do.
_NOT_FOR_WORKERS = {signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2}
SILENCE = 600.0  # seconds without news after which a worker counts as hung,
_MANY_GAPS = 20  # or so many times the longest time between two news of its job

News = TypeVar("News")
Value = TypeVar("Value")
News_co = TypeVar("News_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)


class Job(Protocol[News_co, Value_co]):
    """Something that a worker can do; it is pickled on its way there."""

    def run(self, report: "Callable[[News_co], None]") -> Value_co:
        """Do it, and report now and then how far it is."""


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: Connection
    device: str | None = None  # the GPU that it has
    number: int | None = None
    used: bool = False
    heard: float = 0.0  # when it was last heard of
    longest: float = 0.0  # seconds between two news of its job

    def limit(self, silence: float) -> float:
        """Seconds without news after which it counts as hung."""
        return max(silence, _MANY_GAPS * self.longest)

    def hear(self) -> None:
        """Note that there was news."""
        now = time.monotonic()
        self.longest, self.heard = max(self.longest, now - self.heard), now


def run_jobs(
    jobs: Sequence[Job[News, Value]],
    processes: int,
    threads: int,
    on_news: Callable[[int, News], None],
    on_end: Callable[[int, Ended[Value]], Job[News, Value] | None],
    *,
    on_start: Callable[[int], bool] = lambda number: True,
    patience: float | None = None,
    silence: float = SILENCE,
    more: Callable[[], Sequence[Job[News, Value]] | None] = lambda: (),
    devices: Sequence[str] = (),
) -> None:
    """Run ``jobs`` in worker processes of ``threads`` threads each.

    ``on_news(number, news)`` is called with what a job reports; ``on_end(number, ended)`` may return a job
    to be run in its place; ``on_start(number)`` is called before a job is handed to a worker, which may first
    have to be started, and a job for which it returns False is left out. patience: seconds after which
    whatever still runs is ended, without ``on_end``. silence: seconds without news after which a worker
    counts as hung and is ended, more where its news come seldom.
    more: is asked, whenever all jobs have ended, for further ones, which are numbered on and keep the
    workers; an empty answer is the end, None: ask again in a second.
    devices: GPUs, as CUDA_VISIBLE_DEVICES names them; each worker sees one, which several may share.
    Raises Interrupted where this process is asked to stop: running jobs are asked to stop first, and those
    that say how they ended are told to ``on_end``.
    """
    deadline = None if patience is None else time.monotonic() + patience
    waiting = deque(enumerate(jobs))
    told: set[int] = set()

    def end(number: int, ended: Ended[Value]) -> Job[News, Value] | None:
        told.discard(number)
        return on_end(number, ended)

    def next_ones(count: int) -> None:
        """Tell of the first ``count`` jobs that wait, and leave out those that are not wanted."""
        place = 0
        while place < min(count, len(waiting)):
            number = waiting[place][0]
            if number in told or on_start(number):
                told.add(number)
                place += 1
            else:
                del waiting[place]

    workers: list[_Worker] = []
    try:
        with held_back() as requests:
            given = len(jobs)
            while requests.number is None:
                if not waiting and all(worker.number is None for worker in workers):
                    further = more()
                    if further is None:
                        wait(requests.readers, _LATER)
                        continue
                    if not further:
                        return
                    waiting.extend(enumerate(further, given))
                    given += len(further)
                idle = [worker for worker in workers if worker.number is None]
                # All of them first, as it takes a while to start a worker.
                next_ones(len(idle) + max(0, processes - len(workers)))
                while waiting and (idle or len(workers) < processes):
                    worker = idle.pop() if idle else _start(threads, workers, devices, processes)
                    _give(worker, workers, waiting)
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return
                for worker in _with_messages(workers, requests, left, silence):
                    _listen(worker, workers, waiting, on_news, end)
                _end_silent(workers, waiting, silence, end)
            _wind_down(workers, requests, on_news, end)
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def _wind_down(
    workers: list[_Worker],
    requests: Requests,
    on_news: Callable[[int, Any], None],
    on_end: Callable[[int, Ended], Job | None],
) -> None:
    """Ask the running jobs to stop, and wait until they have; the signal ends those that know no such way."""
    for worker in workers:
        worker.process.terminate()

    def end(number: int, ended: Ended) -> None:
        if ended.exit_code is None:
            on_end(number, ended)

    while any(worker.number is not None for worker in workers):
        for worker in _with_messages(workers, requests, 1.0, math.inf):
            _listen(worker, workers, deque(), on_news, end)


def prepare_workers() -> None:
    """Begin to load what forked workers need, while this process does something else."""
    if sys.platform == "linux":
        worker_context()  # which says what to load
        with interrupts_held_back():
            forkserver.ensure_running()


def _start(threads: int, workers: list[_Worker], devices: Sequence[str], processes: int) -> _Worker:
    context, environment, device = worker_context(), dict(os.environ), None
    if devices:
        # It imports torch by itself, after the variable that says which GPU it sees.
        context = multiprocessing.get_context("spawn")
        device = least_loaded(devices, [worker.device for worker in workers if worker.device is not None])
        environment |= environment_of(device, devices, processes)
    ours, theirs = context.Pipe()
    # Not a daemon, which may start no processes; it is ended here, and ends itself without a parent.
    process = context.Process(target=serve, args=(theirs, threads, environment))
    worker = _Worker(process, ours, device)
    with interrupts_held_back():
        process.start()
        theirs.close()
        workers.append(worker)
    return worker


def worker_context() -> Any:
    """How workers start: never as a copy of this process, whose torch may hold locks in unknown states."""
    if sys.platform != "linux":  # macOS's own libraries do not survive a fork
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    return context


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait; a process started meanwhile never hears it, not even before it can say so."""
    resource_tracker.ensure_running()  # it is started with the first process, and would let Ctrl-C through
    heard: list[int] = []
    handler = None
    if threading.current_thread() is threading.main_thread():  # no other one is interrupted
        # The mask is what a new process inherits; another thread of ours may still hear the signal.
        handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _NOT_FOR_WORKERS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        if heard:
            signal.raise_signal(signal.SIGINT)


def _give(worker: _Worker, workers: list[_Worker], waiting: deque[tuple[int, Job]]) -> None:
    """Hand the next job to a worker; one that died while it had nothing to do is dropped instead."""
    number, job = waiting[0]
    try:
        worker.pipe.send(job)
    except (BrokenPipeError, ConnectionResetError):
        if worker.used:
            _drop(worker, workers)
            return
        # A new one that dies before its first job would do so again: its end is the job's.
    waiting.popleft()
    worker.number, worker.heard, worker.longest = number, time.monotonic(), 0.0


def _drop(worker: _Worker, workers: list[_Worker]) -> int | None:
    """Forget a worker that died; its exit code."""
    worker.process.join()
    worker.pipe.close()
    workers.remove(worker)
    return worker.process.exitcode


def _with_messages(
    workers: list[_Worker], requests: Requests, seconds: float | None, silence: float
) -> list[_Worker]:
    """The busy workers that sent a message, or died: a dead one's pipe reads as ended.

    Waits for them, or until a request to stop comes, ``seconds`` are over, or one of them is silent too long.
    """
    busy = {worker.pipe: worker for worker in workers if worker.number is not None}
    if not busy:  # all that waited was left out
        return []
    now = time.monotonic()
    patience = [worker.heard + worker.limit(silence) - now for worker in busy.values()]
    left = min([*patience, math.inf if seconds is None else seconds])
    # A little more, so that the silent one is found silent.
    awake = wait([*busy, *requests.readers], None if left == math.inf else max(0.0, left + 0.01))
    return [busy[pipe] for pipe in awake if isinstance(pipe, Connection)]


def _end_silent(
    workers: list[_Worker],
    waiting: deque[tuple[int, Job]],
    silence: float,
    on_end: Callable[[int, Ended], Job | None],
) -> None:
    """End the workers that have been silent too long."""
    now = time.monotonic()
    for worker in list(workers):
        if worker.number is None or now - worker.heard < worker.limit(silence):
            continue
        worker.process.kill()
        _drop(worker, workers)
        again = on_end(worker.number, Ended(silent=now - worker.heard))
        if again is not None:
            waiting.appendleft((worker.number, again))


def _listen(
    worker: _Worker,
    workers: list[_Worker],
    waiting: deque[tuple[int, Job]],
    on_news: Callable[[int, Any], None],
    on_end: Callable[[int, Ended], Job | None],
) -> None:
    assert worker.number is not None
    try:
        message = worker.pipe.recv()
    except (EOFError, OSError):  # an OSError where it died in the middle of a message
        message = Ended(exit_code=_drop(worker, workers))
    if not isinstance(message, Ended):
        worker.hear()
        on_news(worker.number, message)
        return
    number, worker.number, worker.used = worker.number, None, True
    if message.lost_device:
        _drop(worker, workers)
    again = on_end(number, message)
    if again is not None:
        waiting.appendleft((number, again))
