"""Multiple testing: p-values adjusted for a family of contrasts.

Every function takes p-values (contrasts,), or (..., contrasts) of many families, and leaves nan (no test was
made) out of its family.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError, nearest

Floats = NDArray[np.float64]


def holm(p: ArrayLike) -> Floats:
    """Holm's adjusted p-values, which control the family-wise error rate.

    ``p`` (..., contrasts), nan left out and nan again in the answer. Raises InputError outside [0, 1].
    Source: Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    family = _Family(p)
    # nan sorts last, so that what follows from it is nan too.
    steps = family.sorted * (family.size - family.rank + 1)
    return family.unsorted(np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0))


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's adjusted p-values, which control the false discovery rate.

    ``p`` (..., contrasts), nan left out and nan again in the answer. Raises InputError outside [0, 1].
    Source: Benjamini and Hochberg, JRSS B 57 (1995).
    """
    family = _Family(p)
    steps = family.sorted * family.size / family.rank
    smallest = np.fmin.accumulate(steps[..., ::-1], axis=-1)[..., ::-1]
    return family.unsorted(np.where(np.isnan(steps), np.nan, np.minimum(smallest, 1.0)))


def unadjusted(p: ArrayLike) -> Floats:
    """The p-values unchanged, for a single contrast or where they are corrected elsewhere."""
    return _Family(p).p


class Correction(NamedTuple):
    """How the p-values of a family are adjusted, (..., contrasts) in and out; words: its name in a report."""

    words: str
    adjust: Callable[[ArrayLike], Floats]


CORRECTIONS = {
    "holm": Correction("Holm", holm),
    "bh": Correction("Benjamini-Hochberg", benjamini_hochberg),
    "none": Correction("no correction", unadjusted),
}


def correction_named(name: str) -> Callable[[ArrayLike], Floats]:
    """The function of the correction of that name. Raises InputError where there is none."""
    if name not in CORRECTIONS:
        raise InputError(f"correction {name!r} is unknown: {nearest(str(name), CORRECTIONS)}")
    return CORRECTIONS[name].adjust


class _Family:
    """p-values in ascending order within each family; ``size`` (..., 1), ``rank`` (contrasts,) from 1."""

    def __init__(self, p: ArrayLike) -> None:
        self.p = np.array(p, dtype=np.float64)
        if ((self.p < 0) | (self.p > 1)).any():
            raise InputError("p-values must lie between 0 and 1; give nan where no test was made")
        self._order = np.argsort(self.p, axis=-1, kind="stable")
        self.sorted = np.take_along_axis(self.p, self._order, axis=-1)
        self.size = np.sum(~np.isnan(self.p), axis=-1, keepdims=True)
        self.rank = np.arange(1, self.p.shape[-1] + 1)

    def unsorted(self, adjusted: Floats) -> Floats:
        """Adjusted p-values in the order in which p was given."""
        answer = np.empty_like(self.p)
        np.put_along_axis(answer, self._order, adjusted, axis=-1)
        return answer
