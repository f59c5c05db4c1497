"""Means of a pretraining's losses, over stretches of steps and over the whole."""

import time
from dataclasses import dataclass
from typing import Any

import torch

from trimtab.training.meter import Meter, check_finite
from trimtab.training.pretraining import Losses

_RECORDS = 200  # stretches of the whole
_SECONDS, _PAIRS = "seconds", "pairs"

Sums = dict[str, list[float]]  # by name, the sum of what was counted and how many times


@dataclass(frozen=True)
class PretrainingProgress:
    """Progress of a running pretraining: steps, the last step's losses, the current rate."""

    step: int
    steps: int
    epoch: int
    masked_words: float
    next_sentence: float
    pairs_per_second: float


class PretrainingSums:
    """Means over stretches of training and over all of it; ``kept`` is what a checkpoint holds of them.

    Every step weighs the same, however many words it masks, as in d2l's own figures. stretch: its steps.
    """

    def __init__(self, steps: int, device: torch.device, kept: dict[str, Sums] | None = None) -> None:
        self.steps, self.stretch = steps, max(1, steps // _RECORDS)
        self.here, self.whole = (kept["here"], kept["whole"]) if kept else ({}, {})
        self.last: dict[str, float] = {}
        self.meter = Meter[Losses](device, self._read)

    def add(self, losses: Losses, began: float) -> bool:
        """Count a step that began at ``began``; whether a progress report is due."""
        due = self.meter.add(losses)
        self._count({_SECONDS: time.perf_counter() - began, _PAIRS: losses.counts.rows})
        return due

    def record(self) -> dict[str, Any]:
        """The record of the stretch that ends here; the next one begins.

        ``running_``: means over the whole training so far, over which pairs and seconds are summed too.
        """
        self.meter.flush()
        names = [name for name in self.here if name not in (_SECONDS, _PAIRS)]
        means = {name: _mean(self.here[name]) for name in names}
        running = {f"running_{name}": _mean(self.whole[name]) for name in names}
        speed = {
            "pairs_per_second": self._rate(),
            **{name: self.whole[name][0] for name in (_PAIRS, _SECONDS)},
        }
        self.here = {}
        return means | running | speed

    def progress(self, step: int, epoch: int) -> PretrainingProgress:
        """The progress report of this step."""
        losses = self.last["masked_words"], self.last["next_sentence"]
        return PretrainingProgress(step, self.steps, epoch, *losses, self._rate())

    def state(self) -> dict[str, Sums]:
        """What a checkpoint keeps."""
        self.meter.flush()
        return {"here": self.here, "whole": self.whole}

    def _read(self, steps: list[Losses]) -> None:
        for losses in steps:
            self.last = losses.means()
            check_finite(self.last.values())
            self._count(self.last)

    def _count(self, values: dict[str, float]) -> None:
        for sums in (self.here, self.whole):
            for name, value in values.items():
                total, number = sums.get(name, (0.0, 0))
                sums[name] = [total + value, number + 1]

    def _rate(self) -> float:
        return self.here[_PAIRS][0] / self.here[_SECONDS][0]


def _mean(sums: list[float]) -> float:
    return sums[0] / sums[1]
