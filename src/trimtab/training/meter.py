"""Reads the results of training steps, seldom on a GPU, and says when progress is to be reported."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

import torch

from trimtab.training.epoch import AGAINST_DIVERGING

REPORT_SECONDS = 0.25

Result = TypeVar("Result")


class DivergedError(RuntimeError):
    """The loss, or a logit, is no longer a finite number."""


class Meter(Generic[Result]):
    """Collects what steps return, and hands it to ``read`` some steps at a time.

    Reading a GPU's numbers means waiting for it, so there they are left unread for a quarter of a second. On
    a CPU every step is read at once.
    """

    def __init__(self, device: torch.device, read: Callable[[list[Result]], None]) -> None:
        self.read_all = read
        self.patience = REPORT_SECONDS if device.type == "cuda" else 0.0
        self.start()

    def start(self) -> None:
        """Begin to wait from now on."""
        self.unread: list[Result] = []
        self.last_read = self.last_report = time.perf_counter()

    def add(self, result: Result) -> bool:
        """Add a step's result; whether all are read and a progress report is due."""
        self.unread.append(result)
        now = time.perf_counter()
        if now - self.last_read >= self.patience:
            self.flush()
        due = now - self.last_report >= REPORT_SECONDS and not self.unread
        self.last_report = now if due else self.last_report
        return due

    def flush(self) -> None:
        """Read what is left."""
        if self.unread:
            self.read_all(self.unread)
        self.unread, self.last_read = [], time.perf_counter()


def check_finite(losses: Iterable[float]) -> None:
    """DivergedError where a loss is not finite."""
    wrong = next((loss for loss in losses if not math.isfinite(loss)), None)
    if wrong is not None:
        raise DivergedError(f"the loss became {wrong}; {AGAINST_DIVERGING}")
