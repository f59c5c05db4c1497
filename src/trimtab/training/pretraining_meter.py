"""What a pretraining came to so far: means over stretches of it and over the whole."""

import math
import time
from dataclasses import dataclass
from typing import Any

import torch

from trimtab.training.loop import DivergedError
from trimtab.training.pretraining import Losses

_RECORDS = 200  # stretches of the whole
_REPORT_SECONDS = 0.25
_SECONDS, _PAIRS = "seconds", "pairs"

Sums = dict[str, list[float]]  # by name, the sum of what was counted and how many times


@dataclass(frozen=True)
class Progress:
    """Where a running pretraining is: steps of the whole, the last step's losses, the rate of late."""

    step: int
    steps: int
    epoch: int
    masked_words: float
    next_sentence: float
    pairs_per_second: float


class Meter:
    """Means over stretches of training and over all of it; ``kept`` is what a checkpoint holds of them.

    A step counts as every other, however many words it masks, as in d2l's own figures. ``stretch``: steps.
    """

    def __init__(self, steps: int, device: torch.device, kept: dict[str, Sums] | None = None) -> None:
        self.steps, self.stretch = steps, max(1, steps // _RECORDS)
        self.here, self.whole = (kept["here"], kept["whole"]) if kept else ({}, {})
        self.unread: list[Losses] = []
        self.last: dict[str, float] = {}
        # Reading a GPU's numbers means waiting for it, so they are left there for a while.
        self.patience = _REPORT_SECONDS if device.type == "cuda" else 0.0
        self.was_read = self.reported = time.perf_counter()

    def add(self, losses: Losses, began: float) -> bool:
        """Count a step that began then, and say whether it is time for a word to who watches."""
        self.unread.append(losses)
        if time.perf_counter() - self.was_read >= self.patience:
            self._read()
        now = time.perf_counter()
        self._count({_SECONDS: now - began, _PAIRS: losses.counts.rows})
        due = now - self.reported >= _REPORT_SECONDS and not self.unread
        self.reported = now if due else self.reported
        return due

    def record(self) -> dict[str, Any]:
        """What came of the stretch that ends here, after which another begins.

        ``running_``: means over the whole so far, as pairs and seconds are sums of the whole.
        """
        self._read()
        names = [name for name in self.here if name not in (_SECONDS, _PAIRS)]
        means = {name: _mean(self.here[name]) for name in names}
        running = {f"running_{name}": _mean(self.whole[name]) for name in names}
        speed = {
            "pairs_per_second": self._rate(),
            **{name: self.whole[name][0] for name in (_PAIRS, _SECONDS)},
        }
        self.here = {}
        return means | running | speed

    def progress(self, step: int, epoch: int) -> Progress:
        """Where the training is."""
        losses = self.last["masked_words"], self.last["next_sentence"]
        return Progress(step, self.steps, epoch, *losses, self._rate())

    def state(self) -> dict[str, Sums]:
        """What a checkpoint keeps."""
        self._read()
        return {"here": self.here, "whole": self.whole}

    def _read(self) -> None:
        for losses in self.unread:
            self.last = checked(losses.means())
            self._count(self.last)
        self.unread, self.was_read = [], time.perf_counter()

    def _count(self, values: dict[str, float]) -> None:
        for sums in (self.here, self.whole):
            for name, value in values.items():
                total, number = sums.get(name, (0.0, 0))
                sums[name] = [total + value, number + 1]

    def _rate(self) -> float:
        return self.here[_PAIRS][0] / self.here[_SECONDS][0]


def checked(means: dict[str, float]) -> dict[str, float]:
    """``means`` as they are; DivergedError where one is not finite."""
    wrong = next((mean for mean in means.values() if not math.isfinite(mean)), None)
    if wrong is not None:
        raise DivergedError(f"the loss became {wrong}; lower learning_rate, or set clip")
    return means


def _mean(sums: list[float]) -> float:
    return sums[0] / sums[1]
