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


def se_at_margin(
    delta: ArrayLike, se: ArrayLike, margin: float, effective_clusters: float
) -> NDArray[np.float64]:
    """The standard error that differences of scores from 0 to 1 would have if the true one were ``margin``.

    What ``delta`` lacks to the margin would then come from clusters that were not seen to differ, each with a
    variance of its own; one more stands for how skewed small counts are. Without them, a few examples that
    vary pass for proof that no others do. ``delta`` and ``se`` (contrasts,). ``effective_clusters`` nan: for
    scores of another range no such variance is known, and ``se`` stays.
    Source: for proportions, the restricted variance of Tango, Statistics in Medicine 17 (1998); with clusters
    each counts as one example, the worst case.
    """
    if np.isnan(effective_clusters):
        return np.asarray(se)
    unit = 1 / effective_clusters
    missing = np.maximum(margin - np.abs(delta), 0.0) + unit
    return np.asarray(np.sqrt(np.square(se) + missing * unit))


def not_inferior(delta: float, se: float, df: float, margin: float, effective_clusters: float) -> float:
    """The p-value of a one-sided t test of delta <= -margin: small means worse by less than ``margin``.

    One half of ``tost``, with the standard error of ``se_at_margin``: few examples that are lost with every
    seed would otherwise pass for proof that no others are.
    """
    return float(stats.t.sf((delta + margin) / se_at_margin(delta, se, margin, effective_clusters), df))


def chance_of_equal(margin: float, effective_clusters: float) -> float:
    """The most likely that scores from 0 to 1 all agree although the means differ by ``margin``.

    Such a difference needs unequal scores on as large a share of clusters, and all agree with probability
    (1 - margin)^clusters at most. nan where ``effective_clusters`` is, for scores of another range.
    """
    return float((1 - min(margin, 1.0)) ** effective_clusters)
