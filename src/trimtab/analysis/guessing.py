"""Whether any variant is shown to beat guessing: the label-prior baseline, which ignores the text."""

import math
from collections.abc import Sequence

import numpy as np

from trimtab.analysis.means import MeanRow, p_above
from trimtab.statistics import IntervalEstimate, holm


def beats_guessing(means: Sequence[MeanRow], prior: float | None, alpha: float) -> bool | None:
    """Whether some variant's mean lies above ``prior``, by one-sided t tests adjusted by Holm over variants.

    Variants with the same trials are one. None where the score has no such baseline, or where no variant
    permits a test, as with one seed.
    """
    distinct = [row.estimate for row in means if row.same_as is None]
    if prior is None:
        return None
    p = np.array([_p_above(estimate, prior) for estimate in distinct])
    if np.isnan(p).all():
        return None
    return bool(np.nanmin(holm(p)) < alpha)


def one_beats_guessing(row: MeanRow, prior: float | None, alpha: float) -> bool | None:
    """Whether the mean of one variant, chosen without looking, lies above ``prior``: a one-sided t test.

    None where ``beats_guessing`` has None.
    """
    if prior is None or math.isnan(p := _p_above(row.estimate, prior)):
        return None
    return p < alpha


def _p_above(estimate: IntervalEstimate, prior: float) -> float:
    """One-sided p of a mean above ``prior``; nan where too little varies to tell.

    Where every score is the same, on every example and with every seed, the mean is all that there is.
    """
    if estimate.se == 0:
        return 0.0 if estimate.mean > prior else 1.0
    return p_above(estimate, prior)
