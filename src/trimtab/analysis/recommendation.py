"""The recommendation: the cheapest variant that is not inferior to the best. Free of torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trimtab.analysis.alike import have_replicas
from trimtab.analysis.comparison import Compared, Comparison
from trimtab.analysis.means import MeanRow
from trimtab.analysis.throughput import ThroughputRow
from trimtab.statistics import holm
from trimtab.study.compared import ComparedVariant


@dataclass(frozen=True)
class Candidate:
    """A variant that could be recommended: its mean score and cost, and variants with identical inputs.

    examples_per_second, peak_bytes: of training, None where the predictions are all that is known.
    """

    variant: ComparedVariant
    mean: float
    examples_per_second: float | None
    peak_bytes: int | None
    alike: list[ComparedVariant]

    @property
    def cost(self) -> tuple[float, float]:
        """What the cheapest has least of: minus the throughput of training, then memory.

        Where costs are not known, the best mean counts as the cheapest.
        """
        if self.examples_per_second is None or self.peak_bytes is None:
            return -self.mean, 0.0
        return -self.examples_per_second, self.peak_bytes


@dataclass(frozen=True)
class Recommendation:
    """What to use on one test set, or why nothing can be named yet.

    best: the variant with the best mean; candidate: that which is recommended, or else came nearest. p:
    Holm's adjusted p of the candidate; named: whether p is under alpha, and some model has learned something.
    hardest: the candidate against the variant to which it is hardest to be shown not inferior; None where
    some other variant shares no seed with it. compared: the number of variants that have finished a trial, of
    ``asked`` that the study has; fewest_seeds: of any comparison of the candidate.
    """

    best: Candidate
    candidate: Candidate
    named: bool
    p: float
    hardest: Compared | None
    compared: int
    asked: int
    fewest_seeds: int


def recommend(
    comparison: Comparison,
    means: Sequence[MeanRow],
    speeds: Sequence[ThroughputRow],
    learned: bool | None,
) -> Recommendation | None:
    """The cheapest variant, by examples/s of training and then memory, not inferior by the margin or more.

    Where no cost is known, of predictions made elsewhere, that with the best mean of those not inferior.

    Which variant is the best is not known: the one that looks best was chosen by looking, and a test against
    it alone would forget that. So each candidate is tested against every other variant: it is inferior to the
    best by the margin or more just where it is so to some variant, so that its p is the largest of the
    one-sided t tests of difference > -margin (an intersection-union test, Berger, Technometrics 24 (1982)),
    from the crossed random effects of their contrast. The candidates are adjusted by Holm over all variants,
    as the cheapest is chosen among those that pass. Speeds are taken as measured: of two that cost almost the
    same, chance may choose. learned: whether some variant is shown to beat guessing, None where that cannot
    be asked; where none is, nothing is named, as variants that all guess are not inferior to each other and
    worth nothing. None with fewer than two variants, or where some are replicas, so that nothing is there to
    be chosen. A variant with a seed that diverged is never named.
    """
    candidates = _candidates(means, speeds)
    if len(candidates) < 2 or have_replicas([one.variant for one in candidates.values()]):
        return None
    settings, others = comparison.study.compare, len(candidates) - 1
    best = max(candidates.values(), key=lambda one: one.mean)
    near = _near(comparison, candidates, best)
    tests = _tests(comparison, near, candidates.values())
    p = {number: _largest_p(comparison, tests.get(number, []), others) for number in candidates}
    # A mean without the seeds that diverged flatters its variant.
    p |= dict.fromkeys(comparison.unstable & p.keys(), 1.0)
    adjusted = dict(zip(candidates, holm(list(p.values())), strict=True))
    passed = [one for one in near if adjusted[one.variant.number] < settings.alpha]
    chosen = (
        min(passed, key=lambda one: one.cost)
        if passed
        else min(near, key=lambda one: (p[one.variant.number], one is not best))
    )
    tested = tests.get(chosen.variant.number, [])
    return Recommendation(
        best=best,
        candidate=chosen,
        named=bool(passed) and learned is not False,
        p=float(adjusted[chosen.variant.number]),
        hardest=_hardest(comparison, tested) if len(tested) == others else None,
        compared=len(candidates),
        asked=sum(variant.is_first for variant in comparison.study.variants),
        fewest_seeds=min((len(one.seeds) for one in tested), default=0),
    )


def _candidates(means: Sequence[MeanRow], speeds: Sequence[ThroughputRow]) -> dict[int, Candidate]:
    """The variants of which no two have identical inputs, by number."""
    speed = {row.variant.number: row for row in speeds}
    alike: dict[int, list[ComparedVariant]] = {}
    for row in means:
        if row.same_as is not None:
            alike.setdefault(row.same_as.number, []).append(row.variant)
    return {
        row.variant.number: Candidate(
            row.variant,
            row.estimate.mean,
            known.examples_per_second if (known := speed.get(row.variant.number)) else None,
            known.peak_bytes if known else None,
            alike.get(row.variant.number, []),
        )
        for row in means
        if row.same_as is None
    }


def _near(comparison: Comparison, candidates: Mapping[int, Candidate], best: Candidate) -> list[Candidate]:
    """Those that may be recommended.

    One that is the margin or more below the best mean has a p over one half, and need not be compared. Of
    means that stand on other seeds that could not be said.
    """
    if len({tuple(comparison.scores.seeds(one.variant)) for one in candidates.values()}) > 1:
        return list(candidates.values())
    lowest = best.mean - comparison.study.compare.margin
    return [one for one in candidates.values() if one.mean > lowest]


def _tests(
    comparison: Comparison, near: Iterable[Candidate], every: Iterable[Candidate]
) -> dict[int, list[Compared]]:
    """Each of ``near`` against every other variant; each two are compared once, and seen from both sides."""
    numbers = [one.variant.number for one in near], [other.variant.number for other in every]
    two = sorted({(min(a, b), max(a, b)) for a in numbers[0] for b in numbers[1] if a != b})
    variants = comparison.study.variants
    tests: dict[int, list[Compared]] = {}
    for compared in comparison.of([comparison.pair(variants[a], variants[b]) for a, b in two]):
        for seen in (compared, compared.turned()):
            tests.setdefault(seen.variant.number, []).append(seen)
    return tests


def _largest_p(comparison: Comparison, tests: Sequence[Compared], others: int) -> float:
    """The p of a candidate; 1 where some other variant could not be compared with it, or was not."""
    if len(tests) < others:
        return 1.0
    return max(comparison.p_not_inferior(one.contrast) for one in tests)


def _hardest(comparison: Comparison, tests: Sequence[Compared]) -> Compared:
    return max(tests, key=lambda one: (comparison.p_not_inferior(one.contrast), -one.contrast.delta))
