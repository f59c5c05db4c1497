"""How much worse than the best each variant of a study may be. Free of torch."""

from itertools import combinations

import numpy as np

from trimtab.analysis.alike import have_replicas
from trimtab.analysis.comparison import Comparison
from trimtab.statistics import Looks, behind_best, gap_bounds


def worse_than_best(comparison: Comparison) -> dict[int, float]:
    """By a variant's number, what it is at most worse than the best, in the score's units.

    All bounds hold together with probability 1 - alpha: the level of each is alpha divided by the number of
    variants of which no two have identical inputs, whose bounds are one. Each two are compared on the seeds
    that both have finished; nan where a variant shares fewer than two with some other. Empty with fewer than
    two variants, or where some are replicas, so that none of them is the best. nan too for a variant with a
    seed that diverged, as a mean without it flatters.
    """
    distinct = comparison.scores.distinct
    if len(distinct) < 2 or have_replicas(distinct):
        return {}
    level = comparison.study.compare.alpha / len(distinct)
    place = {one.number: number for number, one in enumerate(distinct)}
    seeds = [comparison.seeds(one) for one in distinct]
    begins = [one.initialisation for one in distinct]  # equal ones are paired, see grid.are_paired
    bounds = np.full((len(distinct),) * 2, np.nan)
    for common in _common(seeds):
        able = [k for k, own in enumerate(seeds) if set(common) <= set(own)]
        found = gap_bounds(
            np.stack([comparison.scores.on(distinct[k], common) for k in able]),
            comparison.clusters,
            [[begins[k] == begins[other] for other in able] for k in able],
            _at_looks(comparison, common, level),
            comparison.scores.score.bounded,
        )
        # A pair that has more seeds in common is compared on those.
        here = [[len(set(seeds[k]) & set(seeds[other])) == len(common) for other in able] for k in able]
        bounds[np.ix_(able, able)] = np.where(here, found, bounds[np.ix_(able, able)])
    behind = behind_best(bounds)
    if comparison.scores.score.bounded:
        behind = np.minimum(behind, 1.0)  # no two scores lie farther apart
    behind[[one.number in comparison.unstable for one in distinct]] = np.nan
    return {
        one.number: float(behind[place[one.same_as]])
        for one in comparison.scores.variants
        if one.same_as in place
    }


def _at_looks(comparison: Comparison, common: list[int], level: float) -> float:
    """The level of a bound on these seeds, such that it holds at every planned look with ``level``."""
    planned = comparison.study.compare.looks
    if not planned:
        return level
    sizes = comparison.sizes(common) or (len(common),)
    return float(Looks(sizes, planned[-1]).nominal(level))


def _common(seeds: list[list[int]]) -> list[list[int]]:
    """The different sets of seeds that two variants have in common, each of two seeds or more."""
    own = list(dict.fromkeys(tuple(one) for one in seeds))
    found = {one: None for one in own if sum(tuple(each) == one for each in seeds) > 1}
    for first, second in combinations(own, 2):
        found[tuple(seed for seed in first if seed in second)] = None
    return [list(one) for one in found if len(one) > 1]
