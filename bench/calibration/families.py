"""Families of equal variants in the limit of many examples, where few seeds err: seed noise, size, test sets.

There B and E are known, and only the variance of the seeds is estimated. Of 10,000 examples, as
``statistics.power`` assumes them; seeds of variants are independent, all variants have one baseline.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from trimtab.statistics import assumed_parts, holm
from trimtab.statistics.crossed import Components, paired, unpaired
from trimtab.statistics.spreads import own_spread

EXAMPLES, ALPHA = 10_000, 0.05
COLLAPSED = 0.3  # by how much a collapsed model is worse


@dataclass(frozen=True)
class Family:
    """Equal variants against one baseline. seed_points: standard deviation over seeds, in points of accuracy.

    contrasts: of each of ``sets`` test sets, whose examples and seed effects are independent. collapse: the
    share of seeds of the first variant that learn nothing, while its other seeds are so much better that the
    true means are equal. paired: whether seeds are compared one by one, by the paired form of the analysis.
    """

    seeds: int
    seed_points: float
    contrasts: int
    sets: int = 1
    collapse: float = 0.0
    paired: bool = True


def families() -> list[Family]:
    """Every row: seed noise and sizes, then several test sets, then a variant that collapses now and then."""
    points, seeds = (0.1, 0.4, 0.8, 1.0, 1.5, 2.0), (2, 3, 4, 5, 8, 10)
    plain = [Family(s, noise, m) for noise in points for s in seeds for m in (1, 5, 11)]
    several = [Family(s, 0.4, 1, sets) for s in (3, 5, 10) for sets in (2, 3, 5)]
    alone = [Family(s, noise, m, paired=False) for noise in points[1::2] for s in seeds for m in (1, 5, 11)]
    return plain + alone + several + [Family(s, 0.4, 1, collapse=0.1) for s in (3, 5, 10)]


def row(family: Family, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """How often any contrast is called different after one Holm over all, and how often intervals cover.

    With collapse the rate is one of a known limit of every t test and has no limits: ``false_verdict``.
    """
    true = assumed_parts(family.seeds, EXAMPLES, seed_deviation=family.seed_points / 100)
    p, covered = zip(*[_one_set(family, true, studies, rng) for _ in range(family.sets)], strict=True)
    every = np.concatenate(p, axis=1)
    wrong = float(np.mean([holm(of_study).min() < ALPHA for of_study in every]))
    if family.collapse:
        return asdict(family) | {"false_verdict": wrong}
    return asdict(family) | {"family": wrong, "coverage": float(np.concatenate(covered, axis=1).mean())}


def _one_set(
    family: Family, true: Components, studies: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    of_seed = np.sqrt(true.seeds * family.seeds / 2)  # of one variant
    lasting = np.sqrt((true.examples - true.residual) / 2)
    means = of_seed * rng.standard_normal((studies, family.contrasts + 1, family.seeds))
    lost = rng.random((studies, family.seeds)) < family.collapse
    means[:, 1] += COLLAPSED * (family.collapse - lost)
    examples = lasting * rng.standard_normal((studies, family.contrasts + 1))
    by_seed = means[:, 1:] - means[:, :1]
    parts = Components(
        mean=by_seed.mean(axis=-1) + examples[:, 1:] - examples[:, :1],
        seeds=by_seed.var(axis=-1, ddof=1) / family.seeds,
        examples=true.examples,
        residual=true.residual,
        n_seeds=family.seeds,
        n_clusters=EXAMPLES,
        examples_df=EXAMPLES - 1.0,
    )
    if family.paired:
        variance, df = paired(parts)
    else:
        variance, df = unpaired(parts, own_spread(means[:, 1:], 1), own_spread(means[:, :1], 0))
    t = np.abs(parts.mean) / np.sqrt(variance)
    return np.asarray(2 * stats.t.sf(t, df)), np.asarray(t <= stats.t.isf(ALPHA / 2, df))
