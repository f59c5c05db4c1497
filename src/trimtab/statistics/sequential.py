"""One contrast over its planned looks: an interval and p-values that are valid whenever it stops."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from trimtab.statistics.compare import Contrast
from trimtab.statistics.looks import Looks


def sequential(
    found: Sequence[tuple[int, Contrast]], last: int, alpha: float, *, begun: bool = True
) -> Contrast:
    """The contrast at its latest look, with what holds over all looks so far.

    found: at each look, the number of seeds, rising, and the contrast with correction "none"; last: the most
    seeds that are planned; begun: whether a planned look has been reached. The interval is that of a t test
    at the look's nominal level; ``p``, ``p_adjusted`` and the p of equivalence are the smallest so far,
    adjusted for the looks alone; the verdict is left to the family. Unchanged where the inputs are identical.
    """
    (_, latest), sizes = found[-1], tuple(size for size, _ in found)
    if latest.verdict == "identical":
        return latest
    looks = Looks(sizes, last, begun)
    earlier = tuple(
        replace(one, looks=Looks(sizes[: number + 1], last)) for number, (_, one) in enumerate(found[:-1])
    )
    whole = replace(latest, looks=looks, earlier=earlier)
    p = sequential_p(whole, lambda one: one.p)
    p_equivalence = sequential_p(whole, lambda one: one.p_equivalence)
    low, high = latest.ci_low, latest.ci_high
    if latest.se > 0 and not math.isnan(low):
        reach = float(stats.t.isf(looks.nominal(alpha) / 2, latest.df)) * latest.se
        low, high = latest.delta - reach, latest.delta + reach
    return replace(
        whole,
        ci_low=low,
        ci_high=high,
        p=p,
        p_adjusted=p,
        p_equivalence=p_equivalence,
        p_equivalence_raw=p_equivalence,
        verdict="inconclusive",
    )


def sequential_p(contrast: Contrast, p: Callable[[Contrast], float]) -> float:
    """The smallest p over the looks at a contrast, each adjusted for its looks; plain ``p`` without looks.

    p: that of the contrast at one look. 1 where no look permits a test.
    """
    if contrast.looks is None:
        return p(contrast)
    found = [float(one.looks.adjusted(p(one))) for one in (*contrast.earlier, contrast) if one.looks]
    return float(np.fmin.reduce([1.0, *found]))
