"""Contrasts of a ledger's variants, each on the seeds that its two variants have both finished."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.statistics import (
    Contrast,
    Score,
    compare,
    effective_clusters,
    one_family,
    sequential,
    sequential_p,
)
from trimtab.statistics.compare import judged
from trimtab.statistics.equivalence import not_inferior
from trimtab.statistics.power import contrast_parts, seeds_to_settle
from trimtab.statistics.stopping import Course
from trimtab.study.grid import DeclaredContrast, are_paired

Digests = Mapping[int, NDArray[np.uint64]]  # (examples,) by number of a variant


@dataclass(frozen=True)
class Compared:
    """One variant against another: the contrast, not adjusted, and the seeds that both have finished."""

    variant: VariantRecord
    baseline: VariantRecord
    seeds: list[int]
    contrast: Contrast

    def turned(self) -> "Compared":
        """The same seen from the other side."""
        return Compared(self.baseline, self.variant, self.seeds, _turned(self.contrast))


def _turned(contrast: Contrast) -> Contrast:
    c = contrast
    # Taken from 0, so that no difference is 0 and not -0.
    return replace(
        c,
        variant=c.baseline,
        baseline=c.variant,
        delta=0.0 - c.delta,
        ci_low=0.0 - c.ci_high,
        ci_high=0.0 - c.ci_low,
        verdict={"better": "worse", "worse": "better"}.get(c.verdict, c.verdict),
        earlier=tuple(map(_turned, c.earlier)),
    )


@dataclass(frozen=True)
class ContrastRow:
    """A declared contrast, adjusted with the others of all test sets as one family.

    affected_share: the share of examples that the two variants cut differently, None where they read with
    different tokenisers. more_seeds: how many more would settle an inconclusive one with a chance of 80 %, if
    the truth is what was found; inf where none up to 1,000 does, nan where nothing is known of chance, None
    where the contrast is settled. withheld: the verdict that the finished seeds would give, where a seed of
    either variant diverged: it was left out of the contrast, which flatters the variant, so that the verdict
    is 'inconclusive'. course: over the study's planned looks, None without looks or where inputs are alike.
    """

    variant: VariantRecord
    baseline: VariantRecord
    seeds: list[int]
    contrast: Contrast
    affected_share: float | None
    more_seeds: float | None
    withheld: str | None = None
    course: Course | None = None


@dataclass(frozen=True)
class UncomparedRow:
    """A declared contrast whose two variants have finished no seed in common."""

    variant: VariantRecord
    baseline: VariantRecord


class Comparison:
    """The variants of a study on one test set, to be compared pair by pair.

    clusters: (examples,) int or None; diverged: by a variant's number, its seeds that diverged. A seed that
    one of two variants lacks is left out of their contrast alone. Replicas of one variant have independent
    seeds, so their spreads over seeds are pooled; all other variants keep their own, as they share seed
    numbers. looks: of the study's planned looks, how many have been taken: with looks, contrasts are those
    of the latest one, on the study's first seeds, and hold over all of them.
    """

    def __init__(
        self,
        study: StudyRecord,
        scores: ScoredLogits,
        clusters: NDArray | None,
        diverged: Mapping[int, Collection[int]] | None = None,
        looks: int = 0,
    ) -> None:
        self.study, self.scores, self.clusters, self.looks = study, scores, clusters, looks
        self._diverged = diverged or {}
        self._finished = {variant.number for variant in scores.variants}
        self._at_one_look: dict[tuple[int, DeclaredContrast], Compared | None] = {}

    @property
    def unstable(self) -> frozenset[int]:
        """Numbers of variants with a seed that diverged, among those that are compared."""
        seeds = self._seeds_at(self.looks)
        return frozenset(number for number, some in self._diverged.items() if not seeds.isdisjoint(some))

    def at(self, looks: int) -> "Comparison":
        """The same after so many of the planned looks."""
        other = Comparison(self.study, self.scores, self.clusters, self._diverged, looks)
        other._at_one_look = self._at_one_look
        return other

    def seeds(self, *variants: VariantRecord) -> list[int]:
        """The seeds on which all these variants are compared: those that all have finished, by then."""
        allowed = self._seeds_at(self.looks)
        return [seed for seed in self.scores.seeds(*variants) if seed in allowed]

    def sizes(self, seeds: Collection[int]) -> tuple[int, ...]:
        """How many of these seeds there were at each look so far, where they were two or more and rose."""
        numbers = [len(self._seeds_at(look).intersection(seeds)) for look in range(1, self.looks + 1)]
        return tuple(dict.fromkeys(number for number in numbers if number > 1))

    def _seeds_at(self, look: int) -> frozenset[int]:
        """The seeds of a look, from 1; before the first one they are its own."""
        planned = self.study.compare.looks
        return frozenset(self.study.seeds[: planned[max(look, 1) - 1]] if planned else self.study.seeds)

    @property
    def effective_clusters(self) -> float:
        """How many clusters speak for equivalence; nan for scores beyond 0 to 1, of which none can tell."""
        if not self.scores.score.bounded:
            return math.nan
        examples = len(self.scores.labels)
        return effective_clusters(np.arange(examples) if self.clusters is None else self.clusters)

    def by(self, score: Score) -> "Comparison":
        """The same variants by another score."""
        return Comparison(self.study, self.scores.by(score), self.clusters, self._diverged, self.looks)

    def withhold(self, variant: VariantRecord, baseline: VariantRecord, contrast: Contrast) -> Contrast:
        """The contrast without its verdict, where a seed of either variant diverged."""
        if not {variant.number, baseline.number} & self.unstable or contrast.verdict == "identical":
            return contrast
        return replace(contrast, verdict="inconclusive")

    def p_not_inferior(self, contrast: Contrast) -> float:
        """One-sided p of a difference over minus the study's margin; 1 where nothing is known of chance."""
        return sequential_p(contrast, self._p_not_inferior)

    def _p_not_inferior(self, contrast: Contrast) -> float:
        if contrast.se > 0:
            margin = self.study.compare.margin
            return not_inferior(contrast.delta, contrast.se, contrast.df, margin, self.effective_clusters)
        # The same scores everywhere: what speaks for no difference is how many there are.
        equal = contrast.se == 0 and contrast.ci_low == 0 and not math.isnan(contrast.p_equivalence)
        return contrast.p_equivalence if equal else 1.0

    def pair(self, variant: VariantRecord, baseline: VariantRecord) -> DeclaredContrast:
        """Two variants that the study does not name together, as a contrast to compare."""
        return DeclaredContrast(variant.number, baseline.number, are_paired(variant, baseline))

    def of(self, contrasts: Sequence[DeclaredContrast]) -> list[Compared]:
        """Compare them, in their order; those whose variants have no seed in common are left out."""
        able = [one for one in contrasts if {one.variant, one.baseline} <= self._finished]
        by_look = [self._at_look(look, able) for look in range(1, max(self.looks, 1) + 1)]
        if not self.study.compare.looks:
            return [found for found in by_look[-1] if found]
        each = [self._over_looks(found) for found in zip(*by_look, strict=True)]
        return [one for one in each if one]

    def _over_looks(self, found: Sequence[Compared | None]) -> Compared | None:
        """A contrast over its looks, None where its variants have no seed in common at any."""
        settings, latest = self.study.compare, found[-1]
        if latest is None:
            return None
        known = {len(one.seeds): one for one in found if one and len(one.seeds) > 1} if self.looks else {}
        each = [(size, one.contrast) for size, one in known.items()]
        contrast = sequential(
            each or [(len(latest.seeds), latest.contrast)],
            settings.looks[-1],
            settings.alpha,
            begun=bool(each),
        )
        return replace(latest, contrast=contrast)

    def _at_look(self, look: int, contrasts: Sequence[DeclaredContrast]) -> list[Compared | None]:
        """Each on the seeds of one look; None where its variants have no seed in common there."""
        known, allowed = self._at_one_look, self._seeds_at(look)
        by_seeds: dict[tuple[int, ...], list[DeclaredContrast]] = {}
        for one in contrasts:
            if (look, one) not in known:
                pair = self.study.variants[one.variant], self.study.variants[one.baseline]
                seeds = [seed for seed in self.scores.seeds(*pair) if seed in allowed]
                by_seeds.setdefault(tuple(seeds), []).append(one)
        for common, some in by_seeds.items():
            compared = self._on(list(common), some) if common else [None] * len(some)
            known.update({(look, one): each for one, each in zip(some, compared, strict=True)})
        return [known[look, one] for one in contrasts]

    def _on(self, seeds: list[int], contrasts: list[DeclaredContrast]) -> list[Compared]:
        able = [one for one in self.scores.variants if set(seeds) <= set(self.scores.seeds(one))]
        place = {variant.number: k for k, variant in enumerate(able)}
        results = compare(
            np.stack([self.scores.on(variant, seeds) for variant in able]),
            [(place[c.variant], place[c.baseline]) for c in contrasts],
            clusters=self.clusters,
            groups=[_but_for_replica(variant) for variant in able],
            identical=[[one.trials == other.trials for one in able] for other in able],
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


def row_at_look(
    comparison: Comparison, compared: Compared, digests: Digests, course: Course | None
) -> ContrastRow:
    """A declared contrast as it was at the look where it stopped, ``comparison`` being that of the look."""
    contrast = compared.contrast
    if course is not None:
        contrast = judged(contrast, course.p, course.p_equivalence, comparison.study.compare.alpha)
    [row] = _rows(comparison, [replace(compared, contrast=contrast)], digests, 0, with_seeds=False)
    return replace(row, course=course)


def _affected_share(digests: Digests, compared: Compared) -> float | None:
    if not read_alike(compared.variant, compared.baseline):
        return None
    return float((digests[compared.variant.number] != digests[compared.baseline.number]).mean())


def read_alike(one: VariantRecord, other: VariantRecord) -> bool:
    """Whether two variants read their texts with the same tokeniser, so that their inputs can be compared."""
    return one.tokenizer == other.tokenizer


def uncompared_rows(study: StudyRecord, rows: Sequence[ContrastRow]) -> list[UncomparedRow]:
    """The declared contrasts that have no row, as their variants share no finished seed."""
    there = {(row.variant.number, row.baseline.number) for row in rows}
    return [
        UncomparedRow(study.variants[c.variant], study.variants[c.baseline])
        for c in study.contrasts
        if (c.variant, c.baseline) not in there
    ]


def have_replicas(variants: Sequence[VariantRecord]) -> bool:
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


def _but_for_replica(variant: VariantRecord) -> str:
    """What tells a variant apart, its replica left out."""
    rest = {key: value for key, value in variant.coordinates.items() if key != "replica"}
    return repr(sorted(rest.items()))
