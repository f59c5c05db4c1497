"""The training loop of a classification trial, and its evaluation."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from trimtab.data.batches import evaluation_batches, make_batch, training_order
from trimtab.data.pairs import Pairs
from trimtab.model.dropout import seed_dropout
from trimtab.model.encoder import Classifier
from trimtab.model.initialise import generator_of, initialise
from trimtab.model.sizes import Architecture
from trimtab.training.memory import peak_bytes, reset_peak
from trimtab.training.optimizer import make_optimizer, make_schedule
from trimtab.training.recipe import Recipe

_REPORT_SECONDS = 0.25


class DivergedError(RuntimeError):
    """The loss, or a logit, is no longer a finite number."""


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to. Rates count training alone; tokens are real ones, special tokens included."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    examples_per_second: float
    tokens_per_second: float
    peak_bytes: int
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Where a running trial is: steps of the whole training, loss and rate of late."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples_per_second: float


@dataclass(frozen=True)
class Machinery:
    """What a trial runs on: the device, and the precision of its matrix products."""

    device: torch.device
    precision: str

    def autocast(self) -> AbstractContextManager[None]:
        """The context of a forward pass; it casts each weight once a pass, not once a use."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")


def train(
    size: Architecture,
    recipe: Recipe,
    seed: int,
    machinery: Machinery,
    *,
    vocabulary: int,
    classes: int,
    training: Pairs,
    validation: Pairs,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Classifier:
    """Train a classifier from scratch; ``seed`` fixes its initial weights, the order of rows and dropout.

    Raises DivergedError where the loss is no longer finite, and the allocator's error when memory runs out.
    """
    model = Classifier(size, vocabulary, classes)
    initialise(model, seed, size.initial_deviation)
    model.to(machinery.device)
    seed_dropout(model, generator_of(seed, "dropout", machinery.device))
    optimizer = make_optimizer(model, recipe)
    schedule = make_schedule(optimizer, recipe, recipe.steps(len(training)))
    meter = _Meter(recipe, len(training), on_progress)

    for epoch in range(1, recipe.epochs + 1):
        reset_peak(machinery.device)
        meter.start(epoch)
        model.train()
        order = training_order(len(training), seed, epoch)
        for start in range(0, len(order), recipe.batch_size):
            index = order[start : start + recipe.batch_size]
            loss, right = training_step(model, training, index, recipe, optimizer, machinery)
            schedule.step()
            meter.add(loss, right, len(index))
        record = meter.finish(len(training.tokens.values))
        scores = measure(predict(model, validation, machinery), validation.labels)
        peak = peak_bytes(machinery.device)
        on_epoch(asdict(Epoch(epoch=epoch, **record, **_prefixed("validation", scores), peak_bytes=peak)))
    return model


def training_step(
    model: Classifier,
    pairs: Pairs,
    index: NDArray[np.int64],
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
    machinery: Machinery,
) -> tuple[float, int]:
    """One optimiser step on the rows of ``index``: their mean loss and how many were right.

    Raises DivergedError, before any weight moves, where the loss is not finite.
    """
    optimizer.zero_grad(set_to_none=True)
    total, right = 0.0, 0
    for part in _micro_batches(index, recipe.micro_batch):
        batch = make_batch(pairs, part, machinery.device)
        with machinery.autocast():
            logits = model(batch).float()
        loss = F.cross_entropy(logits, batch.labels, reduction="sum") / len(index)
        loss.backward()
        total += loss.item()
        right += int((logits.argmax(1) == batch.labels).sum())
    if not math.isfinite(total):
        raise DivergedError(f"the loss became {total}; lower learning_rate, or set clip")
    if recipe.clip:
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
    optimizer.step()
    return total, right


def _micro_batches(index: NDArray[np.int64], rows: int | None) -> Iterator[NDArray[np.int64]]:
    rows = rows or len(index)
    return (index[start : start + rows] for start in range(0, len(index), rows))


class _Meter:
    """Sums over an epoch, and now and then a word to who watches."""

    def __init__(self, recipe: Recipe, rows: int, on_progress: Callable[[Progress], None]) -> None:
        self.recipe, self.rows, self.on_progress = recipe, rows, on_progress
        self.steps, self.step = recipe.steps(rows), 0

    def start(self, epoch: int) -> None:
        self.epoch, self.loss, self.right, self.seen = epoch, 0.0, 0, 0
        self.began = self.reported = time.perf_counter()

    def add(self, loss: float, right: int, rows: int) -> None:
        self.loss += loss * rows
        self.right += right
        self.seen += rows
        self.step += 1
        now = time.perf_counter()
        if now - self.reported >= _REPORT_SECONDS:
            self.reported = now
            rate = self.seen / (now - self.began)
            mean = self.loss / self.seen
            self.on_progress(Progress(self.epoch, self.recipe.epochs, self.step, self.steps, mean, rate))

    def finish(self, tokens: int) -> dict[str, float]:
        seconds = time.perf_counter() - self.began
        return {
            "loss": self.loss / self.rows,
            "accuracy": self.right / self.rows,
            "examples_per_second": self.rows / seconds,
            "tokens_per_second": tokens / seconds,
            "seconds": seconds,
        }


def predict(model: Classifier, pairs: Pairs, machinery: Machinery) -> NDArray[np.float32]:
    """Logits (rows, classes) float32 of every row, in the rows' order, without dropout.

    Raises DivergedError where one is not finite: the last step of a training is seen by nothing else.
    """
    model.eval()
    logits = np.empty((len(pairs), model.output.out_features), np.float32)
    with torch.no_grad(), machinery.autocast():
        for index, batch in evaluation_batches(pairs, machinery.device):
            logits[index] = model(batch).float().cpu().numpy()
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
