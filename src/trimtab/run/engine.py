"""What an engine is: it runs jobs somewhere, and says how they ended; and what a run asks of the place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.plan.plan import Plan
from trimtab.run.devices import check_devices, together
from trimtab.run.ended import Ended
from trimtab.run.pool import Job


class Engine(Protocol):
    """Runs jobs, each in a process of its own or one after another; see ``pool.run_jobs``."""

    def __call__(
        self,
        jobs: Sequence[Job[Any, Any]],
        processes: int,
        threads: int,
        on_news: Callable[[int, Any], None],
        on_end: Callable[[int, Ended[Any]], Job[Any, Any] | None],
        *,
        on_start: Callable[[int], bool] = ...,
        more: Callable[[], Sequence[Job[Any, Any]] | None] = ...,
    ) -> None:
        """Run ``jobs``, ``processes`` at a time with ``threads`` threads each, and return when all ended.

        ``on_news(number, news)`` is called with what job ``number`` reports; ``on_end(number, ended)`` once
        it ended, and may return another job to be run in its place; ``on_start(number)`` before it is handed
        to a worker, and where that returns False it is left out. more: is asked, whenever all jobs have
        ended, for further ones, which are numbered on; an empty answer is the end, None: ask again in a
        second. Raises Interrupted where this process is asked to stop, once the running jobs have stopped.
        """


class Part(Job[None, "str | None"], Protocol):
    """A job that is a run of its own, which shares a ledger with others.

    Its value is a sentence where its input is wrong on that machine, else None: then nothing is left to do.
    name: for people; logs: a folder for what an engine writes on the way, that all machines share.
    """

    @property
    def name(self) -> str:
        """See above."""

    @property
    def logs(self) -> Path:
        """See above."""


class PartsEngine(Protocol):
    """Runs a part many times, each as a run of its own, in a queue that wants few long jobs."""

    def __call__(
        self, part: Part, many: int, threads: int, on_end: "Callable[[int, Ended[str | None]], Part | None]"
    ) -> None:
        """Run ``part`` that many times with ``threads`` cores each, and return when all have ended.

        ``on_end(number, ended)`` as in ``Engine``. Raises Interrupted where this process is asked to stop,
        once the parts have stopped.
        """


class Slots(Protocol):
    """How many jobs run at a time, of a study where one is given, and of its finished trials."""

    def __call__(
        self, runtime: RuntimeRecord, plan: Plan | None = None, ledger: Ledger | None = None, /
    ) -> int:
        """At least 1."""


@dataclass(frozen=True)
class Place:
    """Where the trials of a study run.

    begin: what a ledger is begun with there, of the processes asked for and the device asked for; InputError
    where that device is not there. slots: how many jobs run at a time where it was not asked for a number.
    devices: the GPUs of this machine that an engine shares out among its workers, none for the device cpu.
    prepare: begins to load what workers need, for a run on the device that was asked for, which reads its
    data meanwhile. check_devices: raises InputError where no job could have so many GPUs.
    parts: where a study is divided into runs of their own (``Part``), which share the ledger by claims; then
    ``engine`` is what each of them uses.
    """

    engine: Engine
    begin: Callable[[int | None, str], RuntimeRecord]
    slots: Slots
    devices: Callable[[str], Sequence[str]] = lambda device: ()
    parts: PartsEngine | None = None
    check_devices: Callable[[int], None] = check_devices
    prepare: Callable[[str], None] = lambda device: None

    def engine_on(self, device: str, each: int = 1) -> Engine:
        """The engine for jobs on ``device``, cpu or cuda: its workers share out this machine's GPUs.

        each: how many GPUs a worker has.
        """
        found = together(self.devices(device), each)
        return partial(cast(Any, self.engine), devices=found) if found else self.engine
