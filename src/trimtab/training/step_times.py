"""How long training steps take, measured within a given time, however slow they are."""

import time
from collections.abc import Callable

import torch

from trimtab.data.batches import training_batches
from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.training.backend import Backend
from trimtab.training.bench import still_trainer, timed
from trimtab.training.recipe import Recipe

_FIRST_ROWS = 4  # of the first step, which is slow: memory is allocated, kernels are compiled
_RUNS = 3  # steps of a size that are to fit before it is tried
_ENOUGH, _STEPS = 2.0, 8  # seconds and whole steps that tell enough


def time_steps(
    size: Architecture,
    recipe: Recipe,
    pairs: Pairs,
    vocabulary: int,
    classes: int,
    device: torch.device,
    until: float,
    report: Callable[[int, float], None],
) -> None:
    """Take training steps at the recipe's precision until ``until``, or until enough is known.

    until: in seconds since 1970, after which no step is begun. report(rows, seconds): is called after each
    step. Steps grow from a few rows to whole batches, as long as the next is likely to end in time.
    """
    trainer = still_trainer(size, recipe, pairs, vocabulary, classes, Backend(device, recipe.precision))
    batches = training_batches(pairs, recipe.batch_size, 0, 1, grouped=recipe.batches == "grouped")
    whole = min(recipe.batch_size, len(pairs))
    rows, per_row, done, spent = min(_FIRST_ROWS, whole), 0.0, 0, 0.0
    for index in batches:
        if time.time() + per_row * rows > until or (done >= _STEPS and spent >= _ENOUGH):
            return
        seconds = timed(trainer, [index[:rows]])
        report(len(index[:rows]), seconds)
        if rows == whole:
            done, spent = done + 1, spent + seconds
        per_row = seconds / len(index[:rows])
        rows = next_rows(rows, whole, per_row, until - time.time())


def next_rows(rows: int, whole: int, per_row: float, left: float) -> int:
    """Twice as many where three such steps fit into the seconds left, else as before, or fewer."""
    more = min(2 * rows, whole)
    if _RUNS * more * per_row <= left:
        return more
    return max(1, min(rows, int(left / max(per_row, 1e-9))))
