"""What training went through: each variant's epochs, and where it begins to over-fit. Free of torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.analysis.scores import FinishedVariant
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import VariantRecord
from trimtab.training.epoch import Epoch

# A rise of the validation loss by fewer of its standard errors over seeds may be chance.
_ERRORS = 2.0


@dataclass(frozen=True)
class CurvePoint:
    """One epoch of one trial; evaluated: whether the weights after it met the test sets."""

    variant: VariantRecord
    seed: int
    epoch: Epoch
    evaluated: bool


@dataclass(frozen=True)
class UnknownCurve:
    """A finished trial whose records of epochs are damaged; its predictions are whole."""

    variant: VariantRecord
    seed: int


@dataclass(frozen=True)
class Spread:
    """A mean over seeds, with the lowest and the highest one."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class EpochRow:
    """One epoch of a variant over ``seeds``; evaluated: those whose weights after it met the test sets."""

    variant: VariantRecord
    epoch: int
    seeds: list[int]
    evaluated: list[int]
    loss: Spread
    validation_loss: Spread
    validation_accuracy: Spread | None
    seconds: Spread
    validation_seconds: Spread


@dataclass(frozen=True)
class Overfitting:
    """Where validation loss rises while training loss falls; see ``overfitting``.

    epoch, best: the first epoch of it, and the one with the lowest validation loss, counted from 1; rise, se:
    of the validation loss since then, at the last epoch, se nan with one seed; training_best, training_last:
    mean training loss after ``best`` and at the end; seeds: how many there were.
    """

    epoch: int
    best: int
    rise: float
    se: float
    training_best: float
    training_last: float
    seeds: int


@dataclass(frozen=True)
class OverfittedRow:
    """A variant that over-fits."""

    variant: VariantRecord
    overfitting: Overfitting


def curve_points(
    ledger: Ledger, finished: Sequence[FinishedVariant]
) -> tuple[list[CurvePoint], list[UnknownCurve]]:
    """Every epoch of every finished trial, and the trials whose records of epochs are damaged.

    Variants that share their trials are there once.
    """
    points: list[CurvePoint] = []
    unknown: list[UnknownCurve] = []
    for one in finished:
        if not one.variant.is_first:
            continue
        read = {seed: _epochs(ledger, one.variant.trials[seed]) for seed in one.results}
        longest = max(map(len, read.values()))
        for seed, result in one.results.items():
            epochs = read[seed]
            if len(epochs) < longest or not epochs:  # lines are gone from the end of the file
                unknown.append(UnknownCurve(one.variant, seed))
                continue
            points += [
                CurvePoint(one.variant, seed, epoch, evaluated=epoch.epoch == result.evaluated_epoch)
                for epoch in epochs
            ]
    return points, unknown


def _epochs(ledger: Ledger, key: str) -> list[Epoch]:
    """The epochs of a trial, none where their file is damaged."""
    try:
        epochs = ledger.trial(key).epochs()
    except InputError:
        return []
    return epochs if [each.epoch for each in epochs] == list(range(1, len(epochs) + 1)) else []


def epoch_rows(curves: Sequence[CurvePoint]) -> list[EpochRow]:
    """One row per variant and epoch."""
    groups: dict[tuple[int, int], list[CurvePoint]] = {}
    for point in curves:
        groups.setdefault((point.variant.number, point.epoch.epoch), []).append(point)
    return [_epoch_row(points) for points in groups.values()]


def _epoch_row(points: Sequence[CurvePoint]) -> EpochRow:
    epochs = [point.epoch for point in points]
    accuracies = [one.validation_accuracy for one in epochs if one.validation_accuracy is not None]
    return EpochRow(
        variant=points[0].variant,
        epoch=epochs[0].epoch,
        seeds=[point.seed for point in points],
        evaluated=[point.seed for point in points if point.evaluated],
        loss=_spread([epoch.loss for epoch in epochs]),
        validation_loss=_spread([epoch.validation_loss for epoch in epochs]),
        validation_accuracy=_spread(accuracies) if len(accuracies) == len(epochs) else None,
        seconds=_spread([epoch.seconds for epoch in epochs]),
        validation_seconds=_spread([epoch.validation_seconds for epoch in epochs]),
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(float(np.mean(values)), float(min(values)), float(max(values)))


def overfitting(training: ArrayLike, validation: ArrayLike) -> Overfitting | None:
    """Where validation loss rises while training loss falls: losses (seeds, epochs) in; None where nowhere.

    Let m be the epoch in which the mean validation loss is lowest; ties go to the first. The rise of a
    seed at epoch e is its validation loss there minus its own at m, so that what sets seeds apart from the
    start is no noise. Over-fitting begins at the first e after m such that at e and at every later epoch the
    mean training loss is lower than in the epoch before, and the mean rise is above 0 and above two of its
    standard errors over seeds. One seed has no standard error, and its rise need only be above 0.

    A rise that does not last until the end is therefore no over-fitting, nor is a validation loss that rises
    with the training loss, as where training fails. It describes the curves and is no test: m was chosen as
    the lowest of the same curves, and the rows of validation are taken as they are. ValueError where the two
    tables differ in shape or are empty.
    """
    train, held = _table(training), _table(validation)
    if train.shape != held.shape:
        raise ValueError(f"losses of {train.shape} and {held.shape}: give the same seeds and epochs in both")
    best = int(held.mean(axis=0).argmin())
    rises = held - held[:, [best]]
    rise, error = rises.mean(axis=0), _standard_errors(rises)
    falling = np.append(False, np.diff(train.mean(axis=0)) < 0)
    # nan, of one seed, is no bound.
    risen = (rise > 0) & ~(rise <= _ERRORS * error)
    lasts = np.logical_and.accumulate((falling & risen)[::-1])[::-1]
    lasts[: best + 1] = False
    if not lasts.any():
        return None
    return Overfitting(
        epoch=int(lasts.argmax()) + 1,
        best=best + 1,
        rise=float(rise[-1]),
        se=float(error[-1]),
        training_best=float(train[:, best].mean()),
        training_last=float(train[:, -1].mean()),
        seeds=len(train),
    )


def overfitted_rows(curves: Sequence[CurvePoint]) -> list[OverfittedRow]:
    """One row per variant that over-fits."""
    trials: dict[int, dict[int, list[CurvePoint]]] = {}
    for point in curves:
        trials.setdefault(point.variant.number, {}).setdefault(point.seed, []).append(point)
    found = []
    for by_seed in trials.values():
        answer = overfitting(
            [[point.epoch.loss for point in points] for points in by_seed.values()],
            [[point.epoch.validation_loss for point in points] for points in by_seed.values()],
        )
        if answer is not None:
            first, *_ = next(iter(by_seed.values()))
            found.append(OverfittedRow(first.variant, answer))
    return found


def _table(losses: ArrayLike) -> NDArray[np.float64]:
    table = np.asarray(losses, np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ValueError(f"losses have shape {table.shape}: give (seeds, epochs), at least one of each")
    return table


def _standard_errors(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the mean over seeds (seeds, epochs) at each epoch; nan with one seed."""
    seeds = len(values)
    if seeds == 1:
        return np.full(values.shape[1], math.nan)
    return np.asarray(values.std(axis=0, ddof=1) / math.sqrt(seeds))
