"""The pretraining loop: batches in order, records, validation, checkpoints and resuming."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.data.batches import training_batches
from trimtab.data.next_sentences import Sentences
from trimtab.data.rows import Rows
from trimtab.model.heads import Bert
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.epoch import StoppedError
from trimtab.training.meter import check_finite
from trimtab.training.pretraining import Pretrainer, PretrainingTask
from trimtab.training.pretraining_sums import PretrainingProgress, PretrainingSums
from trimtab.training.recipe import Recipe

_MASKS = 2  # a stream of a seed and an epoch that nothing else draws from
_VALIDATION = (0, 0)  # the seed and epoch of its draws, so that every training is validated on the same pairs

Record = dict[str, Any]


@dataclass(frozen=True)
class ScheduledBatch:
    """A batch of the schedule: its step from 1, its epoch, and its pairs."""

    step: int
    epoch: int
    number: int
    rows: Rows
    index: NDArray[np.int32]
    ends_epoch: bool


class BatchSchedule:
    """The batches of a pretraining in order. The seed fixes them; pairs are drawn again in every epoch.

    steps: of the whole training, None for those of all the recipe's epochs.
    """

    def __init__(
        self, training: Sentences, recipe: Recipe, seed: int, steps: int | None, device: torch.device
    ) -> None:
        self.training, self.recipe, self.seed, self.device = training, recipe, seed, device
        self.steps = steps or sum(map(self._count, range(1, recipe.epochs + 1)))

    def _count(self, epoch: int) -> int:
        return -(-self.training.count(self.seed, epoch) // self.recipe.batch_size)

    def batches(self, taken: int) -> Iterator[ScheduledBatch]:
        """The batches after the first ``taken``."""
        step, epoch = 0, 0
        while step < self.steps:
            epoch += 1
            if step + (batches := self._count(epoch)) <= taken:
                step += batches
                continue
            pairs = self.training.pairs(self.seed, epoch)
            rows, grouped = Rows(pairs, self.device), self.recipe.batches == "grouped"
            order = training_batches(pairs, self.recipe.batch_size, self.seed, epoch, grouped=grouped)
            for number, index in enumerate(order):
                step += 1
                if taken < step <= self.steps:
                    ends = number + 1 == batches or step == self.steps
                    yield ScheduledBatch(step, epoch, number, rows, index, ends)

    def masks(self, batch: ScheduledBatch) -> np.random.Generator:
        """The generator of a batch's masks, which differ between batches and between epochs."""
        return np.random.default_rng([self.seed, batch.epoch, _MASKS, batch.number])


def pretrain(
    task: PretrainingTask,
    recipe: Recipe,
    seed: int,
    backend: Backend,
    *,
    training: Sentences,
    validation: Sentences | None = None,
    steps: int | None = None,
    checkpoint: Checkpoint | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_start: Callable[[int], None] = lambda taken: None,
    on_record: Callable[[Record], None] = lambda record: None,
    on_progress: Callable[[PretrainingProgress], None] = lambda progress: None,
) -> Bert:
    """Pretrain a BERT from scratch, or resume from ``checkpoint``, which on a CPU gives the same bits.

    steps: of the whole training, None for those of all the recipe's epochs. stop: is asked after each step
    whether to stop at a checkpoint, with StoppedError. on_start: called with the number
    of steps that were taken before. on_record: called with a record after each of some two hundred stretches
    of training (kind ``training``: mean losses over the stretch and over all steps so far, pairs/s) and at
    the end of each epoch (kind ``validation``). on_progress: progress callback.
    Raises DivergedError where a loss is no longer finite, and the allocator's error when memory runs out.
    """
    schedule = BatchSchedule(training, recipe, seed, steps, backend.device)
    trainer = Pretrainer(task, recipe, seed, schedule.steps, backend)
    kept = checkpoint.read(trainer) if checkpoint else None
    sums = PretrainingSums(schedule.steps, backend.device, kept)
    on_start(trainer.schedule.taken)
    validated = None if validation is None else Rows(validation.pairs(*_VALIDATION), backend.device)
    for batch in schedule.batches(trainer.schedule.taken):
        began, rate = time.perf_counter(), trainer.schedule.rate
        ends_stretch = batch.step % sums.stretch == 0 or batch.step == schedule.steps
        # The tutorial's mean costs a little, so it is computed once per stretch.
        losses = trainer.step(batch.rows, batch.index, schedule.masks(batch), padded=ends_stretch)
        if sums.add(losses, began):
            on_progress(sums.progress(batch.step, batch.epoch))
        if ends_stretch:
            on_record(_labelled("training", batch) | {"learning_rate": rate} | sums.record())
        if validated is not None and batch.ends_epoch:
            means = trainer.evaluate(validated, np.random.default_rng([*_VALIDATION, _MASKS])).means()
            check_finite(means.values())
            on_record(_labelled("validation", batch) | means)
        stops = stop()
        if checkpoint and (checkpoint.due or batch.step == schedule.steps or stops):
            checkpoint.write(trainer, sums.state())
        if stops:
            raise StoppedError(f"stopped after step {batch.step} of {schedule.steps}")
    return trainer.finish()


def _labelled(kind: str, batch: ScheduledBatch) -> Record:
    return {"kind": kind, "step": batch.step, "epoch": batch.epoch}
