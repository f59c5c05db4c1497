"""Where trials run: one function with several implementations, chosen here by name."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar, cast

from trimtab.run.devices import visible_devices
from trimtab.run.pool import Ended, Job, run_jobs

News = TypeVar("News")
Value = TypeVar("Value")


class Engine(Protocol):
    """Runs jobs, each in a process of its own or one after another; see ``pool.run_jobs``."""

    def __call__(
        self,
        jobs: Sequence[Job[News, Value]],
        processes: int,
        threads: int,
        on_news: Callable[[int, News], None],
        on_end: Callable[[int, Ended[Value]], Job[News, Value] | None],
        *,
        on_start: Callable[[int], bool] = ...,
        patience: float | None = None,
        more: Callable[[], Sequence[Job[News, Value]] | None] = ...,
        devices: Sequence[str] = ...,
    ) -> None:
        """Run ``jobs``, ``processes`` at a time with ``threads`` threads each, and return when all ended.

        ``on_news(number, news)`` is called with what job ``number`` reports; ``on_end(number, ended)`` once
        it ended, and may return another job to be run in its place; ``on_start(number)`` before it is handed
        to a worker, and where that returns False it is left out. patience: seconds after which whatever still
        runs is ended, without ``on_end``. more: is asked, whenever all jobs have ended, for further ones,
        which are numbered on; an empty answer is the end, None: ask again in a second. devices: GPUs, of
        which each worker is to see one; not given where trials train on a CPU. Raises Interrupted where
        this process is asked to stop, once the running jobs have stopped.
        """


# A new engine is written beside pool.py and named here.
ENGINES: dict[str, Engine] = {"local": run_jobs}
DEFAULT_ENGINE = "local"


def engine_on(engine: Engine, device: str) -> Engine:
    """The engine for jobs on ``device``, cpu or cuda: on GPUs its workers share out those of this machine."""
    devices = visible_devices(device)
    return cast(Engine, partial(engine, devices=devices)) if devices else engine
