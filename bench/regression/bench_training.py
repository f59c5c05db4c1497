"""Training and evaluation of each named size on rows with SNLI's lengths; the guards are padded and masked.

The large sizes get few rows, so that a step takes seconds. Absolute times are this machine's.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import numpy as np
import pytest
import torch

from bench.padded import PaddedTrainer
from bench.regression.workload import CLASSES, TEMPLATE, VOCABULARY
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokens import Tokens
from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse

# Rows of a step; evaluation takes twice as many.
STEPS = {
    ("tiny", "fp32"): 512,
    ("small", "fp32"): 512,
    ("small", "bf16"): 64,  # a processor without bf16 instructions needs 25 times as long
    ("medium", "fp32"): 48,
    ("base", "fp32"): 16,
    ("large", "fp32"): 4,
    ("minilm", "fp32"): 48,
}
GUARDED = 64  # rows of the padded step
MAX_LEN = 128
ROUNDS = {"rounds": 5, "warmup_rounds": 1}


@pytest.fixture(scope="module", params=STEPS, ids=" ".join)
def trained(request: pytest.FixtureRequest, pairs: Pairs) -> tuple[Trainer, int]:
    """A model under training, and the rows of its step."""
    size, precision = request.param
    return _trainer(size, precision, pairs), STEPS[request.param]


def bench_step(benchmark: Any, trained: tuple[Trainer, int]) -> None:
    """A step on random rows, other ones each time, dropout and optimiser included."""
    trainer, rows = trained
    batches = _batches(len(trainer.training), rows)
    benchmark.pedantic(lambda: _step(trainer, next(batches)), **ROUNDS)
    benchmark.extra_info["examples_per_second"] = round(rows / benchmark.stats.stats.median)


def bench_evaluation(benchmark: Any, trained: tuple[Trainer, int], tokens: Tokens) -> None:
    """Logits of twice as many rows."""
    trainer, rows = trained
    some = _first_pairs(tokens, 2 * rows)
    benchmark.pedantic(predict, (trainer.model, some, trainer.backend), **ROUNDS)
    benchmark.extra_info["examples_per_second"] = round(2 * rows / benchmark.stats.stats.median)


@pytest.mark.guard(4)  # measured: 11 to 14
def bench_step_guard(guard: Callable[..., None], pairs: Pairs) -> None:
    """A step of `small` on 128 packed rows against one on 64 rows that are padded to 128."""
    trainer, padded = _trainer("small", "fp32", pairs), _padded(pairs)
    batches, padded_batches = _batches(len(pairs), 2 * GUARDED), _batches(len(pairs), GUARDED)
    guard(lambda: _step(trainer, next(batches)), lambda: padded.step(next(padded_batches)), work=2)


@pytest.mark.guard(3)  # measured: 7 (a throttled machine) to 12
def bench_evaluation_guard(guard: Callable[..., None], pairs: Pairs, tokens: Tokens) -> None:
    """Logits of `small` for 512 packed rows against those for 128 rows that are padded to 128."""
    trainer, padded = _trainer("small", "fp32", pairs), _padded(pairs)
    some = _first_pairs(tokens, 8 * GUARDED)
    index = np.arange(2 * GUARDED)
    guard(
        lambda: predict(trainer.model, some, trainer.backend),
        lambda: padded.predict(index),
        work=4,
    )


def _trainer(size: str, precision: str, pairs: Pairs) -> Trainer:
    backend = Backend(torch.device("cpu"), precision)
    recipe = Recipe(epochs=100)
    return Trainer(
        architecture(size), recipe, 0, backend, vocabulary=VOCABULARY, classes=CLASSES, training=pairs
    )


def _padded(pairs: Pairs) -> PaddedTrainer:
    return PaddedTrainer(architecture("small"), Recipe(), VOCABULARY, CLASSES, pairs, MAX_LEN)


def _step(trainer: Trainer, index: np.ndarray) -> float:
    # The loss is read, as a loop reads it now and then: on a GPU the step has then been done.
    loss, _ = trainer.step(index)
    return float(loss)


def _batches(rows: int, size: int) -> Iterator[np.ndarray]:
    order = np.random.default_rng(2).permutation(rows)
    return cycle(order[: rows // size * size].reshape(-1, size))


def _first_pairs(tokens: Tokens, rows: int) -> Pairs:
    assert tokens.second is not None
    index = np.arange(rows)
    sides = tokens.first.take(index), tokens.second.take(index)
    some = Tokens(*sides, tokens.labels[:rows], tokens.clusters[:rows], None, tokens.folder)
    return make_pairs(some, parse("longest_first"), MAX_LEN, TEMPLATE)
