"""The training loop of a classification trial, and its evaluation."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batches import evaluation_batches, training_batches
from trimtab.data.layout import IGNORED, Padding
from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier
from trimtab.model.padded import AnyModel, PaddedClassifier
from trimtab.training.backend import Backend
from trimtab.training.chosen import BestWeights
from trimtab.training.epoch import AGAINST_DIVERGING, Epoch, TrialProgress
from trimtab.training.memory import peak_bytes, reset_peak
from trimtab.training.meter import DivergedError, Meter, check_finite
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer


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
    on_epoch: Callable[[Epoch], None] = lambda record: None,
    on_progress: Callable[[TrialProgress], None] = lambda progress: None,
) -> AnyClassifier:
    """Train a classifier; ``seed`` fixes its initial weights, the order of rows and dropout.

    initial_weights: pretrained tensors to start from (``model.initial_weights``); what they do not hold, and
    without them everything, starts from random numbers. on_epoch, on_progress: callbacks.
    The model gets the weights of the epoch that the recipe's ``evaluate`` chooses, see ``chosen_epoch``.
    Raises DivergedError where the loss is no longer finite, and the allocator's error when memory runs out.
    """
    shape: dict[str, Any] = {"vocabulary": vocabulary, "classes": classes, "training": training}
    trainer = Trainer(size, recipe, seed, backend, **shape, initial_weights=initial_weights)
    sums = _EpochSums(recipe, len(training), backend, on_progress)
    grouped, best = recipe.batches == "grouped", BestWeights(recipe.evaluate)
    for epoch in range(1, recipe.epochs + 1):
        reset_peak(backend.device)
        sums.start(epoch)
        trainer.model.train()
        for index in training_batches(training, recipe.batch_size, seed, epoch, grouped=grouped):
            sums.add(*trainer.step(index), len(index))
        trained = sums.finish(len(training.tokens.values))
        validated = _validate(trainer.model, validation, backend)
        record = Epoch(epoch=epoch, **trained, **validated, peak_bytes=peak_bytes(backend.device))
        best.update(record, trainer.model)
        on_epoch(record)
    return best.restore(trainer.finish())


def _validate(model: AnyClassifier, validation: Pairs, backend: Backend) -> dict[str, Any]:
    began = time.perf_counter()
    logits = predict(model, validation, backend)
    scores = measure(logits, validation.labels)
    scores["most_predicted"] = float(np.bincount(logits.argmax(1)).max() / len(logits))
    return _prefixed("validation", scores | {"seconds": time.perf_counter() - began})


class _EpochSums:
    """Sums of losses and right answers over an epoch, and progress reports of the trial."""

    def __init__(
        self, recipe: Recipe, rows: int, backend: Backend, on_progress: Callable[[TrialProgress], None]
    ) -> None:
        self.recipe, self.rows, self.on_progress = recipe, rows, on_progress
        self.steps, self.step = recipe.steps(rows), 0
        self.meter = Meter[tuple[Tensor, Tensor, int]](backend.device, self._read)

    def start(self, epoch: int) -> None:
        self.epoch, self.loss, self.right, self.seen = epoch, 0.0, 0, 0
        self.began = time.perf_counter()
        self.meter.start()

    def add(self, loss: Tensor, right: Tensor, rows: int) -> None:
        self.step += 1
        if self.meter.add((loss, right, rows)):
            rate = self.seen / (time.perf_counter() - self.began)
            mean = self.loss / self.seen
            self.on_progress(TrialProgress(self.epoch, self.recipe.epochs, self.step, self.steps, mean, rate))

    def _read(self, steps: list[tuple[Tensor, Tensor, int]]) -> None:
        losses, rights, rows = zip(*steps, strict=True)
        means = torch.stack(losses).tolist()
        check_finite(means)
        self.loss += sum(mean * number for mean, number in zip(means, rows, strict=True))
        self.right += int(torch.stack(rights).sum())
        self.seen += sum(rows)

    def finish(self, tokens: int) -> dict[str, float]:
        self.meter.flush()
        seconds = time.perf_counter() - self.began
        return {
            "loss": self.loss / self.rows,
            "accuracy": self.right / self.rows,
            "examples_per_second": self.rows / seconds,
            "tokens_per_second": tokens / seconds,
            "seconds": seconds,
        }


def predict(model: AnyClassifier | AnyModel, pairs: Pairs, backend: Backend) -> NDArray[np.float32]:
    """Logits (rows, classes) float32 of every row, in the rows' order, without dropout.

    The model must have a head for classes. Raises DivergedError where a logit is not finite: nothing else
    would notice that the last step of a training diverged.
    """
    model.eval()
    logits = np.empty((len(pairs), model.classes), np.float32)
    with torch.inference_mode(), backend.autocast():
        tokens = backend.evaluation_tokens
        steady = backend.wants_steady_sizes and not isinstance(model, PaddedClassifier)
        padding = Padding(pairs, tokens) if steady and len(pairs) else None
        for index, batch in evaluation_batches(pairs, backend.device, tokens, padding):
            found = model.class_logits(batch)
            logits[index] = (found[batch.labels != IGNORED] if padding else found).float().cpu().numpy()
    if not np.isfinite(logits).all():
        raise DivergedError(f"the logits are no longer finite; {AGAINST_DIVERGING}")
    return logits


def measure(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, float]:
    """Mean cross-entropy (nats) and accuracy of logits (rows, classes) against labels (rows,)."""
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(1))
    right = shifted[np.arange(len(labels)), labels]
    return {
        "loss": float((log_sums - right).mean()),
        "accuracy": float((logits.argmax(1) == labels).mean()),
    }


def _prefixed(prefix: str, scores: Mapping[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in scores.items()}
