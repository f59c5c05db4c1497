"""A guard: a path must stay so many times as fast as its naive oracle, both run in one process in turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Race:
    """A path against its oracle: the least seconds of either over ``rounds`` rounds.

    times: how many times as fast as the oracle the path does the same work.
    """

    times: float
    seconds: float
    oracle_seconds: float
    rounds: int


def race(
    path: Work,
    oracle: Work,
    *,
    least: float,
    work: float = 1.0,
    rounds: int = 5,
    most: int = 25,
    clock: Callable[[], float] = time.perf_counter,
) -> Race:
    """Run ``oracle`` and ``path`` in turns, ``rounds`` times after one that does not count.

    ``work`` is how many times the oracle's work the path does, where the oracle is timed on fewer rows.
    Whatever else a machine does only adds to a time, so the least of several is nearest to the work itself;
    and where the ratio is under ``least``, up to ``most`` rounds are taken before it is believed.
    """
    oracle(), path()
    shortest, oracle_shortest, done = float("inf"), float("inf"), 0
    while done < rounds or (done < most and work * oracle_shortest < least * shortest):
        oracle_shortest = min(oracle_shortest, _seconds(oracle, clock))
        shortest = min(shortest, _seconds(path, clock))
        done += 1
    return Race(work * oracle_shortest / shortest, shortest, oracle_shortest, done)


def _seconds(work: Work, clock: Callable[[], float]) -> float:
    began = clock()
    work()
    return clock() - began
