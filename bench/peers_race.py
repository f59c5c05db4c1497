"""Contestants in turns, A B C A B C, their rates, and the ratios of one to the others round by round."""

import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol


class Step(NamedTuple):
    """One training step: its seconds, its rows and their real tokens."""

    seconds: float
    rows: int
    tokens: int


class Contestant(Protocol):
    """Who trains: its name, the precision of its matrix products, how its batches are composed."""

    name: str
    precision: str
    batches: str

    def run(self, steps: int, seed: int) -> list[Step]:
        """At least ``steps`` training steps, going on from where it was; the seed draws their rows."""


WARM = 2  # steps at the start of each turn that are not counted: caches and shapes are new


def race(
    contestants: Sequence[Contestant],
    rounds: int,
    steps: int,
    on_turn: Callable[[Contestant, dict[str, float]], None] = lambda contestant, rates: None,
) -> list[dict[str, Any]]:
    """One record a contestant: rates by round and their medians. All take turns, in the given order.

    A round's rate is what its counted steps did over what they took. ``on_turn`` hears of every turn.
    """
    turns: list[list[dict[str, float]]] = [[] for _ in contestants]
    for number in range(rounds):
        for contestant, found in zip(contestants, turns, strict=True):
            found.append(_rates(contestant.run(WARM + steps, seed=number)[WARM:]))
            on_turn(contestant, found[-1])
    return [_record(*each) for each in zip(contestants, turns, strict=True)]


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


def quickest(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The record with the highest median rate of examples."""
    return max(records, key=lambda record: record["examples_per_second"]["median"])


def ratio(record: dict[str, Any], peer: dict[str, Any]) -> dict[str, Any]:
    """How many times as many examples a second as ``peer``, round by round."""
    ours, theirs = (each["examples_per_second"]["by_round"] for each in (record, peer))
    return spread([a / b for a, b in zip(ours, theirs, strict=True)])
