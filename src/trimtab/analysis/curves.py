"""What training went through: each variant's epochs, and where it begins to over-fit. Free of torch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Row = dict[str, Any]

# The columns of a record that a report shows, in its order.
MEASURES = ("loss", "validation_loss", "validation_accuracy", "seconds", "validation_seconds")

# A rise of the validation loss by fewer of its standard errors over seeds may be chance.
_ERRORS = 2.0


def epoch_rows(curves: Sequence[Row]) -> list[Row]:
    """A row a variant and epoch; ``curves`` has one a variant, seed and epoch, as ``Analysis`` has it.

    Of each NAME of MEASURES: NAME is the mean over seeds, NAME_low and NAME_high are the lowest and highest
    one. All three are None where any seed lacks it, as in a ledger of an earlier version. seeds: those that
    the row stands on; evaluated: those of them whose weights of this epoch met the test sets.
    """
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in curves:
        groups.setdefault((row["variant"], row["epoch"]), []).append(row)
    return [_epoch_row(rows) for rows in groups.values()]


def _epoch_row(rows: list[Row]) -> Row:
    place = {key: rows[0][key] for key in ("variant", "name", "series", "max_len", "epoch")}
    seeds = {
        "seeds": [row["seed"] for row in rows],
        "evaluated": [row["seed"] for row in rows if row["evaluated"]],
    }
    made: Row = {}
    for name in MEASURES:
        values = [row.get(name) for row in rows]
        known = None if None in values else np.array(values, float)
        made[name] = None if known is None else float(known.mean())
        made[f"{name}_low"] = None if known is None else float(known.min())
        made[f"{name}_high"] = None if known is None else float(known.max())
    return place | seeds | made


def overfitting(training: ArrayLike, validation: ArrayLike) -> Row | None:
    """Where validation loss rises while training loss falls: losses (seeds, epochs) in; None where nowhere.

    Let m be the epoch in which the mean validation loss is lowest, of equal ones the first. The rise of a
    seed at epoch e is its validation loss there minus its own at m, so that what sets seeds apart from the
    start is no noise. Over-fitting begins at the first e after m such that at e and at every later epoch the
    mean training loss is lower than in the epoch before, and the mean rise is above 0 and above two of its
    standard errors over seeds. One seed has no standard error, and its rise need only be above 0.

    A rise that does not last until the end is therefore no over-fitting, nor is a validation loss that rises
    with the training loss, as where training fails. It is a remark on curves and no test: m was chosen as the
    lowest of the same curves, and the rows of validation are taken as they are.

    epoch, best: e and m, counted from 1; rise, se: at the last epoch, se nan with one seed; training_best,
    training_last: mean training loss at m and at the end; seeds: how many there were.
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
    return {
        "epoch": int(lasts.argmax()) + 1,
        "best": best + 1,
        "rise": float(rise[-1]),
        "se": float(error[-1]),
        "training_best": float(train[:, best].mean()),
        "training_last": float(train[:, -1].mean()),
        "seeds": len(train),
    }


def overfitting_rows(curves: Sequence[Row]) -> list[Row]:
    """A row a variant that over-fits, with what ``overfitting`` found; ``curves`` as for ``epoch_rows``."""
    trials: dict[int, dict[int, list[Row]]] = {}
    for row in curves:
        trials.setdefault(row["variant"], {}).setdefault(row["seed"], []).append(row)
    found = []
    for by_seed in trials.values():
        losses = (
            [[row[key] for row in rows] for rows in by_seed.values()] for key in ("loss", "validation_loss")
        )
        answer = overfitting(*losses)
        if answer is not None:
            first = next(iter(by_seed.values()))[0]
            found.append({key: first[key] for key in ("variant", "name", "series", "max_len")} | answer)
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
