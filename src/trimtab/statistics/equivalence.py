"""Equivalence: whether a difference is shown to be smaller than a margin, which no large p ever shows."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.config import InputError


def tost(delta: ArrayLike, se: ArrayLike, df: ArrayLike, margin: float) -> NDArray[np.float64]:
    """The p-values of two one-sided t tests of |delta| >= margin: small means equivalent.

    ``delta`` and ``se`` (contrasts,) in the score's units like ``margin``; ``df`` (contrasts,).
    nan where ``se`` or ``df`` is. Raises InputError unless the margin is positive and every ``se`` is too.
    Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987).
    """
    delta, se, df = (np.asarray(value, dtype=np.float64) for value in (delta, se, df))
    if not 0 < margin < np.inf:
        raise InputError(f"margin {margin!r}: give a positive number in the score's units")
    if (se <= 0).any():
        raise InputError("se: a standard error of 0 leaves nothing to test; give a positive one, or nan")
    above_lower = stats.t.sf((delta + margin) / se, df)
    below_upper = stats.t.cdf((delta - margin) / se, df)
    return np.asarray(np.maximum(above_lower, below_upper))
