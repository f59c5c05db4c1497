"""Intervals that agree with adjusted p-values: they leave out 0 just where the adjusted p is under alpha."""

import math

from scipy import stats

from trimtab.statistics.compare import Contrast


def adjusted_interval(contrast: Contrast, alpha: float) -> tuple[float, float]:
    """The interval of a contrast at the level that its place in the family leaves it.

    Adjusting multiplies p by a factor, which depends on the other p-values (by Holm, on their order); the
    interval is the one at level 1 - alpha / factor, so that interval and verdict never seem to disagree. Such
    intervals are not simultaneous: together they may err more often than alpha. (nan, nan) where there is no
    interval; the plain one where no p was adjusted.
    """
    known = contrast.se > 0 and contrast.df > 0 and 0 < contrast.p <= contrast.p_adjusted
    if math.isnan(contrast.ci_low) or not known:
        return contrast.ci_low, contrast.ci_high
    factor = contrast.p_adjusted / contrast.p
    reach = float(stats.t.ppf(1 - alpha / factor / 2, contrast.df)) * contrast.se
    return contrast.delta - reach, contrast.delta + reach
