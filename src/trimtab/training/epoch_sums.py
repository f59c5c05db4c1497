"""Sums of losses and right answers over an epoch of a trial, and its progress reports."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from trimtab.training.backend import Backend
from trimtab.training.epoch import TrialProgress
from trimtab.training.memory import peak_bytes
from trimtab.training.meter import Meter, check_finite
from trimtab.training.recipe import Recipe
from trimtab.training.state import State


class EpochSums:
    """Sums over an epoch, which may be resumed in its middle; ``start`` begins it.

    rows: of the training split. on_progress: is called now and then with how far the trial is.
    """

    def __init__(
        self, recipe: Recipe, rows: int, backend: Backend, on_progress: Callable[[TrialProgress], None]
    ) -> None:
        self.recipe, self.rows, self.device, self.on_progress = recipe, rows, backend.device, on_progress
        self.steps = recipe.steps(rows)
        self.meter = Meter[tuple[Tensor, Tensor, int]](backend.device, self._read)
        self._kept: State | None = None
        self.start(1)

    def start(self, epoch: int) -> None:
        """Begin an epoch, or go on in the one of the checkpoint."""
        kept = self._kept if self._kept and self._kept["epoch"] == epoch else {}
        self._kept, self.epoch = None, epoch
        self.loss, self.right, self.seen = kept.get("loss", 0.0), kept.get("right", 0), kept.get("seen", 0)
        self.taken, self._peak = kept.get("taken", 0), kept.get("peak_bytes", 0)
        self._spent = kept.get("seconds", 0.0)
        self.go_on()

    def state(self) -> State:
        """What a checkpoint keeps; ``go_on`` once it is written, which is no training."""
        self.meter.flush()
        self._spent = self.seconds
        names = ("epoch", "loss", "right", "seen", "taken", "peak_bytes")
        return {name: getattr(self, name) for name in names} | {"seconds": self._spent}

    def go_on_from(self, state: State) -> None:
        """Let ``start`` go on in the epoch of ``state``."""
        self._kept = state

    def go_on(self) -> None:
        """Count time from now on."""
        self._began = time.perf_counter()
        self.meter.start()

    @property
    def seconds(self) -> float:
        """Seconds of the epoch so far."""
        return self._spent + time.perf_counter() - self._began

    @property
    def peak_bytes(self) -> int:
        """Peak memory of the epoch so far."""
        return max(self._peak, peak_bytes(self.device))

    def add(self, loss: Tensor, right: Tensor, rows: int) -> None:
        """Count a step: the mean loss of its rows and the number of right answers, 0-dim."""
        self.taken += 1
        if self.meter.add((loss, right, rows)):
            done = self.taken + (self.epoch - 1) * (self.steps // self.recipe.epochs)
            rate, mean = self.seen / self.seconds, self.loss / self.seen
            self.on_progress(TrialProgress(self.epoch, self.recipe.epochs, done, self.steps, mean, rate))

    def _read(self, steps: list[tuple[Tensor, Tensor, int]]) -> None:
        losses, rights, rows = zip(*steps, strict=True)
        means = torch.stack(losses).tolist()
        check_finite(means)
        self.loss += sum(mean * number for mean, number in zip(means, rows, strict=True))
        self.right += int(torch.stack(rights).sum())
        self.seen += sum(rows)

    def finish(self, tokens: int) -> dict[str, float]:
        """The epoch's record, as far as training goes; tokens: of the training split."""
        self.meter.flush()
        seconds = self.seconds
        return {
            "loss": self.loss / self.rows,
            "accuracy": self.right / self.rows,
            "examples_per_second": self.rows / seconds,
            "tokens_per_second": tokens / seconds,
            "seconds": seconds,
        }
