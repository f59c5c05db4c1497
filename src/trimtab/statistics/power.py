"""Power: what a study of given size can detect.

Everything starts from the ``Components`` (crossed.py) of one contrast: A, what the seeds contribute to the
variance of the difference, B, what the examples contribute, and E, the residual, which both contain. They
are estimated from trials (``contrast_parts``) or assumed (``assumed_parts``), carried over to other numbers
of seeds and examples (``rescaled``) and added up as in ``compare``.

Power is that of the analysis to come, averaged over what is not known: over the seeds' variance, where it
was estimated from few seeds, and over how well the analysis will estimate it. Levels are Holm's strictest,
alpha / contrasts, so that the power holds for each contrast, whatever the outcome of the others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from trimtab.config import InputError
from trimtab.statistics import crossed
from trimtab.statistics.crossed import Clusters, Components
from trimtab.statistics.inputs import cluster_labels, level, score_array
from trimtab.statistics.seed_variance import SeedVariance, chi_squared
from trimtab.statistics.spreads import SeedSpread

# Defaults where no trial exists yet; accuracies from 0 to 1.
SEED_DEVIATION = 0.004
DISAGREEMENT = 0.15
LASTING = 0.5
RESEMBLANCE = 0.1

Floats = NDArray[np.float64]

# Over so many quantiles each of the true and of the estimated variance power is averaged.
_QUANTILES = 32


def contrast_parts(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None, paired: bool = True
) -> Components:
    """The parts of variance of first minus second, two tables (seeds, examples); ``mean`` is the difference.

    ``clusters`` (examples,) int. Unpaired, A is the sum of both variants' own variances of seed means over S,
    and E the sum of their own. With one seed A and E are nan, with one cluster B and E. Raises InputError on
    tables that do not fit.
    """
    tables = score_array(first, axes=2), score_array(second, axes=2)
    if tables[0].shape != tables[1].shape:
        raise InputError(f"tables have shapes {tables[0].shape} and {tables[1].shape}: give two of one shape")
    n_examples = tables[0].shape[1]
    groups = Clusters(cluster_labels(clusters, n_examples), n_examples)
    return crossed.contrast_components(*tables, groups, paired)


def assumed_parts(
    n_seeds: int,
    n_examples: int,
    n_clusters: int | None = None,
    seed_deviation: float = SEED_DEVIATION,
    disagreement: float = DISAGREEMENT,
    lasting: float = LASTING,
    resemblance: float = RESEMBLANCE,
) -> Components:
    """The parts of variance of a difference of two accuracies before there is any trial.

    seed_deviation: standard deviation of one variant's accuracy over seeds; 0.004 as in the simulations by
        which the analysis was chosen. Those of two variants are taken as independent even where they share
        seeds, because a seed that is good for one truncation was not found to be good for another
        (results/probe-evidence).
    disagreement: the share of examples on which, of one model of each variant, exactly one is right. 0.15:
        two seeds of one variant differ on 0.13 to 0.14 in results/probe-evidence.
    lasting: the share of the disagreement that recurs with every seed; 0.5, there 0.3 to 0.6.
    resemblance: the correlation of the disagreement of two examples of one cluster; 0.1, a guess.

    Raises InputError where a number is out of its range.
    """
    n_clusters = n_examples if n_clusters is None else n_clusters
    _at_least("n_seeds", n_seeds, 1)
    _at_least("n_clusters", n_clusters, 1)
    _at_least("n_examples", n_examples, n_clusters)
    for name, value in (("disagreement", disagreement), ("lasting", lasting), ("resemblance", resemblance)):
        if not 0 <= value <= 1:
            raise InputError(f"{name} {value!r}: give a share from 0 to 1")
    if not 0 <= seed_deviation < np.inf:
        raise InputError(f"seed_deviation {seed_deviation!r}: give a number from 0, in the score's units")
    together = 1 + (n_examples / n_clusters - 1) * resemblance
    of_example = disagreement * together / n_examples
    residual = of_example * (1 - lasting) / n_seeds
    return Components(
        mean=np.asarray(0.0),
        seeds=np.asarray(2 * seed_deviation**2 / n_seeds + residual),
        examples=np.asarray(of_example * lasting + residual),
        residual=np.asarray(residual),
        n_seeds=n_seeds,
        n_clusters=n_clusters,
        examples_df=n_clusters - 1.0,
    )


def rescaled(
    parts: Components, n_seeds: int | NDArray[np.integer] | None = None, n_clusters: int | None = None
) -> Components:
    """The same contrast with other numbers of seeds and clusters; clusters keep their sizes.

    A scales with 1/S, B - E with 1/N, and E, of which both hold their share, with 1/(S N). ``n_seeds`` may be
    an array: then so are the parts. Raises InputError on a number below 1.
    """
    n_seeds = parts.n_seeds if n_seeds is None else n_seeds
    n_clusters = parts.n_clusters if n_clusters is None else n_clusters
    _at_least("n_seeds", int(np.min(n_seeds)), 1)
    _at_least("n_clusters", n_clusters, 1)
    seeds, examples = parts.n_seeds / np.asarray(n_seeds), parts.n_clusters / n_clusters
    residual = parts.residual * seeds * examples
    return replace(
        parts,
        # A holds E, which shrinks with the examples too.
        seeds=np.maximum((parts.seeds - parts.residual) * seeds + residual, 0.0),
        examples=np.maximum((parts.examples - parts.residual) * examples + residual, 0.0),
        residual=residual,
        n_seeds=n_seeds,
        n_clusters=n_clusters,
        examples_df=parts.examples_df * (n_clusters - 1) / max(parts.n_clusters - 1, 1),
    )


def smallest_detectable(
    parts: Components,
    n_seeds: int | None = None,
    contrasts: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    paired: bool = True,
    known: SeedVariance | None = None,
) -> float:
    """The smallest true difference that is called 'better' or 'worse' with probability ``power``.

    ``n_seeds`` planned, by default those of ``parts``; ``contrasts`` the size of Holm's family; ``known`` of
    the seeds' variance, by default that of ``parts`` is the true one. The answer is in the score's units; nan
    where the variance is unknown: with one seed, one cluster, or no variation.
    """
    planned = _planned(parts, n_seeds, paired, known)
    reach = -special.stdtrit(planned.df, _strictest(alpha, contrasts) / 2) * planned.se

    def found(difference: float) -> float:
        above = special.ndtr((difference - reach) / planned.deviation)
        return float(np.mean(above + special.ndtr((-difference - reach) / planned.deviation)))

    return _smallest(found, _power(power))


def smallest_margin(
    parts: Components,
    n_seeds: int | None = None,
    contrasts: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    paired: bool = True,
    known: SeedVariance | None = None,
    effective_clusters: float | None = None,
) -> float:
    """The smallest margin within which two equal variants are called 'equivalent' with probability ``power``.

    With ``effective_clusters`` as in ``se_at_margin``: nan for scores beyond 0 to 1, by default the number of
    clusters. All else as in ``smallest_detectable``.
    """
    planned = _planned(parts, n_seeds, paired, known)
    effective = parts.n_clusters if effective_clusters is None else effective_clusters
    unit = 0.0 if np.isnan(effective) else 1 / effective
    t = -special.stdtrit(planned.df, _strictest(alpha, contrasts))
    # A difference that falls short of the margin by y passes where y >= t * sqrt(se^2 + (y + unit) * unit).
    half = t**2 * unit / 2
    short = half + np.sqrt(half**2 + t**2 * (planned.se**2 + unit**2))

    def found(margin: float) -> float:
        inside = np.maximum(margin - short, 0.0) / planned.deviation
        return float(np.mean(special.ndtr(inside) - special.ndtr(-inside)))

    return _smallest(found, _power(power))


def floor_of_examples(
    parts: Components, contrasts: int = 1, alpha: float = 0.05, power: float = 0.8
) -> float:
    """The smallest true difference that these test examples can show with ``power``, however many seeds.

    (z_{1-alpha'/2} + z_power) * sqrt(B - E), in the score's units; nan with one seed or one cluster.
    """
    z = -special.ndtri(_strictest(alpha, contrasts) / 2) + special.ndtri(_power(power))
    return float(z * np.sqrt(np.maximum(parts.examples - parts.residual, 0.0)))


@dataclass(frozen=True)
class _Planned:
    """An analysis to come, over what it may find: true deviation of the difference, and its se and df."""

    deviation: Floats
    se: Floats
    df: Floats


def _planned(parts: Components, n_seeds: int | None, paired: bool, known: SeedVariance | None) -> _Planned:
    planned = parts if n_seeds is None else rescaled(parts, n_seeds)
    seeds = int(np.max(planned.n_seeds))
    if known is None:
        known = SeedVariance(float(np.maximum(planned.seeds, planned.residual)) * seeds, np.inf)
    freedom = seeds - 1 if paired else 2 * (seeds - 1)
    if not freedom:
        return _Planned(*np.full((3, 1), np.nan))
    true = np.maximum(known.shares(_QUANTILES)[:, None] / seeds, planned.residual)
    estimated = true * chi_squared(freedom, _QUANTILES) / freedom
    variance, df = analysed(replace(planned, seeds=estimated), paired)
    lasting = np.maximum(planned.examples - planned.residual, 0.0)
    deviation = np.sqrt(true + lasting) + np.zeros_like(estimated)
    return _Planned(deviation, np.sqrt(np.where(variance > 0, variance, np.nan)), df)


def analysed(parts: Components, paired: bool) -> tuple[Floats, Floats]:
    """The variance and degrees of freedom that an analysis of these parts would have.

    Unpaired, for two variants of equal spread, which ``parts`` do not hold apart.
    """
    if paired:
        return crossed.paired(parts)
    n_seeds = np.asarray(parts.n_seeds)
    # What Welch's degrees of freedom come to on average for two equal spreads.
    df = 2 * (n_seeds - 1) * n_seeds / (n_seeds + 1)
    spread = SeedSpread(parts.seeds * n_seeds / 2, df, 0)
    return crossed.unpaired(parts, spread, spread)


def _smallest(found: Callable[[float], float], power: float) -> float:
    """Where a chance that grows with its argument reaches ``power``; nan where it is nan."""
    low, high = 0.0, 1e-6
    while (chance := found(high)) < power:
        low, high = high, 8 * high
    if np.isnan(chance):
        return float("nan")
    if low == 0.0 and found(low) >= power:
        return 0.0
    return float(optimize.brentq(lambda value: found(value) - power, low, high, rtol=1e-5))


def _strictest(alpha: float, contrasts: int) -> float:
    _at_least("contrasts", contrasts, 1)
    return level(alpha) / contrasts


def _power(power: float) -> float:
    if not 0 < power < 1:
        raise InputError(f"power {power!r}: give a number between 0 and 1, such as 0.8")
    return power


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{name} {value!r}: give {least} or more")
