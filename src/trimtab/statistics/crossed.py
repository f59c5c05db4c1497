"""The crossed analysis of seeds x examples: two sources of chance, neither of which may be left out.

``table`` is always one (seeds, examples) slice of an array ``(variants, seeds, examples)``: the scores of
one variant, or the differences of two. S seeds, N examples, G clusters of examples. The variance of the
mean is put together from

    A  what the seeds contribute             Var_s(mean over i) / S
    B  what the examples contribute          G/(G-1) * sum_g (sum_{i in g} (c_i - mean))^2 / N^2
    E  what is left, contained in A and B    G/(G-1) * sum_s sum_g (sum_{i in g} e_si)^2 / ((S-1) S N^2)

with c_i the mean over seeds and e the residuals of the two-way table. Where each example is a cluster of
its own these are the ordinary mean squares of a two-way layout.

Source: crossed random effects as in Searle, Casella and McCulloch, Variance Components (1992), ch. 4, with
the degrees of freedom of Satterthwaite, Biometrics Bulletin 2 (1946); the floor under A and the df of the
paired form were chosen by simulation.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics.inputs import cluster_labels, level, score_array
from trimtab.statistics.spreads import SeedSpread, joint_df

Floats = NDArray[np.float64]

_NAN = math.nan
# A standard error under this many roundings of the largest score is rounding, not chance.
_ROUNDINGS = 16 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference, with its interval over new seeds and new examples, in the score's units.

    ``ci_low`` and ``ci_high`` are nan where the data permit no interval: with one seed or one cluster
    (then ``se`` is nan), and where the scores do not vary at all (then ``se`` is 0).
    """

    mean: float
    ci_low: float
    ci_high: float
    se: float
    df: float


NO_DIFFERENCE = Estimate(0.0, 0.0, 0.0, 0.0, _NAN)


class Clusters:
    """Which examples hang together; without labels each example stands alone.

    ``labels`` (examples,) int or None. ``sizes`` (clusters,) counts the examples of each cluster.
    """

    def __init__(self, labels: NDArray[np.integer] | None, n_examples: int):
        self.labels = labels
        self.sizes: Floats = np.ones(n_examples)
        if labels is not None:
            _, self._index, counts = np.unique(labels, return_inverse=True, return_counts=True)
            self.sizes = counts.astype(np.float64)

    def sums(self, table: Floats) -> Floats:
        """Sums over the examples of each cluster: (seeds, examples) to (seeds, clusters)."""
        if self.labels is None:
            return table
        return np.stack([np.bincount(self._index, weights=row) for row in table])

    def subset(self, mask: NDArray[np.bool_]) -> "Clusters":
        """The same clusters on the examples of a mask (examples,)."""
        return Clusters(None if self.labels is None else self.labels[mask], int(mask.sum()))


def effective_clusters(clusters: ArrayLike) -> float:
    """How many clusters of equal size would weigh as much: N^2 / sum of squared sizes.

    ``clusters`` (examples,) int. Raises InputError where it is empty.
    """
    labels = np.asarray(clusters)
    if labels.size == 0:
        raise InputError("clusters: there is no example; give one cluster id an example")
    sizes = Clusters(labels, labels.size).sizes
    return float(sizes.sum() ** 2 / np.square(sizes).sum())


@dataclass(frozen=True)
class Components:
    """The mean of a table and its parts of variance: ``seeds`` is A, ``examples`` B, ``residual`` E.

    A part is nan where it has no degree of freedom. ``paired`` and ``unpaired`` say how parts add up.
    """

    mean: float
    seeds: float
    examples: float
    residual: float
    n_seeds: int
    n_clusters: int


def components(table: Floats, clusters: Clusters) -> Components:
    """The mean of a (seeds, examples) table and its parts of variance, every example weighing the same."""
    n_seeds, n_examples = table.shape
    n_clusters = clusters.sizes.size
    by_seed = table.mean(axis=1)
    mean = float(by_seed.mean())
    sums = clusters.sums(table)
    by_cluster = sums.mean(axis=0)
    residual = sums - by_cluster
    residual -= np.outer(by_seed - mean, clusters.sizes)
    across = np.square(by_cluster - mean * clusters.sizes).sum() * n_clusters / n_examples**2
    within = np.square(residual).sum() * n_clusters / (n_seeds * n_examples**2)
    return Components(
        mean=mean,
        seeds=_ratio(np.square(by_seed - mean).sum() / n_seeds, n_seeds - 1),
        examples=_ratio(across, n_clusters - 1),
        residual=_ratio(within, (n_seeds - 1) * (n_clusters - 1)),
        n_seeds=n_seeds,
        n_clusters=n_clusters,
    )


def _ratio(total: float, freedom: int) -> float:
    return float(total) / freedom if freedom else _NAN


def paired(parts: Components) -> tuple[float, float]:
    """Variance of the mean and its degrees of freedom where one seed means one thing in the whole table.

    (nan, nan) with one seed or one cluster, (0, nan) where nothing varies.
    """
    if min(parts.n_seeds, parts.n_clusters) < 2:
        return _NAN, _NAN
    # A contains E; believing an A that chance made smaller would reject too many true nulls.
    variance = max(parts.seeds, parts.residual) + max(parts.examples - parts.residual, 0.0)
    if variance == 0:
        return 0.0, _NAN
    share = parts.examples / variance
    inverse = parts.seeds / variance / (parts.n_seeds - 1) + share**2 / (parts.n_clusters - 1)
    return variance, 1 / inverse if inverse else math.inf


def unpaired(
    difference: Components, residual: float, first: SeedSpread, second: SeedSpread
) -> tuple[float, float]:
    """Variance of a difference and its degrees of freedom where the two variants' seeds are independent.

    ``difference`` holds the parts of the table of differences, of which only B is used; ``residual`` is the
    sum of both variants' own E. (nan, nan) with one seed or one cluster, (0, nan) where nothing is left.
    """
    if min(difference.n_seeds, difference.n_clusters) < 2:
        return _NAN, _NAN
    seeds = (first.variance + second.variance) / difference.n_seeds
    variance = seeds + max(difference.examples - residual, 0.0)
    if variance == 0:
        return 0.0, _NAN
    share = difference.examples / variance
    inverse = share**2 / (difference.n_clusters - 1)
    if seeds > 0:
        inverse += (seeds / variance) ** 2 / joint_df(first, second)
    return variance, 1 / inverse if inverse else math.inf


def mean_interval(scores: ArrayLike, clusters: ArrayLike | None = None, alpha: float = 0.05) -> Estimate:
    """One variant's mean score with its interval over new seeds and new examples, never clipped to a range.

    ``scores`` (seeds, examples), ``clusters`` (examples,) int; the answer is in the score's units. With one
    seed or one cluster no such interval exists: its ends are nan. Where every score is the same nothing
    tells how far the next could lie: ``se`` is 0, the ends nan. Raises InputError on input that does not fit.
    """
    table = score_array(scores, axes=2)
    labels = cluster_labels(clusters, table.shape[1])
    parts = components(table.astype(np.float64), Clusters(labels, table.shape[1]))
    return _estimate(parts.mean, *paired(parts), _largest(table), level(alpha))


def difference(
    first: NDArray[Any],
    second: NDArray[Any],
    clusters: Clusters,
    alpha: float,
    spreads: tuple[SeedSpread, SeedSpread] | None = None,
) -> Estimate:
    """First minus second, two checked tables (seeds, examples): paired, or unpaired where spreads are given.

    Where the two are the same everywhere and nothing varies the answer is 0 with the interval [0, 0]; where
    they differ by the same amount everywhere ``se`` is 0 and the interval nan, as in ``mean_interval``.
    """
    table = np.subtract(first, second, dtype=np.float64)
    parts = components(table, clusters)
    if spreads is None:
        variance, df = paired(parts)
    else:
        own = [components(side.astype(np.float64), clusters).residual for side in (first, second)]
        variance, df = unpaired(parts, own[0] + own[1], *spreads)
    estimate = _estimate(parts.mean, variance, df, max(_largest(first), _largest(second)), alpha)
    return NO_DIFFERENCE if estimate.se == 0 and not table.any() else estimate


def _estimate(mean: float, variance: float, df: float, scale: float, alpha: float) -> Estimate:
    se = math.sqrt(variance)
    if se <= _ROUNDINGS * scale:
        return Estimate(mean, _NAN, _NAN, 0.0, _NAN)
    reach = float(stats.t.ppf(1 - alpha / 2, df)) * se
    return Estimate(mean, mean - reach, mean + reach, se, df)


def _largest(table: NDArray[Any]) -> float:
    return max(-float(table.min()), float(table.max()))
