"""McNemar's test: whether two checkpoints differ, which is not whether two strategies do."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from trimtab.config import InputError, nearest
from trimtab.statistics.secondary import Secondary

METHODS = ("exact", "mid-p")
_QUESTION = "do these two checkpoints differ on examples like these? says nothing of new seeds"


def mcnemar(first: ArrayLike, second: ArrayLike, method: str = "exact") -> Secondary:
    """McNemar's test on one checkpoint of each variant.

    ``first``, ``second`` (examples,) bool, right or wrong. ``estimate`` is the difference in accuracy; there
    is no interval. "exact" takes both tails of the binomial of those examples on which exactly one is right;
    "mid-p" counts what was seen by half, because the exact test rejects too seldom. Without such an example p
    is 1. Raises InputError on other input.
    Sources: McNemar, Psychometrika 12 (1947); Fagerland, Lydersen and Laake, BMC Medical Research
    Methodology 13 (2013).
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown: {nearest(str(method), METHODS)}")
    one, other = np.asarray(first), np.asarray(second)
    if one.dtype != np.bool_ or other.dtype != np.bool_:
        raise InputError(f"McNemar: scores are of type {one.dtype} and {other.dtype}: give booleans")
    if one.ndim != 1 or one.shape != other.shape or not one.size:
        raise InputError(
            f"McNemar: scores have shapes {one.shape} and {other.shape}: give (examples,) in both"
        )
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    fewer, seen = min(won, lost), won + lost
    below, here = stats.binom.cdf(fewer - 1, seen, 0.5), stats.binom.pmf(fewer, seen, 0.5)
    p = 2 * below + (here if method == "mid-p" else 2 * here)
    estimate = (won - lost) / one.size
    return Secondary(f"McNemar, {method}", estimate, math.nan, math.nan, min(float(p), 1.0), _QUESTION)
