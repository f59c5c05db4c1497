"""The recommendation: the cheapest variant that is not inferior to the best. Free of torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.analysis.contrasts import Compared, Comparison, Pair
from trimtab.statistics import Contrast, holm
from trimtab.statistics.equivalence import not_inferior

Row = dict[str, Any]


@dataclass(frozen=True)
class Recommendation:
    """What to use on one test set, or why nothing can be named yet.

    best: the row of the best mean; candidate: the row of the variant that is recommended, or else of that
    which came nearest; both have name, mean, examples_per_second, peak_bytes and ``alike`` (the names of
    variants with identical inputs). p: Holm's adjusted p of the candidate; named: whether p is under alpha.
    hardest: the candidate against the variant to which it is hardest to be shown not inferior; None where
    some other variant shares no seed with it. compared: the number of variants that have finished a trial,
    of ``asked`` that the study has; fewest_seeds: of any comparison of the candidate.
    """

    best: Row
    candidate: Row
    named: bool
    p: float
    hardest: Row | None
    compared: int
    asked: int
    fewest_seeds: int


def recommend(comparison: Comparison, means: Sequence[Row], speeds: Sequence[Row]) -> Recommendation | None:
    """The cheapest variant, by examples/s of training and then memory, not inferior by the margin or more.

    Which variant is the best is not known: the one that looks best was chosen by looking, and a test against
    it alone would forget that. So each candidate is tested against every other variant: it is inferior to
    the best by the margin or more just where it is so to some variant, so that its p is the largest of the
    one-sided t tests of difference > -margin (an intersection-union test, Berger, Technometrics 24 (1982)),
    from the crossed analysis of their contrast. The candidates are adjusted by Holm over all variants, as the
    cheapest is chosen among those that pass. Speeds are taken as measured: of two that cost almost the same,
    chance may choose. None with fewer than two variants, or where some are replicas, so that nothing is
    there to be chosen.
    """
    rows = _candidates(comparison, means, speeds)
    if len(rows) < 2 or comparison.has_replicas(list(rows)):
        return None
    margin, alpha = comparison.settings["margin"], comparison.settings["alpha"]
    best = max(rows, key=lambda number: rows[number]["mean"])
    near = list(rows)
    if len({tuple(comparison.scores.seeds(number)) for number in rows}) == 1:
        # Who is the margin or more below the best mean has a p over one half, and need not be compared. Of
        # means that stand on other seeds that could not be said.
        near = [number for number in rows if rows[number]["mean"] > rows[best]["mean"] - margin]
    tests = _tests(comparison, near, list(rows))
    effective = comparison.effective_clusters
    p = {number: _largest(tests.get(number), len(rows) - 1, margin, effective) for number in rows}
    adjusted = dict(zip(rows, holm(list(p.values())), strict=True))
    passed = [number for number in near if adjusted[number] < alpha]
    chosen = (
        min(passed, key=lambda n: _cost(rows[n])) if passed else min(near, key=lambda n: (p[n], n != best))
    )
    return Recommendation(
        best=rows[best],
        candidate=rows[chosen],
        named=bool(passed),
        p=float(adjusted[chosen]),
        hardest=_hardest(comparison, tests.get(chosen, []), len(rows) - 1, margin),
        compared=len(rows),
        asked=sum(row["same_as"] == number for number, row in enumerate(comparison.study["variants"])),
        fewest_seeds=min((len(one.seeds) for one in tests.get(chosen, [])), default=0),
    )


def _candidates(comparison: Comparison, means: Sequence[Row], speeds: Sequence[Row]) -> dict[int, Row]:
    """The variants of which no two have identical inputs, by number, with what they cost."""
    cost = {row["variant"]: row for row in speeds}
    alike: dict[str, list[str]] = {}
    for row in means:
        if row["same_as"]:
            alike.setdefault(row["same_as"], []).append(row["name"])
    return {
        row["variant"]: {key: row[key] for key in ("name", "mean")}
        | {key: cost[row["variant"]][key] for key in ("examples_per_second", "peak_bytes")}
        | {"alike": alike.get(row["name"], [])}
        for row in means
        if not row["same_as"]
    }


def _tests(comparison: Comparison, near: list[int], every: list[int]) -> dict[int, list[Compared]]:
    """Each of ``near`` against every other variant; each two are compared once, and seen from both sides."""
    two = sorted({(min(one, other), max(one, other)) for one in near for other in every if one != other})
    pairs: list[Pair] = [(one, other, comparison.paired(one, other)) for one, other in two]
    tests: dict[int, list[Compared]] = {}
    for compared in comparison.of(pairs):
        for seen in (compared, compared.turned()):
            tests.setdefault(seen.variant, []).append(seen)
    return tests


def _largest(tests: list[Compared] | None, others: int, margin: float, effective: float) -> float:
    """The p of a candidate; 1 where some other variant could not be compared with it, or was not."""
    if tests is None or len(tests) < others:
        return 1.0
    return max(_p_inferior(one.contrast, margin, effective) for one in tests)


def _p_inferior(contrast: Contrast, margin: float, effective_clusters: float) -> float:
    """One-sided p of a difference over -margin; 1 where nothing is known of chance."""
    if contrast.se > 0:
        return not_inferior(contrast.delta, contrast.se, contrast.df, margin, effective_clusters)
    # The same scores everywhere: what speaks for no difference is how many there are.
    equal = contrast.se == 0 and contrast.ci_low == 0 and not math.isnan(contrast.p_equivalence)
    return contrast.p_equivalence if equal else 1.0


def _hardest(comparison: Comparison, tests: list[Compared], others: int, margin: float) -> Row | None:
    if len(tests) < others:
        return None
    effective = comparison.effective_clusters
    one = max(tests, key=lambda one: (_p_inferior(one.contrast, margin, effective), -one.contrast.delta))
    name = comparison.study["variants"][one.baseline]["name"]
    contrast = one.contrast
    return {"name": name, "delta": contrast.delta, "ci_low": contrast.ci_low, "ci_high": contrast.ci_high}


def _cost(row: Row) -> tuple[float, float]:
    return -row["examples_per_second"], row["peak_bytes"]
