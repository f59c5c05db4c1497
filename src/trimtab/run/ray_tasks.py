"""What runs on the nodes of a Ray cluster: a task for each job, and an actor for what is told meanwhile."""

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from trimtab.machine import GPU_SHARERS
from trimtab.run.carrying import Files, moved, packed, unpack_once
from trimtab.run.ended import Ended
from trimtab.run.outcome import JobOutcome
from trimtab.run.pool import Job, run_jobs
from trimtab.run.stopping import Interrupted, held_back
from trimtab.training.epoch import TrialProgress

_OFTEN = 1.0  # seconds between two reports of a job's progress, and between two looks whether to stop


class Board:
    """An actor: what jobs report, for the driver to fetch, and whether they are to stop."""

    def __init__(self) -> None:
        self._news: list[tuple[int, Any]] = []
        self._is_stopping = False

    def tell(self, number: int, news: Any) -> None:
        """Note what a job reports."""
        self._news.append((number, news))

    def fetch(self) -> list[tuple[int, Any]]:
        """What was reported since the last time."""
        news, self._news = self._news, []
        return news

    def stop(self) -> None:
        """Ask all jobs to stop."""
        self._is_stopping = True

    def is_stopping(self) -> bool:
        """Whether jobs are to stop."""
        return self._is_stopping


@dataclass(frozen=True)
class Carried:
    """What a job needs where its files are not within reach: its inputs by path, and what its folder holds.

    inputs: references to what ``carrying.packed`` made, which Ray moves to a node once; name: of the folder
    on each node that keeps them.
    """

    name: str
    inputs: Mapping[Path, Any]
    own: Files


@dataclass(frozen=True)
class Returned:
    """How a job ended, and the files of its folder where they are not within the driver's reach."""

    ended: Ended[Any]
    files: Files | None = None


def see(paths: list[Path]) -> bool:
    """Whether all these paths are there on the node that this task runs on."""
    return all(path.exists() for path in paths)


def do(
    number: int, job: Job[Any, Any], threads: int, board: Any, carried: Carried | None, share: float
) -> Returned:
    """Do a job in a process of its own, as on the driver's machine: what dies or hangs is told likewise.

    share: of a GPU that the job has.
    """
    os.environ[GPU_SHARERS] = str(max(1, round(1 / share)))
    if carried is None:
        return Returned(_run(number, job, threads, board))
    kept = Path(tempfile.gettempdir()) / carried.name
    places = {}
    for place, (path, files) in enumerate(carried.inputs.items()):
        places[path] = kept / f"{place}-{files.hex()}" / path.name
        if not places[path].exists():
            unpack_once(ray.get(files), places[path])
    with tempfile.TemporaryDirectory() as folder:
        # A trial's records say which trial they are of, by the name of its folder.
        own = Path(folder) / (job.folder.name if hasattr(job, "folder") else "job")
        own.mkdir()
        for name, content in carried.own.items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_bytes(content)
        if hasattr(job, "folder"):
            places[job.folder] = own
        ended = _run(number, moved(job, places), threads, board)
        return Returned(ended, packed(own))


def _run(number: int, job: Job[Any, Any], threads: int, board: Any) -> Ended[Any]:
    found: list[Ended[Any]] = []
    last = 0.0

    def on_news(_: int, news: Any) -> None:
        nonlocal last
        now = time.monotonic()
        # Epochs are few, and none may be missing.
        if now - last >= _OFTEN or not isinstance(news, TrialProgress):
            last = now
            board.tell.remote(number, news)

    # Asked to stop by a signal from itself, this process hears it also between two moments of the pool's.
    with (
        contextlib.suppress(Interrupted),
        held_back(),
        _stopping_with(lambda: ray.get(board.is_stopping.remote())),
    ):
        run_jobs([job], 1, threads, on_news, lambda _, ended: found.append(ended))
    ended = found[-1] if found else Ended()
    # A task that was stopped, but not by the driver, is as good as lost.
    if not found or (isinstance(ended.value, JobOutcome) and ended.value.stopped):
        return Ended(lost="its task of Ray was asked to stop")
    return ended


@contextlib.contextmanager
def _stopping_with(is_stopping: Callable[[], bool]) -> Iterator[None]:
    """Ask this process to stop once ``is_stopping()``, or where nobody answers any more."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_OFTEN):
            try:
                stop = is_stopping()
            except ray.exceptions.RayError:  # the driver is gone
                stop = True
            if stop:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
