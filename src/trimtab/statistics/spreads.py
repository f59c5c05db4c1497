"""The spread over unpaired seeds: each variant's own variance, or one pooled over its group."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

# The level at which Brown-Forsythe says that variances differ too much to be pooled.
_POOLING_LEVEL = 0.05


@dataclass(frozen=True)
class SeedSpread:
    """The variance between the seed means of a variant, with its degrees of freedom.

    ``pool`` is the same number for variants that share one pooled variance. The variance is one number, or
    an array with one for each of many tables.
    """

    variance: float | Floats
    df: float | Floats
    pool: int


def own_spread(seed_means: Floats, pool: int) -> SeedSpread:
    """The spread of one variant alone; ``seed_means`` (..., seeds), ``pool`` a number of its own."""
    n_seeds = seed_means.shape[-1]
    if n_seeds < 2:
        return SeedSpread(np.full(seed_means.shape[:-1], np.nan), 0, pool)
    return SeedSpread(seed_means.var(axis=-1, ddof=1), n_seeds - 1, pool)


def seed_spreads(seed_means: Floats, groups: Sequence[Hashable]) -> list[SeedSpread]:
    """The spread over seeds of each variant, pooled within groups where Brown-Forsythe finds that fair.

    ``seed_means`` (variants, seeds); ``groups`` (variants,) labels.
    Source: Brown and Forsythe, JASA 69 (1974).
    """
    n_seeds = seed_means.shape[1]
    spreads = [own_spread(means, k) for k, means in enumerate(seed_means)]
    if n_seeds < 2:
        return spreads
    members: dict[Hashable, list[int]] = {}
    for k, group in enumerate(groups):
        members.setdefault(group, []).append(k)
    for group_members in members.values():
        if len(group_members) > 1 and _alike(seed_means[group_members]):
            pooled = float(seed_means[group_members].var(axis=1, ddof=1).mean())
            df = len(group_members) * (n_seeds - 1)
            for k in group_members:
                spreads[k] = SeedSpread(pooled, df, group_members[0])
    return spreads


def _alike(seed_means: Floats) -> bool:
    # 0/0 (all deviations equal) gives nan, which is no evidence against pooling. With two seeds both of a
    # variant deviate equally, so any difference of spreads rejects: what cannot be checked is not pooled.
    with np.errstate(divide="ignore", invalid="ignore"):
        return not stats.levene(*seed_means, center="median").pvalue < _POOLING_LEVEL


def joint_df(first: SeedSpread, second: SeedSpread) -> float | Floats:
    """Degrees of freedom of the sum of two variances, which may be one and the same pooled variance.

    nan where both variances are 0. Source: Welch, Biometrika 34 (1947).
    """
    if first.pool == second.pool:
        return first.df
    total = np.asarray(first.variance + second.variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = (first.variance / total) ** 2 / np.asarray(first.df)
        inverse += (second.variance / total) ** 2 / np.asarray(second.df)
        return 1 / inverse
