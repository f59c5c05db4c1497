"""Contrasts of a ledger's variants, each on the seeds that its two variants have both finished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import VariantRecord
from trimtab.statistics import Contrast, Score, compare, effective_clusters, one_family
from trimtab.statistics.equivalence import not_inferior
from trimtab.statistics.power import contrast_parts, seeds_to_settle
from trimtab.study.compared import ComparedStudy, ComparedVariant
from trimtab.study.grid import DeclaredContrast, are_paired

Digests = Mapping[int, NDArray[np.uint64]]  # (examples,) by number of a variant


@dataclass(frozen=True)
class Compared:
    """One variant against another: the contrast, not adjusted, and the seeds that both have finished."""

    variant: ComparedVariant
    baseline: ComparedVariant
    seeds: list[int]
    contrast: Contrast

    def turned(self) -> "Compared":
        """The same seen from the other side."""
        c = self.contrast
        swapped = {"better": "worse", "worse": "better"}.get(c.verdict, c.verdict)
        # Taken from 0, so that no difference is 0 and not -0.
        turned = replace(
            c,
            variant=c.baseline,
            baseline=c.variant,
            delta=0.0 - c.delta,
            ci_low=0.0 - c.ci_high,
            ci_high=0.0 - c.ci_low,
            verdict=swapped,
        )
        return Compared(self.baseline, self.variant, self.seeds, turned)


@dataclass(frozen=True)
class ContrastRow:
    """A declared contrast, adjusted with the others of all test sets as one family.

    affected_share: the share of examples that the two variants cut differently, None where they read with
    different tokenisers, or nothing is known of their inputs. more_seeds: how many more would settle an
    inconclusive one with a chance of 80 %, if the truth is what was found; inf where none up to 1,000 does,
    nan where nothing is known of chance, None where the contrast is settled. withheld: the verdict that the
    finished seeds would give, where a seed of either variant diverged: it was left out of the contrast, which
    flatters the variant, so that the verdict is 'inconclusive'.
    """

    variant: ComparedVariant
    baseline: ComparedVariant
    seeds: list[int]
    contrast: Contrast
    affected_share: float | None
    more_seeds: float | None
    withheld: str | None = None


@dataclass(frozen=True)
class UncomparedRow:
    """A declared contrast whose two variants have finished no seed in common."""

    variant: ComparedVariant
    baseline: ComparedVariant


class Comparison:
    """The variants of a study on one test set, to be compared pair by pair.

    clusters: (examples,) int or None; unstable: numbers of variants with a seed that diverged. A seed that
    one of two variants lacks is left out of their contrast alone. Replicas of one variant have independent
    seeds, so their spreads over seeds are pooled; all other variants keep their own, as they share seed
    numbers.
    """

    def __init__(
        self,
        study: ComparedStudy,
        scores: ScoredLogits,
        clusters: NDArray | None,
        unstable: frozenset[int] = frozenset(),
    ) -> None:
        self.study, self.scores, self.clusters, self.unstable = study, scores, clusters, unstable
        self._finished = {variant.number for variant in scores.variants}

    @property
    def effective_clusters(self) -> float:
        """How many clusters speak for equivalence; nan for scores beyond 0 to 1, of which none can tell."""
        if not self.scores.score.bounded:
            return math.nan
        examples = len(self.scores.labels)
        return effective_clusters(np.arange(examples) if self.clusters is None else self.clusters)

    def by(self, score: Score) -> "Comparison":
        """The same variants by another score."""
        return Comparison(self.study, self.scores.by(score), self.clusters, self.unstable)

    def withhold(self, variant: ComparedVariant, baseline: ComparedVariant, contrast: Contrast) -> Contrast:
        """The contrast without its verdict, where a seed of either variant diverged."""
        if not {variant.number, baseline.number} & self.unstable or contrast.verdict == "identical":
            return contrast
        return replace(contrast, verdict="inconclusive")

    def p_not_inferior(self, contrast: Contrast) -> float:
        """One-sided p of a difference over minus the study's margin; 1 where nothing is known of chance."""
        if contrast.se > 0:
            margin = self.study.compare.margin
            return not_inferior(contrast.delta, contrast.se, contrast.df, margin, self.effective_clusters)
        # The same scores everywhere: what speaks for no difference is how many there are.
        equal = contrast.se == 0 and contrast.ci_low == 0 and not math.isnan(contrast.p_equivalence)
        return contrast.p_equivalence if equal else 1.0

    def pair(self, variant: ComparedVariant, baseline: ComparedVariant) -> DeclaredContrast:
        """Two variants that the study does not name together, as a contrast to compare."""
        return DeclaredContrast(variant.number, baseline.number, are_paired(variant, baseline))

    def of(self, contrasts: Sequence[DeclaredContrast]) -> list[Compared]:
        """Compare them, in their order; those whose variants have no seed in common are left out."""
        by_seeds: dict[tuple[int, ...], list[DeclaredContrast]] = {}
        for one in contrasts:
            if {one.variant, one.baseline} <= self._finished:
                seeds = self.scores.seeds(self.study.variants[one.variant], self.study.variants[one.baseline])
                by_seeds.setdefault(tuple(seeds), []).append(one)
        every = [self._on(list(seeds), some) for seeds, some in by_seeds.items() if seeds]
        found = {(c.variant.number, c.baseline.number): c for compared in every for c in compared}
        return [found[c.variant, c.baseline] for c in contrasts if (c.variant, c.baseline) in found]

    def _on(self, seeds: list[int], contrasts: list[DeclaredContrast]) -> list[Compared]:
        able = [one for one in self.scores.variants if set(seeds) <= set(self.scores.seeds(one))]
        place = {variant.number: k for k, variant in enumerate(able)}
        results = compare(
            np.stack([self.scores.on(variant, seeds) for variant in able]),
            [(place[c.variant], place[c.baseline]) for c in contrasts],
            clusters=self.clusters,
            groups=[_but_for_replica(variant) for variant in able],
            identical=[[one.same_as == other.same_as for one in able] for other in able],
            paired=[c.paired for c in contrasts],
            alpha=self.study.compare.alpha,
            margin=self.study.compare.margin,
            correction="none",
            bounded=self.scores.score.bounded,
        )
        variants = self.study.variants
        return [
            Compared(
                variants[c.variant],
                variants[c.baseline],
                seeds,
                replace(result, variant=c.variant, baseline=c.baseline),
            )
            for c, result in zip(contrasts, results, strict=True)
        ]


@dataclass(frozen=True)
class Family:
    """Over how much p is adjusted: the contrasts that have a p, and the test sets that they are of."""

    tested: int
    sets: int


def family_of(groups: Iterable[Iterable[Contrast]]) -> Family:
    """The family of the contrasts of several test sets, one group each."""
    numbers = [sum(not math.isnan(one.p) for one in group) for group in groups]
    return Family(tested=sum(numbers), sets=sum(number > 0 for number in numbers))


def as_rows(
    groups: Sequence[tuple[Comparison, Sequence[Compared], Digests]], *, with_seeds: bool = True
) -> list[list[ContrastRow]]:
    """Contrasts of several test sets adjusted as one family.

    Each group: a test set, its contrasts, and the digests of its rows. with_seeds: with the number of seeds
    that would settle each.
    """
    if not groups:
        return []
    settings = groups[0][0].study.compare
    results = iter(
        one_family(
            [c.contrast for _, compared, _ in groups for c in compared], settings.alpha, settings.correction
        )
    )
    adjusted = [[replace(c, contrast=next(results)) for c in compared] for _, compared, _ in groups]
    tested = family_of([c.contrast for c in compared] for compared in adjusted).tested
    return [
        _rows(comparison, compared, digests, tested, with_seeds)
        for (comparison, _, digests), compared in zip(groups, adjusted, strict=True)
    ]


def _rows(
    comparison: Comparison, adjusted: Sequence[Compared], digests: Digests, tested: int, with_seeds: bool
) -> list[ContrastRow]:
    """A withheld verdict lacks no seeds: its ``more_seeds`` is None."""
    return [
        ContrastRow(
            c.variant,
            c.baseline,
            c.seeds,
            shown := comparison.withhold(c.variant, c.baseline, c.contrast),
            affected_share=_affected_share(digests, c),
            more_seeds=_more_seeds(comparison, c, tested) if with_seeds else None,
            withheld=None if shown.verdict == c.contrast.verdict else c.contrast.verdict,
        )
        for c in adjusted
    ]


def _affected_share(digests: Digests, compared: Compared) -> float | None:
    if not read_alike(compared.variant, compared.baseline):
        return None
    return float((digests[compared.variant.number] != digests[compared.baseline.number]).mean())


def read_alike(one: ComparedVariant, other: ComparedVariant) -> bool:
    """Whether two variants are known to read with one tokeniser, so that their inputs can be compared."""
    if isinstance(one, VariantRecord) and isinstance(other, VariantRecord):
        return one.tokenizer == other.tokenizer
    return False


def uncompared_rows(study: ComparedStudy, rows: Sequence[ContrastRow]) -> list[UncomparedRow]:
    """The declared contrasts that have no row, as their variants share no finished seed."""
    there = {(row.variant.number, row.baseline.number) for row in rows}
    return [
        UncomparedRow(study.variants[c.variant], study.variants[c.baseline])
        for c in study.contrasts
        if (c.variant, c.baseline) not in there
    ]


def have_replicas(variants: Sequence[ComparedVariant]) -> bool:
    """Whether two of these variants are one but for their seeds."""
    rest = [_but_for_replica(variant) for variant in variants]
    return len(set(rest)) < len(rest)


def _more_seeds(comparison: Comparison, compared: Compared, tested: int) -> float | None:
    result = compared.contrast
    if result.verdict != "inconclusive":
        return None
    if not result.se > 0:
        return math.nan
    first, second = (comparison.scores.on(v, compared.seeds) for v in (compared.variant, compared.baseline))
    parts = contrast_parts(first, second, comparison.clusters, result.paired)
    total = seeds_to_settle(
        parts,
        result.delta,
        comparison.study.compare.margin,
        tested,
        comparison.study.compare.alpha,
        paired=result.paired,
        effective_clusters=comparison.effective_clusters,
    )
    return math.inf if total is None else max(1, total - len(compared.seeds))


def _but_for_replica(variant: ComparedVariant) -> str:
    """What tells a variant apart, its replica left out."""
    rest = {key: value for key, value in variant.coordinates.items() if key != "replica"}
    return repr(sorted(rest.items()))
