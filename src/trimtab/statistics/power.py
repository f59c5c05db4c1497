"""Power: what a study of given size can detect, and how many seeds a wanted answer needs.

Everything starts from the ``Components`` (crossed.py) of one contrast: A, what the seeds contribute to the
variance of the difference, B, what the examples contribute, and E, the residual, which both contain. They
are estimated from trials (``contrast_parts``) or assumed (``assumed_parts``), carried over to other numbers
of seeds and examples (``rescaled``) and added up as in ``compare``.

A difference is detectable where it is (t_{1-alpha'/2, df} + t_{power, df}) * sqrt(V), alpha' being Holm's
strictest level, alpha / contrasts: so it holds for each contrast, whatever the outcome of the others.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import crossed
from trimtab.statistics.crossed import Clusters, Components
from trimtab.statistics.equivalence import se_at_margin
from trimtab.statistics.inputs import cluster_labels, level, score_array
from trimtab.statistics.spreads import SeedSpread

# Defaults where no trial exists yet; accuracies from 0 to 1.
SEED_DEVIATION = 0.004
DISAGREEMENT = 0.15
LASTING = 0.5
RESEMBLANCE = 0.1

Floats = NDArray[np.float64]


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
) -> float:
    """The smallest true difference that is called 'better' or 'worse' with probability ``power``.

    ``n_seeds`` planned, by default those of ``parts``; ``contrasts`` the size of Holm's family. The answer is
    in the score's units; nan where the variance is unknown: with one seed, one cluster, or no variation. Two
    quantiles approximate the noncentral t, which would give 6 % more with five seeds and six contrasts.
    """
    planned = parts if n_seeds is None else rescaled(parts, n_seeds)
    return float(_detectable(planned, _strictest(alpha, contrasts), _power(power), paired))


def seeds_needed(
    parts: Components,
    difference: float,
    contrasts: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    limit: int = 1000,
    paired: bool = True,
) -> int | None:
    """The fewest seeds, two at least, that detect a true ``difference`` (score's units) with ``power``.

    None where no number up to ``limit`` does, because the examples' share alone is too large, or where the
    variance is unknown. Raises InputError unless the difference is a positive number.
    """
    _positive("difference", difference)
    many = _from_two_to(limit)
    detectable = _detectable(rescaled(parts, many), _strictest(alpha, contrasts), _power(power), paired)
    return _first(many, detectable <= difference)


def seeds_to_settle(
    parts: Components,
    delta: float,
    margin: float,
    contrasts: int = 1,
    alpha: float = 0.05,
    power: float = 0.8,
    limit: int = 1000,
    paired: bool = True,
    effective_clusters: float | None = None,
) -> int | None:
    """How many seeds in all would settle an inconclusive contrast with ``power``, if the truth is ``delta``.

    Settled is 'better' or 'worse', or 'equivalent' within ``margin``; both in the score's units. Never fewer
    than ``parts`` have. ``effective_clusters`` as in ``se_at_margin``: nan for scores beyond 0 to 1, by
    default the number of clusters. None where no number up to ``limit`` does, or the variance is unknown.
    """
    _positive("margin", margin)
    many = _from_two_to(limit)
    many = many[many >= parts.n_seeds]
    if not many.size:
        return None
    strictest, planned = _strictest(alpha, contrasts), rescaled(parts, many)
    different = _detectable(planned, strictest, _power(power), paired) <= abs(delta)
    variance, df = _variance(planned, paired)
    effective = parts.n_clusters if effective_clusters is None else effective_clusters
    se = se_at_margin(delta, np.where(variance > 0, np.sqrt(variance), np.nan), margin, effective)
    within = [(margin + side * delta) / se - stats.t.isf(strictest, df) for side in (-1, 1)]
    # Both one-sided tests must reject; they fail on opposite sides of the truth, so never both.
    equivalent = stats.t.cdf(within[0], df) + stats.t.cdf(within[1], df) - 1 >= power
    return _first(many, different | equivalent)


def _detectable(parts: Components, strictest: float, power: float, paired: bool) -> Floats:
    variance, df = _variance(parts, paired)
    reach = stats.t.isf(strictest / 2, df) + stats.t.ppf(power, df)
    return np.asarray(reach * np.sqrt(variance))


def _variance(parts: Components, paired: bool) -> tuple[Floats, Floats]:
    if paired:
        return crossed.paired(parts)
    n_seeds = np.asarray(parts.n_seeds)
    # What Welch's degrees of freedom come to on average for two equal spreads.
    df = 2 * (n_seeds - 1) * n_seeds / (n_seeds + 1)
    spread = SeedSpread(parts.seeds * n_seeds / 2, df, 0)
    return crossed.unpaired(parts, spread, spread)


def _first(many: NDArray[np.int64], enough: NDArray[np.bool_]) -> int | None:
    return int(many[enough.argmax()]) if enough.any() else None


def _from_two_to(limit: int) -> NDArray[np.int64]:
    _at_least("limit", limit, 2)
    return np.arange(2, limit + 1)


def _strictest(alpha: float, contrasts: int) -> float:
    _at_least("contrasts", contrasts, 1)
    return level(alpha) / contrasts


def _power(power: float) -> float:
    if not 0 < power < 1:
        raise InputError(f"power {power!r}: give a number between 0 and 1, such as 0.8")
    return power


def _positive(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise InputError(f"{name} {value!r}: give a positive number in the score's units")


def _at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{name} {value!r}: give {least} or more")
