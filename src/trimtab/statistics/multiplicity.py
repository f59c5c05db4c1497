"""Multiple testing: p-values adjusted for a family of contrasts.

Every function takes p-values (contrasts,) and leaves nan (no test was made) out of the family.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.config import InputError, nearest

Floats = NDArray[np.float64]


def holm(p: ArrayLike) -> Floats:
    """Holm's adjusted p-values, which control the family-wise error rate.

    ``p`` (contrasts,), nan left out and nan again in the answer. Raises InputError outside [0, 1].
    Source: Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    return _on_finite(p, _holm)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini and Hochberg's adjusted p-values, which control the false discovery rate.

    ``p`` (contrasts,), nan left out and nan again in the answer. Raises InputError outside [0, 1].
    Source: Benjamini and Hochberg, JRSS B 57 (1995), by way of scipy.
    """
    return _on_finite(p, lambda known: np.asarray(stats.false_discovery_control(known, method="bh")))


def unadjusted(p: ArrayLike) -> Floats:
    """The p-values unchanged, for a single contrast or where they are corrected elsewhere."""
    return _on_finite(p, lambda known: known)


class Correction(NamedTuple):
    """How the p-values of a family are adjusted, (contrasts,) in and out; words: its name in a report."""

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


def _holm(p: Floats) -> Floats:
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted


def _on_finite(p: ArrayLike, adjust: Callable[[Floats], Floats]) -> Floats:
    answer = np.array(p, dtype=np.float64)
    known = ~np.isnan(answer)
    if ((answer[known] < 0) | (answer[known] > 1)).any():
        raise InputError("p-values must lie between 0 and 1; give nan where no test was made")
    if known.any():
        answer[known] = adjust(answer[known])
    return answer
