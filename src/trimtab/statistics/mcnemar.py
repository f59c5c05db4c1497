"""McNemar's test: whether two checkpoints differ, which is not whether two strategies do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from trimtab.config import InputError


@dataclass(frozen=True)
class CheckpointTest:
    """McNemar's exact test of two checkpoints on the same examples.

    ``won`` and ``lost`` count the examples on which only the first, and only the second, is right;
    ``estimate`` is the difference in accuracy, first minus second, from -1 to 1. There is no interval.
    """

    won: int
    lost: int
    estimate: float
    p: float
    question: str = "do these two checkpoints differ on examples like these? says nothing of new seeds"


def mcnemar(first: ArrayLike, second: ArrayLike) -> CheckpointTest:
    """McNemar's exact test on one checkpoint of each variant.

    ``first``, ``second`` (examples,) bool: right or wrong. p is the two-sided binomial probability of a split
    at least as uneven as ``won`` to ``lost``; it is 1 where both are equal, also where both are 0. Raises
    InputError on other types or shapes.
    Source: McNemar, Psychometrika 12 (1947).
    """
    one, other = np.asarray(first), np.asarray(second)
    if one.dtype != np.bool_ or other.dtype != np.bool_:
        raise InputError(f"McNemar: scores are of type {one.dtype} and {other.dtype}: give booleans")
    if one.ndim != 1 or one.shape != other.shape or not one.size:
        raise InputError(
            f"McNemar: scores have shapes {one.shape} and {other.shape}: give (examples,) in both"
        )
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    fewer, seen = min(won, lost), won + lost
    p = 2 * stats.binom.cdf(fewer - 1, seen, 0.5) + 2 * stats.binom.pmf(fewer, seen, 0.5)
    return CheckpointTest(won, lost, (won - lost) / one.size, min(float(p), 1.0))
