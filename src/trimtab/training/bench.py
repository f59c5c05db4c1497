"""How fast a size trains and evaluates on a machine, measured in the steps of a real training."""

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.data.batches import training_batches
from trimtab.data.pairs import Pairs
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.memory import peak_bytes, reset_peak
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

_FIRST_ROWS = 2  # on a CPU; a GPU takes a whole batch, or has no memory for it
_RUNS = 3  # measured at least
_CERTAINLY = 1.5  # times too slow, by the rough guess that one product gives
_BLOCK = 0.1  # seconds between two looks at a GPU's results, which each wait for it
_EVALUATED = 8_192  # rows at most
_EVALUATION_SHARE = 0.5  # of the seconds that are enough for training


@dataclass(frozen=True)
class Effort:
    """How long a measurement goes on.

    enough: seconds after which no further step is taken once three are measured. patience: seconds that three
    steps may take on a CPU; where a whole batch would take more, a step has fewer rows. fewest: rows of a
    step under which nothing is measured, as the optimiser's share of it would say little of a batch.
    """

    enough: float
    patience: float
    fewest: int = 1


@dataclass(frozen=True)
class Speed:
    """Rates of training and evaluation; tokens are real ones, special tokens included.

    rows: of a step; whole_batch: of one as the recipe and the split have it. step_seconds: the median; the
    rates of training follow from it, and examples_per_second_low and _high from the quartiles of its steps.
    peak_bytes: of training and evaluation.
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
    """A step of the fewest rows would take more than there is patience for."""


def measure_speed(
    size: Architecture,
    recipe: Recipe,
    pairs: Pairs,
    vocabulary: int,
    classes: int,
    backend: Backend,
    effort: Effort,
) -> Speed:
    """Train on ``pairs`` for some steps, then evaluate some of them.

    Raises TooSlowError, and the allocator's error when memory runs out.
    """
    batch, on_cpu = min(recipe.batch_size, len(pairs)), backend.device.type == "cpu"
    fewest, mean = min(effort.fewest, batch), len(pairs.tokens.values) / len(pairs)
    slow = TooSlowError(f"a step of {fewest} rows takes too long")
    if on_cpu and fewest > 1:  # told before the model is made, which takes seconds where it is large
        products = _products(size, round(fewest * mean), backend)
        if _RUNS * products > _CERTAINLY * effort.patience:
            raise slow
    reset_peak(backend.device)
    # Weights that hardly move take as long, and do not diverge whatever rate the study asks for.
    recipe = replace(recipe, learning_rate=1e-9, schedule="constant")
    trainer = Trainer(size, recipe, 0, backend, vocabulary=vocabulary, classes=classes, training=pairs)
    order = _order_without_end(recipe, pairs)

    def step(rows: int, steps: int = 1) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            loss, _ = trainer.step(next(order)[:rows])
        float(loss)  # read, so that a GPU's work is waited for
        return (time.perf_counter() - began) / steps

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


def affordable(run: Callable[[int], float], first: int, most: int, patience: float) -> tuple[int, float]:
    """The most rows of which three runs should fit into ``patience`` seconds, and those of one run.

    run(rows) does the work once and returns its seconds. Rows are doubled from ``first`` on up to ``most``;
    each number is tried on the way, which also warms up what is slow at first.
    """
    rows = min(first, most)
    run(rows)  # the very first is slow: memory is taken, kernels are chosen
    while True:
        seconds, more = run(rows), min(2 * rows, most)
        allowed = patience / _RUNS * rows / more
        if seconds > allowed:
            seconds = min(seconds, run(rows))  # it may have been slow by chance
        if more == rows or seconds > allowed:
            return rows, seconds
        rows = more


def repeated(run: Callable[[], float], enough: float) -> list[float]:
    """What ``run()`` returns at least three times, and on until it has gone on for ``enough`` seconds."""
    found: list[float] = []
    began = time.perf_counter()
    while len(found) < _RUNS or time.perf_counter() - began < enough:
        found.append(run())
    return found


def _evaluation_rate(trainer: Trainer, pairs: Pairs, first: int, effort: Effort) -> float:
    """Examples a second of evaluation, on rows drawn as those of a batch are; of ``first`` rows at least."""
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
    """Seconds that the matrix products of a step should take, by the rate of one of them, measured."""
    x, weight = torch.ones(tokens, size.hidden), torch.ones(size.hidden, size.intermediate)
    seconds = []
    with torch.inference_mode(), backend.autocast():
        for _ in range(2):  # the first is slow
            began = time.perf_counter()
            x @ weight
            seconds.append(time.perf_counter() - began)
    layers = size.parameters(0, 2) - (size.positions + 2) * size.hidden  # the tables are looked up
    return 3 * seconds[-1] * layers / weight.numel()  # forward, and two products of each backward


def _rows_of(pairs: Pairs, index: NDArray[np.int64]) -> Pairs:
    return Pairs(pairs.tokens.take(index), pairs.first_lengths[index], pairs.labels[index])


def _order_without_end(recipe: Recipe, pairs: Pairs) -> Iterator[NDArray[np.int32]]:
    """The rows of whole batches, epoch after epoch."""
    batch = min(recipe.batch_size, len(pairs))
    for epoch in count(1):
        batches = training_batches(pairs, batch, 0, epoch, grouped=recipe.batches == "grouped")
        yield from (index for index in batches if len(index) == batch)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return float(low), float(median), float(high)
