"""What the secondary analyses share: one form of answer, which says what it answers, and checked tables.

Each looks at one pair of variants. None replaces ``compare``: every one of them leaves out a source of
chance or is too eager with few seeds, and its ``question`` says which. ``first`` and ``second`` are
(seeds, examples) on the same examples, more is better; a score that exists only as one number a seed goes in
as (seeds, 1).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.statistics.inputs import score_array

Floats = NDArray[np.float64]

ONE_SEED = (
    "none: one seed permits no claim about strategies, only about these two checkpoints, which is McNemar's "
    "question"
)
ONE_CLUSTER = "none: one example or one cluster permits no claim about new examples"
NO_SPREAD = "none: the scores do not vary enough to tell a difference from chance"

# A spread under this many roundings of the largest score is rounding, not chance.
_ROUNDINGS = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Secondary:
    """The answer of one secondary analysis of ``first`` against ``second``.

    ``estimate`` is first minus second in the score's units, unless the analysis says otherwise. ``ci_low``,
    ``ci_high`` and ``p`` are nan where the method has none, or where the data permit none. ``question`` is
    one line: what is answered, and what the method does not know.
    """

    name: str
    estimate: float
    ci_low: float
    ci_high: float
    p: float
    question: str


def unanswered(name: str, estimate: float, why: str) -> Secondary:
    """The estimate alone, and the reason why there is no more to it."""
    return Secondary(name, estimate, math.nan, math.nan, math.nan, why)


def table_pair(first: ArrayLike, second: ArrayLike, paired: bool = False) -> tuple[Floats, Floats]:
    """Both tables (seeds, examples) as floats. Raises InputError where one is no table, or they do not match.

    ``paired`` wants as many seeds in the one as in the other.
    """
    one, other = _table(first, "first"), _table(second, "second")
    if one.shape[1] != other.shape[1]:
        raise InputError(
            f"first has {one.shape[1]} examples, second {other.shape[1]}: give scores on the same examples"
        )
    if paired and len(one) != len(other):
        raise InputError(
            f"first has {len(one)} seeds, second {len(other)}: pairs need the same seeds in both; "
            "leave those of one alone out"
        )
    return one, other


def _table(scores: ArrayLike, name: str) -> Floats:
    try:
        return score_array(scores, axes=2).astype(np.float64)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def rounding(*arrays: Floats) -> float:
    """What rounding alone can make of equal numbers as large as the largest here, in the score's units."""
    return _ROUNDINGS * max(float(np.abs(array).max()) for array in arrays)


def generator(rng: Any) -> np.random.Generator:
    """The source of randomness. Raises InputError where it is no numpy Generator."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng {rng!r}: give a numpy.random.Generator, such as numpy.random.default_rng(0)")
    return rng


def resample_count(resamples: Any) -> int:
    """How many resamples to draw. Raises InputError under 100, where the ends of an interval are noise."""
    if not isinstance(resamples, int | np.integer) or resamples < 100:
        raise InputError(f"resamples {resamples!r}: give a whole number of at least 100")
    return int(resamples)
