"""What is known of the variance between seeds: little after a few, so chances are averaged over it.

A variance that few seeds give is often far too small or too large. Plans made as if it were the true one
promise too much. So it is drawn from a scaled inverse chi-squared distribution, centred between the
contrast's own and the mean over its study's contrasts, which counts as four degrees of freedom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trimtab.statistics.crossed import Components

Floats = NDArray[np.float64]

_SHARED_DF = 4


@dataclass(frozen=True)
class SeedVariance:
    """The variance of a difference between seeds: ``df`` * ``scale`` / chi-squared(``df``), squared units.

    E of a single seed is a part of it. df inf: it is ``scale``.
    """

    scale: float
    df: float

    def shares(self, number: int) -> Floats:
        """``number`` quantiles that stand for equal shares of it: (number,), ascending."""
        if np.isinf(self.df):
            return np.full(number, self.scale)
        return self.scale * self.df / chi_squared(self.df, number)[::-1]


def seed_variances(contrasts: Sequence[Components]) -> list[SeedVariance]:
    """What finished seeds, two at least, tell of the variance of each of a study's contrasts."""
    own = [max(float(parts.seeds), float(parts.residual)) * int(parts.n_seeds) for parts in contrasts]
    shared = float(np.mean(own)) if own else np.nan
    return [
        SeedVariance(
            (freedom * variance + _SHARED_DF * shared) / (freedom + _SHARED_DF), freedom + _SHARED_DF
        )
        for variance, freedom in zip(own, (int(parts.n_seeds) - 1 for parts in contrasts), strict=True)
    ]


@cache
def chi_squared(df: float, number: int) -> Floats:
    """``number`` quantiles that stand for equal shares of chi-squared: (number,), ascending."""
    return np.asarray(special.chdtri(df, 1 - midpoints(number)))


def midpoints(number: int) -> Floats:
    """The middles of ``number`` equal shares of the range from 0 to 1."""
    return (np.arange(number) + 0.5) / number
