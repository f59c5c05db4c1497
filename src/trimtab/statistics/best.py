"""How much worse than the best each variant may be: multiple comparisons with the best, which is unknown.

``scores`` (variants, seeds, examples). Which variant is the best need not be known or chosen: the gap between
variant i and the best is at most the largest upper bound of mean_j - mean_i over all j, as the best is one
of them. So the bounds of variant i need no adjustment for the number of j, only for that of i.

Source: Hsu, Annals of Statistics 9 (1981) and 12 (1984), with Bonferroni's inequality in place of Dunnett's
distribution, which asks for equal variances.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.statistics import inputs
from trimtab.statistics.crossed import Clusters, Components, paired, per_freedom, unpaired
from trimtab.statistics.spreads import SeedSpread

Floats = NDArray[np.float64]

# Squared distances under this share of the squares that they come from are rounding.
_ROUNDING = 1e-12


def behind_best(bounds: ArrayLike) -> Floats:
    """How far each variant is behind the best, at most: (variants,), from ``gap_bounds``; never under 0.

    nan where nothing bounds the gap to some variant.
    """
    gaps = np.array(bounds, dtype=np.float64)
    np.fill_diagonal(gaps, 0.0)
    return np.asarray(gaps.max(axis=1, initial=0.0))


def gap_bounds(
    scores: ArrayLike,
    clusters: ArrayLike | None = None,
    together: ArrayLike = True,
    level: float = 0.05,
    bounded: bool | None = None,
) -> Floats:
    """Upper bounds of mean_j - mean_i at [i, j], each one-sided at 1 - ``level``: (variants, variants).

    The bound is the smallest margin at which ``not_inferior`` has p < ``level`` for i against j, at it and at
    every larger one. All pairs at once, from matrix products. For a statement about all variants at once give
    alpha / variants as the level. clusters: (examples,) int; together: whether a seed means the same in both,
    one bool or (variants, variants); bounded: whether scores lie between 0 and 1 by definition, by default
    their values decide. nan where nothing is known of chance, as with one seed. Raises InputError on input
    that does not fit.
    """
    array = inputs.score_array(scores)
    groups = Clusters(inputs.cluster_labels(clusters, array.shape[2]), array.shape[2])
    level = inputs.level(level)
    if bounded is None:
        bounded = bool(array.min() >= 0 and array.max() <= 1)
    delta, variance, df = _pairs(array, groups, np.broadcast_to(together, (len(array),) * 2))
    effective = groups.effective if bounded else math.nan
    found = _margins(delta, variance, df, level, effective)
    # The same scores everywhere: what speaks for no difference is how many there are.
    equal = (variance == 0) & (delta == 0)
    found[equal] = 1 - level ** (1 / effective)
    np.fill_diagonal(found, 0.0)
    return found


def _margins(delta: Floats, variance: Floats, df: Floats, level: float, effective: float) -> Floats:
    """The largest x with (delta + x) / se(x) = t, where se(x) is that of ``se_at_margin``."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = stats.t.isf(level, np.where(variance > 0, df, math.nan))
        if math.isnan(effective):
            return np.asarray(t * np.sqrt(variance) - delta)
        unit = 1 / effective
        variance, size = variance + unit**2, np.abs(delta)
        inside = t * np.sqrt(variance) - delta  # where that is under |delta|
        # Beyond |delta| by y: (y + c)^2 = t^2 (variance + y * unit).
        c = delta + size
        half = c - t**2 * unit / 2
        y = np.sqrt(half**2 - c**2 + t**2 * variance) - half
        return np.where(y >= 0, size + y, inside)


def _pairs(
    scores: NDArray[Any], clusters: Clusters, together: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Difference i minus j of all pairs, its variance and degrees of freedom: (variants, variants) each."""
    n_seeds, n_examples = scores.shape[1:]
    n_clusters = clusters.sizes.size
    by_seed = scores.mean(axis=2, dtype=np.float64)
    mean = by_seed.mean(axis=1)
    deviation = by_seed - mean[:, None]
    sums = clusters.sums(scores.mean(axis=1, dtype=np.float64))
    across = _Distances(len(scores))
    across.add(sums - mean[:, None] * clusters.sizes)
    within, seeds = _Distances(len(scores)), _Distances(len(scores))
    seeds.add(deviation)
    for s in range(n_seeds):  # one at a time, as all residuals could exceed the memory
        residual = clusters.sums(scores[:, s].astype(np.float64)) - sums
        within.add(residual - deviation[:, s, None] * clusters.sizes)
    scale = n_clusters / n_examples**2

    def parts(seed: Floats, own: Floats) -> Components:
        return Components(
            mean=mean[:, None] - mean,
            seeds=per_freedom(seed / n_seeds, n_seeds - 1),
            examples=per_freedom(across.apart * scale, n_clusters - 1),
            residual=per_freedom(own * scale / n_seeds, (n_seeds - 1) * (n_clusters - 1)),
            n_seeds=n_seeds,
            n_clusters=n_clusters,
            examples_df=clusters.df,
        )

    as_pairs = parts(seeds.apart, within.apart)
    variance, df = paired(as_pairs)
    if not together.all():
        spread = per_freedom(seeds.own, n_seeds - 1)
        spreads = [SeedSpread(side, n_seeds - 1, pool) for pool, side in enumerate((spread[:, None], spread))]
        alone = unpaired(parts(seeds.summed, within.summed), *spreads)
        variance, df = np.where(together, variance, alone[0]), np.where(together, df, alone[1])
    return as_pairs.mean, np.asarray(variance), np.asarray(df)


class _Distances:
    """Squared distances between the rows of tables that are added one after another.

    own: (variants,) sums of squares; apart, summed: (variants, variants), of the differences and of both.
    """

    def __init__(self, variants: int) -> None:
        self._products: Floats = np.zeros((variants, variants))

    def add(self, table: Floats) -> None:
        """Further columns of the rows: (variants, columns)."""
        self._products += table @ table.T

    @property
    def own(self) -> Floats:
        return np.diagonal(self._products)

    @property
    def summed(self) -> Floats:
        return np.asarray(self.own[:, None] + self.own)

    @property
    def apart(self) -> Floats:
        found = self.summed - 2 * self._products
        return np.where(found > _ROUNDING * self.summed, found, 0.0)
