"""The training loop of a classification trial, and its evaluation."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.config import InputError
from trimtab.data.batches import evaluation_batches, training_batches
from trimtab.data.layout import IGNORED, Padding
from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier
from trimtab.model.padded import AnyModel, PaddedClassifier
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.chosen import BestWeights
from trimtab.training.epoch import AGAINST_DIVERGING, Epoch, StoppedError, TrialProgress
from trimtab.training.epoch_sums import EpochSums
from trimtab.training.memory import reset_peak
from trimtab.training.meter import DivergedError
from trimtab.training.pooling import pooled
from trimtab.training.ranks import Ranks
from trimtab.training.recipe import Recipe
from trimtab.training.shared_trainer import SharedTrainer
from trimtab.training.state import State
from trimtab.training.trainer import Trainer


@dataclass(frozen=True)
class Resumed:
    """What had been done before a training was resumed: its epochs, and the seconds that it had taken."""

    epochs: tuple[Epoch, ...]
    seconds: float


def train(
    size: Architecture,
    recipe: Recipe,
    seed: int,
    backend: Backend,
    *,
    vocabulary: int,
    classes: int,
    training: Pairs,
    validation: Pairs,
    initial_weights: Mapping[str, Tensor] | None = None,
    checkpoint: Checkpoint | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_resume: Callable[[Resumed], None] = lambda resumed: None,
    on_epoch: Callable[[Epoch], None] = lambda record: None,
    on_progress: Callable[[TrialProgress], None] = lambda progress: None,
    on_evaluation: Callable[[], None] = lambda: None,
    ranks: Ranks | None = None,
) -> AnyClassifier:
    """Train a classifier; ``seed`` fixes its initial weights, the order of rows and dropout.

    initial_weights: pretrained tensors to start from (``model.initial_weights``); what they do not hold, and
    without them everything, starts from random numbers. checkpoint: where to resume from, which on a CPU
    gives the same bits, and what to keep up to date; one that does not fit is removed, and the training
    starts over. stop: is asked after each step whether to stop at a checkpoint, with StoppedError. on_resume,
    on_epoch, on_progress: callbacks; on_evaluation: after each batch of an evaluation.
    ranks: this process and the others that train the model with it, which all call this function likewise;
    stop is then asked of each, and all stop when one does; the first alone writes the checkpoint.
    The model gets the weights of the epoch that the recipe's ``evaluate`` chooses, see ``chosen_epoch``.
    Raises DivergedError where the loss is no longer finite, and the allocator's error when memory runs out.
    """

    def begin() -> Trainer:
        shape: dict[str, Any] = {"vocabulary": vocabulary, "classes": classes, "training": training}
        make = partial(SharedTrainer, ranks) if ranks else Trainer
        return make(size, recipe, seed, backend, **shape, initial_weights=initial_weights)

    if ranks is not None:
        ranks.asked, stop = stop, lambda: ranks.is_stopping
    trainer, kept = _resumed(begin, checkpoint, ranks)
    sums, best = EpochSums(recipe, len(training), backend, on_progress), BestWeights(recipe.evaluate)
    began = time.perf_counter()
    if kept is not None:
        sums.go_on_from(kept["sums"])
        best.go_on_from(kept["best"])
        began -= kept["seconds"]
        on_resume(Resumed(tuple(best.records), kept["seconds"]))

    def keep() -> None:
        if checkpoint is not None and (ranks is None or ranks.leads):
            seconds = time.perf_counter() - began
            state = {"sums": sums.state(), "best": best.state(), "seconds": seconds}
            checkpoint.write(trainer, state)
            sums.go_on()  # writing is no training

    for epoch in range(len(best.records) + 1, recipe.epochs + 1):
        reset_peak(backend.device)
        sums.start(epoch)
        trainer.model.train()
        batches = training_batches(
            training, recipe.batch_size, seed, epoch, grouped=recipe.batches == "grouped"
        )
        for index in islice(batches, sums.taken, None):
            sums.add(*trainer.step(index), len(index))
            if checkpoint is not None and checkpoint.due:
                keep()
            if stop():
                keep()
                raise StoppedError(f"stopped in epoch {epoch} of {recipe.epochs}")
        trained: dict[str, Any] = sums.finish(len(training.tokens.values))
        if not trainer.objective.is_of_classes:
            trained["accuracy"] = None
        validated = _validated(trainer, validation, backend, on_evaluation, ranks)
        peak = ranks.largest([sums.peak_bytes])[0] if ranks else sums.peak_bytes
        record = Epoch(epoch=epoch, **trained, **validated, peak_bytes=peak)
        best.update(record, trainer.model)
        on_epoch(record)
        if checkpoint is not None and checkpoint.due_after_epoch:
            keep()
    return best.restore(trainer.finish())


def _resumed(
    begin: Callable[[], Trainer], checkpoint: Checkpoint | None, ranks: Ranks | None
) -> tuple[Trainer, State | None]:
    """A trainer, and the sums of the checkpoint that it was resumed from; of several, all resume or none."""
    trainer = begin()
    if checkpoint is None:
        return trainer, None
    kept, failed = None, False
    try:
        kept = checkpoint.read(trainer)
    except InputError:  # damaged, or of other micro-batches: nothing is lost but time
        failed = True
    if ranks is not None:
        some_failed, some_none, some_read = ranks.largest([failed, kept is None, kept is not None])
        failed = bool(some_failed or (some_none and some_read))
    if failed:
        checkpoint.remove()
        return begin(), None
    return trainer, kept


def _validated(
    trainer: Trainer,
    validation: Pairs,
    backend: Backend,
    on_batch: Callable[[], None],
    ranks: Ranks | None,
) -> dict[str, Any]:
    began = time.perf_counter()
    logits = predict(trainer.model, validation, backend, on_batch, ranks)
    loss, accuracy = trainer.objective.measure(logits, validation.labels)
    most = None
    if trainer.objective.is_of_classes:
        most = float(np.bincount(logits.argmax(1)).max() / len(logits))
    return {
        "validation_loss": loss,
        "validation_accuracy": accuracy,
        "validation_most_predicted": most,
        "validation_seconds": time.perf_counter() - began,
    }


def predict(
    model: AnyClassifier | AnyModel,
    pairs: Pairs,
    backend: Backend,
    on_batch: Callable[[], None] = lambda: None,
    ranks: Ranks | None = None,
) -> NDArray[np.float32]:
    """Logits (rows, classes) float32 of every row, in the rows' order, without dropout.

    on_batch: is called after each batch. ranks: processes that call this function likewise, and share the
    batches; each gets all logits. The model must have a head for classes. Raises DivergedError where a
    logit is not finite: nothing else would notice that the last step of a training diverged.
    """
    model.eval()
    logits = np.zeros((len(pairs), model.classes), np.float32)
    share = (ranks.rank, ranks.count) if ranks else (0, 1)
    with torch.inference_mode(), backend.autocast():
        tokens = backend.evaluation_tokens
        steady = backend.wants_steady_sizes and not isinstance(model, PaddedClassifier)
        padding = Padding(pairs, tokens) if steady and len(pairs) else None
        for index, batch in evaluation_batches(pairs, backend.device, tokens, padding, share):
            found = pooled(model.class_logits(batch).float(), batch)
            logits[index] = (found[batch.labels != IGNORED] if padding else found).cpu().numpy()
            on_batch()
    if ranks is not None:
        ranks.add(torch.from_numpy(logits))  # each row is one process's, and 0 in the others
    if not np.isfinite(logits).all():
        raise DivergedError(f"the logits are no longer finite; {AGAINST_DIVERGING}")
    return logits
