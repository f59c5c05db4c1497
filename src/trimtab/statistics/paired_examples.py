"""Two checkpoints on the same examples, by any score: a paired t test over examples, or clusters of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics.crossed import Clusters
from trimtab.statistics.inputs import cluster_labels, level, score_array


@dataclass(frozen=True)
class PairedTest:
    """A paired t test of two checkpoints on the same examples, in the score's units.

    ``won`` and ``lost`` count the examples on which the first scores higher, and lower; ``estimate`` is the
    mean difference, first minus second. Where every difference is the same ``se`` is 0, the interval nan, and
    p 1 where that is 0, else nan.
    """

    won: int
    lost: int
    estimate: float
    ci_low: float
    ci_high: float
    se: float
    df: float
    p: float
    question: str = "do these two checkpoints differ on examples like these? says nothing of new seeds"


def paired_examples(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> PairedTest:
    """The difference of one checkpoint of each variant, (examples,) scores, over new examples alone.

    ``clusters`` (examples,) int: sums over them vary independently, with the degrees of freedom of
    ``Clusters.df``. Raises InputError on input that does not fit.
    """
    both = score_array(np.stack([np.asarray(first), np.asarray(second)]), axes=2).astype(np.float64)
    difference, number = both[0] - both[1], both.shape[1]
    groups = Clusters(cluster_labels(clusters, number), number)
    if groups.sizes.size < 2:
        raise InputError("paired test: one example or one cluster permits no claim about new examples")
    mean, count = float(difference.mean()), groups.sizes.size
    deviations = groups.sums(difference) - mean * groups.sizes
    se = float(np.sqrt(np.square(deviations).sum() * count / (count - 1))) / number
    if np.ptp(difference) == 0:
        se = 0.0
    reach = float(stats.t.ppf(1 - level(alpha) / 2, groups.df)) * (se or np.nan)
    p = float(2 * stats.t.sf(abs(mean) / se, groups.df)) if se else 1.0 if mean == 0 else float("nan")
    won, lost = int((difference > 0).sum()), int((difference < 0).sum())
    return PairedTest(won, lost, mean, mean - reach, mean + reach, se, groups.df, p)
