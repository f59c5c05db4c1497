"""trimtab itself: its packed trainer on randomly composed batches."""

import time

import numpy as np
import torch
from numpy.typing import NDArray

import trimtab
from peers_race import WARM, Step
from peers_work import LABELS, Work
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.trainer import Trainer

SEED = 0
PACE = 5  # counted steps for one that is asked for: they are short, and more of them are steadier


def trainer(work: Work, size: Architecture, precision: str) -> Trainer:
    """trimtab's trainer of the work, at its beginning, with the seed SEED."""
    return Trainer(
        size,
        work.recipe,
        SEED,
        Backend(torch.device("cpu"), precision),
        vocabulary=work.vocabulary,
        classes=len(LABELS),
        training=work.pairs,
    )


class Contestant:
    """The packed trainer; gathering a batch is counted."""

    name, batches = f"trimtab {trimtab.__version__}", "random"

    def __init__(self, work: Work, precision: str) -> None:
        self.work, self.precision = work, precision
        self.trainer = trainer(work, work.size, precision)

    def run(self, steps: int, seed: int) -> list[Step]:
        """PACE times as many steps as are to be counted, each with its time."""
        steps = WARM + PACE * (steps - WARM)
        return [self._step(index) for index in self.work.batches(steps, seed)]

    def _step(self, index: NDArray[np.int64]) -> Step:
        began = time.perf_counter()
        loss, _ = self.trainer.step(index)
        float(loss)
        return Step(time.perf_counter() - began, len(index), self.work.tokens(index))
