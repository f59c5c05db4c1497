"""Intervals of contrasts that agree with their adjusted verdicts, to be shown beside the plain ones."""

import math

from scipy import stats

from trimtab.statistics.compare import Contrast

Interval = tuple[float, float]


def adjusted_interval(contrast: Contrast, alpha: float, tested: int) -> Interval:
    """The interval of a difference that excludes 0 exactly where its adjusted p is under ``alpha``.

    Its level is 1 - alpha * p / p_adjusted, so that it is as much wider than the plain one as the correction
    makes p larger. Where p_adjusted is 1, and so was cut off there, or is 0, the level is Bonferroni's,
    1 - alpha / tested; ``tested`` is the number of contrasts of the family that have a p. It shows one
    contrast's verdict and is no simultaneous interval: Holm's procedure has no simple one. With planned looks
    the level is that of all looks, as p is. In the score's units; the plain interval where no test was made,
    nan where there is none.
    """
    if not contrast.se > 0 or math.isnan(contrast.p):
        return contrast.ci_low, contrast.ci_high
    return _around(contrast, _level(contrast.p, contrast.p_adjusted, alpha, tested), sides=2)


def equivalence_interval(contrast: Contrast, alpha: float, tested: int) -> Interval:
    """The interval of the two one-sided tests: within the margin where they show equivalence at ``alpha``.

    Of level 1 - 2 * alpha' with alpha' = alpha * p_equivalence_raw / p_equivalence, Bonferroni's alpha /
    ``tested`` where that is cut off at 1 or 0. It may lie within the margin without equivalence being shown,
    as the tests of scores from 0 to 1 are made with a larger standard error (see ``se_at_margin``). In the
    score's units; the plain interval where nothing varies, nan where no test was made.
    """
    if contrast.se == 0:
        return contrast.ci_low, contrast.ci_high
    if not contrast.se > 0 or math.isnan(contrast.p_equivalence_raw):
        return math.nan, math.nan
    level = _level(contrast.p_equivalence_raw, contrast.p_equivalence, alpha, tested)
    return _around(contrast, level, sides=1)


def _level(p: float, adjusted: float, alpha: float, tested: int) -> float:
    return alpha * p / adjusted if 0 < adjusted < 1 else alpha / tested


def _around(contrast: Contrast, level: float, sides: int) -> Interval:
    nominal = level if contrast.looks is None else float(contrast.looks.nominal(level))
    reach = float(stats.t.isf(nominal / sides, contrast.df)) * contrast.se
    return contrast.delta - reach, contrast.delta + reach
