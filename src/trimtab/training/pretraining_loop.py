"""The loop of a pretraining: batches in order, records, validation, checkpoints, and going on after one."""

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
from trimtab.training.pretraining import Pretrainer, Task
from trimtab.training.pretraining_meter import Meter, Progress, checked
from trimtab.training.recipe import Recipe

_MASKS = 2  # beside what else is drawn of a seed and an epoch
_VALIDATION = (0, 0)  # the seed and epoch of its draws, so that all trainings are judged on the same

Record = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A batch to come: its number from 1, its epoch, and its pairs."""

    step: int
    epoch: int
    batch: int
    rows: Rows
    index: NDArray[np.int32]
    ends_epoch: bool


class Course:
    """The batches of a pretraining in their order, which the seed fixes: the pairs are new in every epoch.

    steps: of the whole, None for those of all the recipe's epochs.
    """

    def __init__(
        self, training: Sentences, recipe: Recipe, seed: int, steps: int | None, device: torch.device
    ) -> None:
        self.training, self.recipe, self.seed, self.device = training, recipe, seed, device
        self.steps = steps or sum(map(self._batches, range(1, recipe.epochs + 1)))

    def _batches(self, epoch: int) -> int:
        return -(-self.training.count(self.seed, epoch) // self.recipe.batch_size)

    def places(self, taken: int) -> Iterator[Place]:
        """The batches after the first ``taken``."""
        step, epoch = 0, 0
        while step < self.steps:
            epoch += 1
            if step + (batches := self._batches(epoch)) <= taken:
                step += batches
                continue
            pairs = self.training.pairs(self.seed, epoch)
            rows, grouped = Rows(pairs, self.device), self.recipe.batches == "grouped"
            order = training_batches(pairs, self.recipe.batch_size, self.seed, epoch, grouped=grouped)
            for batch, index in enumerate(order):
                step += 1
                if taken < step <= self.steps:
                    ends = batch + 1 == batches or step == self.steps
                    yield Place(step, epoch, batch, rows, index, ends)

    def masks(self, place: Place) -> np.random.Generator:
        """What draws the masks of a batch: no other batch's or epoch's are the same."""
        return np.random.default_rng([self.seed, place.epoch, _MASKS, place.batch])


def pretrain(
    task: Task,
    recipe: Recipe,
    seed: int,
    backend: Backend,
    *,
    training: Sentences,
    validation: Sentences | None = None,
    steps: int | None = None,
    checkpoint: Checkpoint | None = None,
    on_start: Callable[[int], None] = lambda taken: None,
    on_record: Callable[[Record], None] = lambda record: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Bert:
    """Pretrain a BERT from scratch, or on from where ``checkpoint`` stands, which changes nothing on a CPU.

    steps: of the whole, None for those of all the recipe's epochs. on_start hears how many were taken before.
    on_record hears of some two hundred stretches of training (kind ``training``: mean losses over the
    stretch, their means over all steps so far, pairs a second) and of each epoch's end (``validation``).
    Raises DivergedError where a loss is no longer finite, and the allocator's error when memory runs out.
    """
    course = Course(training, recipe, seed, steps, backend.device)
    trainer = Pretrainer(task, recipe, seed, course.steps, backend)
    kept = checkpoint.read(trainer) if checkpoint else None
    meter = Meter(course.steps, backend.device, kept)
    on_start(trainer.schedule.taken)
    judged = None if validation is None else Rows(validation.pairs(*_VALIDATION), backend.device)
    for place in course.places(trainer.schedule.taken):
        began, rate = time.perf_counter(), trainer.schedule.rate
        ends_stretch = place.step % meter.stretch == 0 or place.step == course.steps
        # The tutorial's mean costs a little, so it is taken once a stretch.
        losses = trainer.step(place.rows, place.index, course.masks(place), padded=ends_stretch)
        if meter.add(losses, began):
            on_progress(meter.progress(place.step, place.epoch))
        if ends_stretch:
            on_record(_labelled("training", place) | {"learning_rate": rate} | meter.record())
        if judged is not None and place.ends_epoch:
            means = trainer.evaluate(judged, np.random.default_rng([*_VALIDATION, _MASKS])).means()
            on_record(_labelled("validation", place) | checked(means))
        if checkpoint and (checkpoint.due or place.step == course.steps):
            checkpoint.write(trainer, meter.state())
    return trainer.finish()


def _labelled(kind: str, place: Place) -> Record:
    return {"kind": kind, "step": place.step, "epoch": place.epoch}
