"""Hypotheses in an order that is fixed beforehand: no adjustment, but the first failure ends them all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def fixed_sequence(p: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Which hypotheses are rejected when they are tested one after another, until one is not.

    ``p`` (..., hypotheses), unadjusted, in an order that does not depend on the data; nan, where no test was
    possible, rejects nothing. The probability of any false rejection is at most ``alpha``: the first true
    hypothesis must be rejected for that.
    Source: Maurer, Hothorn and Lehmacher, in Biometrie in der chemisch-pharmazeutischen Industrie 6 (1995).
    """
    return np.asarray(np.logical_and.accumulate(np.asarray(p, dtype=np.float64) < alpha, axis=-1))
