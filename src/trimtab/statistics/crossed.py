"""The crossed analysis of seeds x examples: two sources of chance, neither of which may be left out.

``table`` is one (seeds, examples) slice of an array ``(variants, seeds, examples)``: the scores of one
variant, or the differences of two. S seeds, N examples, G clusters of examples. The variance of the
mean is put together from

    A  what the seeds contribute             Var_s(mean over i) / S
    B  what the examples contribute          G/(G-1) * sum_g (sum_{i in g} (c_i - mean))^2 / N^2
    E  what is left, contained in A and B    G/(G-1) * sum_s sum_g (sum_{i in g} e_si)^2 / ((S-1) S N^2)

with c_i the mean over seeds and e the residuals of the two-way table. Where each example is a cluster of
its own these are the ordinary mean squares of a two-way layout.

Source: crossed random effects as in Searle, Casella and McCulloch, Variance Components (1992), ch. 4, with
the degrees of freedom of Satterthwaite, Biometrics Bulletin 2 (1946); the floor under A and the df were
chosen by simulation (results/calibration), the df so that a family of up to eleven contrasts holds its level
with two or three seeds whose spread is as large as the examples' or larger.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from trimtab.config import InputError
from trimtab.statistics.inputs import cluster_labels, level, score_array
from trimtab.statistics.spreads import SeedSpread, joint_df

Floats = NDArray[np.float64]

_NAN = math.nan
# A standard error under this many roundings of the largest score is rounding, not chance.
_ROUNDINGS = 16 * float(np.finfo(np.float64).eps)
# The quantile of chi-squared by which the seeds' variance is taken to be underestimated in ``paired``.
_LOW_SEEDS = 0.3


@dataclass(frozen=True)
class IntervalEstimate:
    """A mean or a difference, with its interval over new seeds and new examples, in the score's units.

    ``ci_low`` and ``ci_high`` are nan where the data permit no interval: with one seed or one cluster
    (then ``se`` is nan), and where the scores do not vary at all (then ``se`` is 0).
    """

    mean: float
    ci_low: float
    ci_high: float
    se: float
    df: float


NO_DIFFERENCE = IntervalEstimate(0.0, 0.0, 0.0, 0.0, _NAN)


class Clusters:
    """Which examples belong together; without labels each example is its own cluster.

    ``labels`` (examples,) int or None. ``sizes`` (clusters,) counts the examples of each cluster.
    """

    def __init__(self, labels: NDArray[np.integer] | None, n_examples: int):
        self.labels = labels
        self.sizes: Floats = np.ones(n_examples)
        if labels is not None:
            _, self._index, counts = np.unique(labels, return_inverse=True, return_counts=True)
            self.sizes = counts.astype(np.float64)

    @cached_property
    def effective(self) -> float:
        """How many clusters of equal size would weigh as much: N^2 / sum of squared sizes."""
        return float(self.sizes.sum() ** 2 / np.square(self.sizes).sum())

    @cached_property
    def df(self) -> float:
        """Degrees of freedom of B: G - 1 for clusters of equal size, fewer where a few large ones decide.

        Satterthwaite's for a sum of squares whose terms have variances that grow with n_g^2, as where the
        examples of a cluster fare alike: (sum n^2)^2 / sum n^4 in place of G.
        """
        squares = np.square(self.sizes)
        return float(squares.sum() ** 2 / np.square(squares).sum() * (1 - 1 / squares.size))

    def sums(self, table: NDArray[Any]) -> NDArray[Any]:
        """Sums over the examples of each cluster: (..., examples) to (..., clusters)."""
        if self.labels is None:
            return table
        rows = table.reshape(-1, table.shape[-1])
        sums = np.stack([np.bincount(self._index, weights=row) for row in rows])
        return sums.reshape(*table.shape[:-1], -1)


def effective_clusters(clusters: ArrayLike) -> float:
    """How many clusters of equal size would weigh as much: N^2 / sum of squared sizes.

    ``clusters`` (examples,) int. Raises InputError where it is empty.
    """
    labels = np.asarray(clusters)
    if labels.size == 0:
        raise InputError("clusters: there is no example; give one cluster id per example")
    return Clusters(labels, labels.size).effective


@dataclass(frozen=True)
class Components:
    """The mean of a table and its parts of variance: ``seeds`` is A, ``examples`` B, ``residual`` E.

    A part is nan where it has no degree of freedom; ``examples_df`` are those of B. ``paired`` and
    ``unpaired`` say how parts add up. Each is one number, or an array with one for each of many tables.
    """

    mean: Floats
    seeds: Floats
    examples: Floats
    residual: Floats
    n_seeds: int | NDArray[np.integer]
    n_clusters: int
    examples_df: float


def components(table: NDArray[Any], clusters: Clusters) -> Components:
    """The mean of a (..., seeds, examples) table and its parts of variance, every example weighing the same.

    Axes before the last two number tables that are analysed separately. All sums are in float64.
    """
    n_seeds, n_examples = table.shape[-2:]
    n_clusters = clusters.sizes.size
    by_seed = table.mean(axis=-1, dtype=np.float64)
    mean = by_seed.mean(axis=-1)
    deviation = by_seed - mean[..., None]
    by_cluster = clusters.sums(table.mean(axis=-2, dtype=np.float64))
    within = np.zeros_like(mean)
    for s in range(n_seeds):  # one at a time, so that arrays stay in the processor's cache
        residual = clusters.sums(table[..., s, :]) - by_cluster
        residual -= deviation[..., s, None] * clusters.sizes
        within += _squares(residual)
    across = _squares(by_cluster - mean[..., None] * clusters.sizes)
    scale = n_clusters / n_examples**2
    return Components(
        mean=mean,
        seeds=per_freedom(_squares(deviation) / n_seeds, n_seeds - 1),
        examples=per_freedom(across * scale, n_clusters - 1),
        residual=per_freedom(within * scale / n_seeds, (n_seeds - 1) * (n_clusters - 1)),
        n_seeds=n_seeds,
        n_clusters=n_clusters,
        examples_df=clusters.df,
    )


def _squares(values: Floats) -> Floats:
    return np.asarray(np.einsum("...i,...i->...", values, values))


def per_freedom(total: Floats, freedom: int) -> Floats:
    """A sum of squares over its degrees of freedom, nan where there are none."""
    return total / freedom if freedom else total * _NAN


def paired(parts: Components) -> tuple[Floats, Floats]:
    """Variance of the mean and its degrees of freedom where one seed means one thing in the whole table.

    (nan, nan) with one seed or one cluster, (0, nan) where nothing varies.
    """
    # A contains E; believing an A that chance made smaller would reject too many true nulls.
    seeds = np.maximum(parts.seeds, parts.residual)
    examples = np.maximum(parts.examples - parts.residual, 0.0)
    variance, freedom = seeds + examples, np.asarray(parts.n_seeds) - 1
    df_examples = np.asarray(parts.examples_df)
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = parts.seeds / variance / freedom + (parts.examples / variance) ** 2 / df_examples
        # The same chance that makes A too small would make df too large. Few seeds and a small A then give
        # the smallest p of a family, so df is taken for an A that errs as low as the lowest 30 % do.
        larger = seeds * freedom / special.chdtri(freedom, 1 - _LOW_SEEDS)
        floor = larger / (larger + examples) / freedom + (parts.examples / variance) ** 2 / df_examples
        return variance, 1 / np.maximum(inverse, floor)


def unpaired(parts: Components, first: SeedSpread, second: SeedSpread) -> tuple[Floats, Floats]:
    """Variance of a difference and its degrees of freedom where the two variants' seeds are independent.

    ``parts`` as ``contrast_components`` gives them unpaired; the spreads stand in for their A, which they may
    know better. (nan, nan) with one seed or one cluster, (0, nan) where nothing is left.
    """
    seeds = np.asarray(first.variance + second.variance) / parts.n_seeds
    # Without the floor two seeds reject a true null in 2 % of cases at a level of 1 %, as Holm asks for.
    variance = np.maximum(seeds, parts.residual) + np.maximum(parts.examples - parts.residual, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.asarray(joint_df(first, second), dtype=np.float64)
        of_examples = (parts.examples / variance) ** 2 / np.asarray(parts.examples_df)
        of_seeds = np.where(seeds > 0, (seeds / variance) ** 2 / freedom, 0.0)
        # As in ``paired``: df for an A that errs low. Two spreads seldom both do: the squared share does.
        larger = np.maximum(seeds, parts.residual) * freedom / special.chdtri(freedom, 1 - _LOW_SEEDS)
        share = larger / (larger + np.maximum(parts.examples - parts.residual, 0.0))
        floor = np.where(seeds > 0, share**2 / freedom, 0.0)
        return variance, 1 / (of_examples + np.maximum(of_seeds, floor))


def contrast_components(
    first: NDArray[Any], second: NDArray[Any], clusters: Clusters, paired: bool
) -> Components:
    """The parts of first minus second, tables (..., seeds, examples), in float64 whatever their type.

    Unpaired, A and E are the sums of the two variants' own: how their seeds are paired means nothing.
    """
    parts = components(np.subtract(first, second, dtype=np.float64), clusters)
    if paired:
        return parts
    own = [components(side, clusters) for side in (first, second)]
    return replace(parts, seeds=own[0].seeds + own[1].seeds, residual=own[0].residual + own[1].residual)


def mean_interval(
    scores: ArrayLike, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> IntervalEstimate:
    """One variant's mean score with its interval over new seeds and new examples, never clipped to a range.

    ``scores`` (seeds, examples), ``clusters`` (examples,) int; the answer is in the score's units. With one
    seed or one cluster no such interval exists: its ends are nan. Where every score is the same nothing
    tells how far the next could lie: ``se`` is 0, the ends nan. Raises InputError on input that does not fit.
    """
    table = score_array(scores, axes=2)
    labels = cluster_labels(clusters, table.shape[1])
    parts = components(table, Clusters(labels, table.shape[1]))
    return _estimate(float(parts.mean), *paired(parts), _largest(table), level(alpha))


def difference(
    first: NDArray[Any],
    second: NDArray[Any],
    clusters: Clusters,
    alpha: float,
    spreads: tuple[SeedSpread, SeedSpread] | None = None,
) -> IntervalEstimate:
    """First minus second, two checked tables (seeds, examples): paired, or unpaired where spreads are given.

    Where the two are the same everywhere and nothing varies the answer is 0 with the interval [0, 0]; where
    they differ by the same amount everywhere ``se`` is 0 and the interval nan, as in ``mean_interval``.
    """
    parts = contrast_components(first, second, clusters, paired=spreads is None)
    variance, df = paired(parts) if spreads is None else unpaired(parts, *spreads)
    estimate = _estimate(float(parts.mean), variance, df, max(_largest(first), _largest(second)), alpha)
    return NO_DIFFERENCE if estimate.se == 0 and np.array_equal(first, second) else estimate


def _estimate(mean: float, variance: Floats, df: Floats, scale: float, alpha: float) -> IntervalEstimate:
    se = math.sqrt(variance)
    if se <= _ROUNDINGS * scale:
        return IntervalEstimate(mean, _NAN, _NAN, 0.0, _NAN)
    reach = -float(special.stdtrit(df, alpha / 2)) * se
    return IntervalEstimate(mean, mean - reach, mean + reach, se, float(df))


def _largest(table: NDArray[Any]) -> float:
    return max(-float(table.min()), float(table.max()))
