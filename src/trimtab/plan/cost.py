"""What trials cost: estimates from measured rates, and shares of a whole. Free of torch."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.data.layout import GROUPED_BATCHES
from trimtab.plan.identity import precision_kind
from trimtab.plan.inputs import PlannedVariant
from trimtab.training.recipe import SPEED_KEYS, Recipe


def relative_cost(variant: PlannedVariant) -> float:
    """An estimate of the arithmetic of one trial, good for shares."""
    settings, size = variant.settings, variant.settings.size
    tokens = tokens_computed(variant) * len(variant.dataset.splits["train"])
    return settings.recipe.epochs * tokens * size.products()


def tokens_computed(variant: PlannedVariant) -> float:
    """Tokens per row of train for which a trial computes, padding included where its batches are padded."""
    train, recipe = variant.inputs["train"], variant.settings.recipe
    if variant.settings.size.is_packed:
        return train.tokens
    together = round(train.windows * recipe.rows_together)
    return train.windows * padded_length(train.lengths, together, grouped=recipe.batches == "grouped")


def padded_length(lengths: NDArray[np.int64], batch_size: int, *, grouped: bool) -> float:
    """The mean length of the longest row of a batch, given how many rows have each length from 0.

    Of random batches the expectation, as if rows were drawn with replacement; of batches grouped by length,
    whose rows are neighbours among those of many batches, the mean over as many quantiles.
    """
    rows = lengths.sum()
    below = lengths.cumsum() / rows  # the share of rows that are not longer
    if grouped:
        batches = max(1, min(GROUPED_BATCHES, -(-int(rows) // batch_size)))
        places = np.arange(1, batches + 1) / batches
        return float(np.searchsorted(below, places - 1e-9).mean())
    share = below ** min(batch_size, int(rows))
    return float((np.arange(len(lengths)) * np.diff(share, prepend=0.0)).sum())


def speed_kind(variant: PlannedVariant) -> str:
    """What a measured rate holds for: as a precision does, and of settings that a step's time depends on."""
    recipe, usual = variant.settings.recipe, Recipe()
    keys = [key for key in SPEED_KEYS if key != "batch_size"] + ["devices"]  # the former is in precision_kind
    own = [f"{key} {getattr(recipe, key)}" for key in keys if getattr(recipe, key) != getattr(usual, key)]
    return ", ".join([precision_kind(variant), *own])


def longest_inputs(
    variants: Iterable[PlannedVariant], kind: Callable[[PlannedVariant], str]
) -> dict[str, PlannedVariant]:
    """Each kind, and the variant of it with the longest inputs; ties go to the first."""
    longest: dict[str, PlannedVariant] = {}
    for variant in variants:
        its = kind(variant)
        if its not in longest or _tokens(variant) > _tokens(longest[its]):
            longest[its] = variant
    return longest


def trial_seconds(variant: PlannedVariant, training: float, evaluation: float | None = None) -> float:
    """Seconds of one trial of a variant at these rates of training and evaluation, in examples per second.

    Validation after each epoch and the test sets count where ``evaluation`` is given.
    """
    epochs, dataset = variant.settings.recipe.epochs, variant.dataset
    rows = {name: len(tokens) for name, tokens in dataset.splits.items()}
    seconds = epochs * rows["train"] / training
    if evaluation is None:
        return seconds
    return seconds + (epochs * rows["validation"] + sum(rows[test] for test in dataset.tests)) / evaluation


def scaled(seconds: float, longest: PlannedVariant, variant: PlannedVariant) -> float:
    """Seconds of one trial of a variant, given those of the longest inputs of its ``speed_kind``."""
    return seconds * relative_cost(variant) / relative_cost(longest)


def duration(trials: Sequence[int], seconds: Sequence[float | None], processes: int) -> float | None:
    """Seconds until all trials are done, ``processes`` of them at a time; trials: how many of each variant.

    seconds: of one trial of each variant; None comes out where one that is needed is unknown. The trials are
    taken to fill the processes evenly.
    """
    total = 0.0
    for number, each in zip(trials, seconds, strict=True):
        if number and each is None:
            return None
        total += number * (each or 0.0)
    return total / max(1, min(sum(trials), processes))


def _tokens(variant: PlannedVariant) -> float:
    return variant.inputs["train"].tokens
