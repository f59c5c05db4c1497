"""Worker processes on this machine, each with one job at a time; one that dies is replaced."""

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, Protocol, TypeVar

PRELOAD = "trimtab.run.preload"

News = TypeVar("News")
Value = TypeVar("Value")
News_co = TypeVar("News_co", covariant=True)
Value_co = TypeVar("Value_co", covariant=True)


class Job(Protocol[News_co, Value_co]):
    """Something that a worker can do; it is pickled on its way there."""

    def run(self, report: "Callable[[News_co], None]") -> Value_co:
        """Do it, and report now and then how far it is."""


@dataclass(frozen=True)
class Ended(Generic[Value]):
    """How a job ended: its value; the traceback where it raised; its worker's exit code where that died."""

    value: Value | None = None
    traceback: str | None = None
    exit_code: int | None = None  # minus the signal's number where a signal killed it


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: Connection
    number: int | None = None
    used: bool = False


def run_jobs(
    jobs: Sequence[Job[News, Value]],
    processes: int,
    threads: int,
    on_news: Callable[[int, News], None],
    on_end: Callable[[int, Ended[Value]], Job[News, Value] | None],
    *,
    on_start: Callable[[int], None] = lambda number: None,
    patience: float | None = None,
    more: Callable[[], Sequence[Job[News, Value]]] = lambda: (),
) -> None:
    """Run ``jobs`` in worker processes of ``threads`` threads each.

    ``on_news(number, news)`` is called with what a job reports; ``on_end(number, ended)`` may return a job
    to be run in its place; ``on_start(number)`` is called before a job is handed to a worker, which may first
    have to be started. patience: seconds after which whatever still runs is ended, without ``on_end``. more:
    is asked, whenever all jobs have ended, for further ones, which are numbered on and keep the workers.
    Workers ignore Ctrl-C: an interrupt of this function ends them.
    """
    deadline = None if patience is None else time.monotonic() + patience
    waiting = deque(enumerate(jobs))
    told: set[int] = set()

    def end(number: int, ended: Ended[Value]) -> Job[News, Value] | None:
        told.discard(number)
        return on_end(number, ended)

    workers: list[_Worker] = []
    try:
        given = len(jobs)
        while True:
            if not waiting and all(worker.number is None for worker in workers):
                further = more()
                waiting.extend(enumerate(further, given))
                given += len(further)
                if not waiting:
                    return
            idle = [worker for worker in workers if worker.number is None]
            # All of them first, as it takes a while to start a worker.
            for number, _ in islice(waiting, len(idle) + max(0, processes - len(workers))):
                if number not in told:
                    told.add(number)
                    on_start(number)
            while waiting and (idle or len(workers) < processes):
                worker = idle.pop() if idle else _start(threads, workers)
                _give(worker, workers, waiting)
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return
            for worker in _with_messages(workers, left):
                _listen(worker, workers, waiting, on_news, end)
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def prepare_workers() -> None:
    """Begin to load what forked workers need, while this process does something else."""
    if sys.platform == "linux":
        _context()  # which says what to load
        with _interrupts_held_back():
            forkserver.ensure_running()


def _start(threads: int, workers: list[_Worker]) -> _Worker:
    context = _context()
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, threads, dict(os.environ)), daemon=True)
    worker = _Worker(process, ours)
    with _interrupts_held_back():
        process.start()
        theirs.close()
        workers.append(worker)
    return worker


def _context() -> Any:
    """How workers start: never as a copy of this process, whose torch may hold locks in unknown states."""
    if sys.platform != "linux":  # macOS's own libraries do not survive a fork
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOAD])
    return context


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C wait; a process started meanwhile never hears it, not even before it can say so."""
    resource_tracker.ensure_running()  # it is started with the first process, and would let Ctrl-C through
    heard: list[int] = []
    handler = None
    if threading.current_thread() is threading.main_thread():  # no other one is interrupted
        # The mask is what a new process inherits; another thread of ours may still hear the signal.
        handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
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
    worker.number = number


def _drop(worker: _Worker, workers: list[_Worker]) -> int | None:
    """Forget a worker that died; its exit code."""
    worker.process.join()
    worker.pipe.close()
    workers.remove(worker)
    return worker.process.exitcode


def _with_messages(workers: list[_Worker], seconds: float | None) -> list[_Worker]:
    """The busy workers that sent a message, or died: a dead one's pipe reads as ended.

    Waits for them; after ``seconds`` there are none.
    """
    busy = {worker.pipe: worker for worker in workers if worker.number is not None}
    return [busy[pipe] for pipe in wait(list(busy), seconds) if isinstance(pipe, Connection)]


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
        on_news(worker.number, message)
        return
    number, worker.number, worker.used = worker.number, None, True
    again = on_end(number, message)
    if again is not None:
        waiting.appendleft((number, again))


def _serve(pipe: Connection, threads: int, environment: Mapping[str, str]) -> None:
    """A worker's loop: take a job, do it, send how it ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(environment)  # the fork server's is as old as its first worker
    importlib.import_module(PRELOAD)  # where a fork server did, it costs nothing
    import torch  # here, so that the parent needs none

    from trimtab.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # numbers too small to matter would slow the processor down a hundredfold
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            job = pipe.recv()
            try:
                ended = Ended(job.run(lambda news: pipe.send(news)))
            except BrokenPipeError:
                raise
            except Exception:
                ended = Ended(traceback=traceback.format_exc())
            pipe.send(ended)


def _end_with_parent() -> None:
    """Leave at once when the parent is gone, however it went: nobody would read what comes out."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
