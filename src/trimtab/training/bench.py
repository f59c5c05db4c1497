"""How fast a size trains and evaluates on this machine, measured in real training steps."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.data.batches import training_batches
from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.memory import peak_bytes, reset_peak
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

_FIRST_ROWS = 2  # on a CPU; a GPU starts with a whole batch, or runs out of memory
_RUNS = 3  # at least
_CERTAINLY = 1.5  # times too slow, by the rough estimate from one matrix product
_BLOCK = 0.1  # seconds between two reads of a GPU's results, which each wait for it
_EVALUATED = 8_192  # rows at most
_EVALUATION_SHARE = 0.5  # of the seconds spent on training


@dataclass(frozen=True)
class Effort:
    """How long a measurement may take.

    enough: seconds after which no further step is taken, once three have been measured. patience: seconds
    that three steps may take on a CPU; where a whole batch takes longer, steps have fewer rows. fewest: rows
    per step below which nothing is measured, as the optimiser would then dominate the time of a step.
    """

    enough: float
    patience: float
    fewest: int = 1


@dataclass(frozen=True)
class Speed:
    """Rates of training and evaluation; tokens include special tokens but no padding.

    rows: per measured step; whole_batch: rows per step of the recipe on this split. step_seconds: the median,
    from which the training rates follow; examples_per_second_low and _high follow from its quartiles.
    peak_bytes: peak memory of training and evaluation.
    """

    rows: int
    whole_batch: int
    step_seconds: float
    examples_per_second: float
    examples_per_second_low: float
    examples_per_second_high: float
    tokens_per_second: float
    evaluation_examples_per_second: float
    peak_bytes: int


class TooSlowError(RuntimeError):
    """A step of the fewest rows takes longer than ``Effort.patience`` allows."""


def measure_speed(
    size: Architecture,
    recipe: Recipe,
    pairs: Pairs,
    vocabulary: int,
    classes: int,
    backend: Backend,
    effort: Effort,
) -> Speed:
    """Measure some training steps on ``pairs``, then the evaluation of some of its rows.

    Raises TooSlowError, and the allocator's error when memory runs out.
    """
    batch, on_cpu = min(recipe.batch_size, len(pairs)), backend.device.type == "cpu"
    fewest, mean = min(effort.fewest, batch), len(pairs.tokens.values) / len(pairs)
    slow = TooSlowError(f"a step of {fewest} rows takes too long")
    if on_cpu and fewest > 1:  # checked before the model is made, which takes seconds for a large one
        products = _products(size, round(fewest * mean), backend)
        if _RUNS * products > _CERTAINLY * effort.patience:
            raise slow
    reset_peak(backend.device)
    trainer = still_trainer(size, recipe, pairs, vocabulary, classes, backend)
    order = _endless_order(recipe, pairs)

    def step(rows: int, steps: int = 1) -> float:
        return timed(trainer, [next(order)[:rows] for _ in range(steps)]) / steps

    rows, seconds = affordable(step, _FIRST_ROWS if on_cpu else batch, batch, effort.patience)
    if rows < fewest:
        raise slow
    steps = math.ceil(_BLOCK / seconds)
    low, median, high = _quartiles(repeated(lambda: step(rows, steps), effort.enough))
    return Speed(
        rows=rows,
        whole_batch=batch,
        step_seconds=median,
        examples_per_second=rows / median,
        examples_per_second_low=rows / high,
        examples_per_second_high=rows / low,
        tokens_per_second=rows / median * mean,
        evaluation_examples_per_second=_evaluation_rate(trainer, pairs, rows, effort),
        peak_bytes=peak_bytes(backend.device),
    )


def still_trainer(
    size: Architecture, recipe: Recipe, pairs: Pairs, vocabulary: int, classes: int, backend: Backend
) -> Trainer:
    """A trainer whose weights hardly move, which takes as long, and diverges at no learning rate of a "
    "study."""
    still = replace(recipe, learning_rate=1e-9, schedule="constant")
    return Trainer(size, still, 0, backend, vocabulary=vocabulary, classes=classes, training=pairs)


def timed(trainer: Trainer, batches: Sequence[NDArray[np.int32]]) -> float:
    """The seconds of a training step on each of these batches of row numbers, at least one."""
    began = time.perf_counter()
    for index in batches:
        loss, _ = trainer.step(index)
    float(loss)  # read, so that a GPU's work is waited for
    return time.perf_counter() - began


def affordable(run: Callable[[int], float], first: int, most: int, patience: float) -> tuple[int, float]:
    """The most rows for which three runs should fit into ``patience`` seconds, and the seconds of one run.

    run(rows) does the work once and returns its seconds. Rows are doubled from ``first`` up to ``most``; each
    number is tried, which also serves as a warm-up.
    """
    rows = min(first, most)
    run(rows)  # the very first is slow: memory is allocated, kernels are chosen
    while True:
        seconds, more = run(rows), min(2 * rows, most)
        allowed = patience / _RUNS * rows / more
        if seconds > allowed:
            seconds = min(seconds, run(rows))  # it may have been slow by chance
        if more == rows or seconds > allowed:
            return rows, seconds
        rows = more


def repeated(run: Callable[[], float], enough: float) -> list[float]:
    """The results of ``run()``, called at least three times and until ``enough`` seconds have passed."""
    found: list[float] = []
    began = time.perf_counter()
    while len(found) < _RUNS or time.perf_counter() - began < enough:
        found.append(run())
    return found


def _evaluation_rate(trainer: Trainer, pairs: Pairs, first: int, effort: Effort) -> float:
    """Examples/s of evaluation, on randomly drawn rows, at least ``first`` of them."""
    model, backend = trainer.finish(), trainer.backend
    drawn = np.random.default_rng(0).permutation(len(pairs))[:_EVALUATED]

    def evaluate(rows: int) -> float:
        some = _rows_of(pairs, drawn[:rows])
        began = time.perf_counter()
        predict(model, some, backend)
        return time.perf_counter() - began

    enough = _EVALUATION_SHARE * effort.enough
    rows, _ = affordable(evaluate, first, len(drawn), enough)
    return rows / statistics.median(repeated(lambda: evaluate(rows), enough))


def _products(size: Architecture, tokens: int, backend: Backend) -> float:
    """Estimated seconds of a step's matrix products, from the measured time of one of them."""
    x, weight = torch.ones(tokens, size.hidden), torch.ones(size.hidden, size.intermediate)
    seconds = []
    with torch.inference_mode(), backend.autocast():
        for _ in range(2):  # the first is slow
            began = time.perf_counter()
            x @ weight
            seconds.append(time.perf_counter() - began)
    return 3 * seconds[-1] * size.products() / weight.numel()  # forward, and two products of each backward


def _rows_of(pairs: Pairs, index: NDArray[np.int64]) -> Pairs:
    return Pairs(
        pairs.tokens.take(index),
        pairs.first_lengths[index],
        pairs.labels[index],
        target=pairs.target,
        windows=pairs.windows,
    )


def _endless_order(recipe: Recipe, pairs: Pairs) -> Iterator[NDArray[np.int32]]:
    """The rows of full batches, epoch after epoch."""
    batch = min(recipe.batch_size, len(pairs))
    for epoch in count(1):
        batches = training_batches(pairs, batch, 0, epoch, grouped=recipe.batches == "grouped")
        yield from (index for index in batches if len(index) == batch)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)
