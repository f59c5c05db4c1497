"""The training loop of a classification trial, and its evaluation."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trimtab.data.batches import evaluation_batches, training_batches
from trimtab.data.layout import IGNORED, Padding
from trimtab.data.pairs import Pairs
from trimtab.model.encoder import Classifier
from trimtab.model.heads import Bert
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.chosen import Chosen
from trimtab.training.epoch import Epoch
from trimtab.training.memory import peak_bytes, reset_peak
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

_REPORT_SECONDS = 0.25


class DivergedError(RuntimeError):
    """The loss, or a logit, is no longer a finite number."""


@dataclass(frozen=True)
class Progress:
    """Where a running trial is: steps of the whole training, loss and rate of late."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples_per_second: float


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
    start: Mapping[str, Tensor] | None = None,
    on_epoch: Callable[[Epoch], None] = lambda record: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Classifier:
    """Train a classifier; ``seed`` fixes its initial weights, the order of rows and dropout.

    start: pretrained tensors (``model.start.taken``) for as much of it as they hold, None to train it whole.
    The model has the weights of the epoch that the recipe's ``evaluate`` chooses, see ``chosen_epoch``.
    Raises DivergedError where the loss is no longer finite, and the allocator's error when memory runs out.
    """
    shape: dict[str, Any] = {"vocabulary": vocabulary, "classes": classes, "start": start}
    trainer = Trainer(size, recipe, seed, backend, **shape, training=training)
    meter = _Meter(recipe, len(training), backend, on_progress)
    grouped, chosen = recipe.batches == "grouped", Chosen(recipe.evaluate)
    for epoch in range(1, recipe.epochs + 1):
        reset_peak(backend.device)
        meter.start(epoch)
        trainer.model.train()
        for index in training_batches(training, recipe.batch_size, seed, epoch, grouped=grouped):
            meter.add(*trainer.step(index), len(index))
        trained = meter.finish(len(training.tokens.values))
        validated = _validate(trainer.model, validation, backend)
        record = Epoch(epoch=epoch, **trained, **validated, peak_bytes=peak_bytes(backend.device))
        chosen.see(record, trainer.model)
        on_epoch(record)
    return chosen.put_back(trainer.finish())


def _validate(model: Classifier, validation: Pairs, backend: Backend) -> dict[str, Any]:
    began = time.perf_counter()
    scores = measure(predict(model, validation, backend), validation.labels)
    return _prefixed("validation", scores | {"seconds": time.perf_counter() - began})


class _Meter:
    """Sums over an epoch, and now and then a word to who watches."""

    def __init__(
        self, recipe: Recipe, rows: int, backend: Backend, on_progress: Callable[[Progress], None]
    ) -> None:
        self.recipe, self.rows, self.on_progress = recipe, rows, on_progress
        self.steps, self.step = recipe.steps(rows), 0
        # Reading a GPU's numbers means waiting for it, so they are left there for a while.
        self.patience = _REPORT_SECONDS if backend.device.type == "cuda" else 0.0

    def start(self, epoch: int) -> None:
        self.epoch, self.loss, self.right, self.seen = epoch, 0.0, 0, 0
        self.unread: list[tuple[Tensor, Tensor, int]] = []
        self.began = self.read = self.reported = time.perf_counter()

    def add(self, loss: Tensor, right: Tensor, rows: int) -> None:
        self.unread.append((loss, right, rows))
        self.step += 1
        now = time.perf_counter()
        if now - self.read >= self.patience:
            self._read(now)
        if now - self.reported >= _REPORT_SECONDS:
            self.reported = now
            rate = self.seen / (now - self.began)
            mean = self.loss / self.seen
            self.on_progress(Progress(self.epoch, self.recipe.epochs, self.step, self.steps, mean, rate))

    def _read(self, now: float) -> None:
        losses, rights, rows = zip(*self.unread, strict=True)
        means = torch.stack(losses).tolist()
        wrong = next((mean for mean in means if not math.isfinite(mean)), None)
        if wrong is not None:
            raise DivergedError(f"the loss became {wrong}; lower learning_rate, or set clip")
        self.loss += sum(mean * number for mean, number in zip(means, rows, strict=True))
        self.right += int(torch.stack(rights).sum())
        self.seen += sum(rows)
        self.unread, self.read = [], now

    def finish(self, tokens: int) -> dict[str, float]:
        if self.unread:
            self._read(time.perf_counter())
        seconds = time.perf_counter() - self.began
        return {
            "loss": self.loss / self.rows,
            "accuracy": self.right / self.rows,
            "examples_per_second": self.rows / seconds,
            "tokens_per_second": tokens / seconds,
            "seconds": seconds,
        }


def predict(model: Classifier | Bert, pairs: Pairs, backend: Backend) -> NDArray[np.float32]:
    """Logits (rows, classes) float32 of every row, in the rows' order, without dropout.

    A ``Bert`` must have the head for classes. Raises DivergedError where a logit is not finite: the last step
    of a training is seen by nothing else.
    """
    model.eval()
    logits = np.empty((len(pairs), cast(nn.Linear, model.output).out_features), np.float32)
    with torch.inference_mode(), backend.autocast():
        tokens = backend.evaluation_tokens
        padding = Padding(pairs, tokens) if backend.wants_steady_sizes and len(pairs) else None
        for index, batch in evaluation_batches(pairs, backend.device, tokens, padding):
            found = model.class_logits(batch)
            logits[index] = (found[batch.labels != IGNORED] if padding else found).float().cpu().numpy()
    if not np.isfinite(logits).all():
        raise DivergedError("the logits are no longer finite; lower learning_rate, or set clip")
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
