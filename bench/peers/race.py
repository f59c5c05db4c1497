"""Contestants take turns, A B C A B C; their rates, and the ratios of one to another round by round."""

import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from bench.peers.work import Batches

WARM = 2  # steps at the start of each turn that are not counted: caches and shapes are new


class Step(NamedTuple):
    """One training step: its seconds, its rows and their real tokens."""

    seconds: float
    rows: int
    tokens: int


class Contestant(Protocol):
    """One way to train.

    name; precision: of the matrix products; batches: how they are composed, 'random' or 'grouped by length'.
    """

    name: str
    precision: str
    batches: str

    def run(self, steps: int, seed: int) -> list[Step]:
        """Train for WARM steps, then for ``steps`` or more, which are returned. ``seed`` draws the rows.

        Each call continues where the last one ended.
        """


class Stepwise(ABC):
    """A contestant that is handed its batches one by one. A subclass defines ``step``, and maybe ``prepare``.

    rows: where batches come from; pace: counted steps per step asked for, for steps so short that more of
    them are needed for a steady rate.
    """

    batches = "random"

    def __init__(self, name: str, rows: Batches, precision: str = "fp32", pace: int = 1) -> None:
        self.name, self.rows, self.precision, self.pace = name, rows, precision, pace

    def prepare(self, index: NDArray) -> Any:
        """What ``step`` takes for the rows ``index``; the time that this takes is not counted."""
        return index

    @abstractmethod
    def step(self, batch: Any) -> None:
        """Take one training step and wait for its loss."""

    def run(self, steps: int, seed: int) -> list[Step]:
        """See Contestant."""
        drawn = self.rows.draw(WARM + self.pace * steps, seed)
        return [self._timed(index) for index in drawn][WARM:]

    def _timed(self, index: NDArray) -> Step:
        batch = self.prepare(index)
        began = time.perf_counter()
        self.step(batch)
        return Step(time.perf_counter() - began, len(index), self.rows.tokens(index))


def race(contestants: Sequence[Contestant], rounds: int, steps: int) -> list[dict[str, Any]]:
    """One record per contestant: its rates by round and their medians. Prints the rate of every turn.

    All take turns in the given order. A round's rate is what its counted steps did over what they took.
    """
    turns: list[list[dict[str, float]]] = [[] for _ in contestants]
    for number in range(rounds):
        for contestant, found in zip(contestants, turns, strict=True):
            rates = _rates(contestant.run(steps, seed=number))
            found.append(rates)
            print(f"{label(contestant)}: {rates['examples_per_second']:,.0f} examples/s", flush=True)
    return [_record(*each) for each in zip(contestants, turns, strict=True)]


def label(contestant: Contestant) -> str:
    """A contestant in words."""
    return f"{contestant.name}, {contestant.batches}, {contestant.precision}"


def _rates(steps: list[Step]) -> dict[str, float]:
    seconds = sum(step.seconds for step in steps)
    return {
        "examples_per_second": sum(step.rows for step in steps) / seconds,
        "tokens_per_second": sum(step.tokens for step in steps) / seconds,
        "steps": len(steps),
        "seconds": seconds,
    }


def _record(contestant: Contestant, turns: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "name": contestant.name,
        "precision": contestant.precision,
        "batches": contestant.batches,
        "examples_per_second": spread([turn["examples_per_second"] for turn in turns]),
        "tokens_per_second": spread([turn["tokens_per_second"] for turn in turns]),
        "rounds": turns,
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """The median of ``values``, the lowest, the highest, and all of them by round."""
    return {
        "median": statistics.median(values),
        "lowest": min(values),
        "highest": max(values),
        "by_round": list(values),
    }


def fastest(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The record with the highest median rate of examples."""
    return max(records, key=lambda record: record["examples_per_second"]["median"])


def ratio(record: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    """How many times as many examples per second as ``peer``, round by round."""
    ours, theirs = (each["examples_per_second"]["by_round"] for each in (record, peer))
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])


def judged(record: dict[str, Any], peer: dict[str, Any], limit: float | None) -> dict[str, Any]:
    """The ratio of trimtab's ``record`` to a peer's, and whether its median reaches ``limit``, if any."""
    found = ratio(record, peer)
    return {
        "trimtab": record["precision"],
        "against": f"{peer['name']}, {peer['batches']}, {peer['precision']}",
        "ratio": found,
        "limit": limit,
        "met": None if limit is None else found["median"] >= limit,
    }
