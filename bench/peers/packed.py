"""trimtab as a contestant: its packed trainer on randomly composed batches."""

import torch
from numpy.typing import NDArray

import trimtab
from bench.peers.race import Stepwise
from bench.peers.work import Work
from trimtab.model.architecture import Architecture
from trimtab.training.backend import Backend
from trimtab.training.trainer import Trainer

NAME = f"trimtab {trimtab.__version__}"
SEED = 0


def trainer(work: Work, size: Architecture, precision: str) -> Trainer:
    """trimtab's trainer for the work, before its first step, with the seed SEED."""
    return Trainer(
        size,
        work.recipe,
        SEED,
        Backend(torch.device("cpu"), precision),
        vocabulary=work.vocabulary,
        classes=len(work.classes),
        training=work.pairs,
        initial_weights=work.initial,
    )


class Packed(Stepwise):
    """The packed trainer. The time to gather a batch is counted."""

    def __init__(self, work: Work, precision: str, name: str = NAME, pace: int = 1) -> None:
        super().__init__(name, work.rows, precision, pace)
        self.trainer = trainer(work, work.size, precision)

    def step(self, batch: NDArray) -> None:
        """One step on the rows ``batch``."""
        loss, _ = self.trainer.step(batch)
        float(loss)
