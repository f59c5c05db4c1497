"""Equivalence: whether a difference is shown to be smaller than a margin, which a large p does not show."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

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
    above_lower = special.stdtr(df, -(delta + margin) / se)
    below_upper = special.stdtr(df, (delta - margin) / se)
    return np.asarray(np.maximum(above_lower, below_upper))


def se_at_margin(
    delta: ArrayLike, se: ArrayLike, margin: float, effective_clusters: float
) -> NDArray[np.float64]:
    """The standard error that differences of scores from 0 to 1 would have if the true one were ``margin``.

    The gap between ``delta`` and the margin would then be due to clusters that happened not to differ, each
    adding to the variance; one more is added because small counts are skewed. Otherwise a few examples that
    vary would count as proof that no others do. ``delta`` and ``se`` (contrasts,). If ``effective_clusters``
    is nan, for scores of another range, no such variance is known and ``se`` is returned.
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

    One half of ``tost``, with the standard error of ``se_at_margin``: a few examples that are lost with every
    seed would otherwise count as proof that no others are.
    """
    return float(special.stdtr(df, -(delta + margin) / se_at_margin(delta, se, margin, effective_clusters)))


def chance_of_equal(margin: float, effective_clusters: float) -> float:
    """An upper bound on the probability that all scores agree although the true means differ by ``margin``.

    For scores from 0 to 1 such a difference needs unequal scores on at least that share of clusters, so all
    agree with probability (1 - margin)^clusters at most. nan where ``effective_clusters`` is nan.
    """
    return float((1 - min(margin, 1.0)) ** effective_clusters)


def clusters_to_show_equal(margin: float, alpha: float) -> int:
    """The fewest clusters on which scores that all agree show equivalence: by ``chance_of_equal``."""
    if margin >= 1:
        return 1
    return math.floor(math.log(alpha) / math.log1p(-margin)) + 1
