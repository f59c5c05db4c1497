"""The variants of a study on one test set, compared pair by pair on the seeds that both have finished."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.alike import but_for
from trimtab.analysis.scores import ScoredLogits
from trimtab.statistics import (
    Contrast,
    FinishedContrast,
    Score,
    compare,
    contrast_parts,
    effective_clusters,
    sequential,
    sequential_p,
)
from trimtab.statistics.equivalence import not_inferior
from trimtab.study.compared import ComparedStudy, ComparedVariant
from trimtab.study.grid import DeclaredContrast, are_paired


@dataclass(frozen=True)
class Compared:
    """One variant against another: the contrast, not adjusted, and the seeds that both have finished."""

    variant: ComparedVariant
    baseline: ComparedVariant
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


class Comparison:
    """The variants of a study on one test set, to be compared pair by pair.

    clusters: (units,) int or None; diverged: by a variant's number, its seeds that diverged. A seed that
    one of two variants lacks is left out of their contrast alone. Replicas of one variant have independent
    seeds, so their spreads over seeds are pooled; all other variants keep their own, as they share seed
    numbers. looks: of the study's planned looks, how many have been taken: with looks, contrasts are those
    of the latest one, on the study's first seeds, and hold over all of them.
    """

    def __init__(
        self,
        study: ComparedStudy,
        scores: ScoredLogits,
        clusters: NDArray | None,
        diverged: Mapping[int, Collection[int]] | None = None,
        looks: int = 0,
    ) -> None:
        self.study, self.scores, self.clusters, self.looks = study, scores, clusters, looks
        self._diverged = diverged or {}
        self._finished = {variant.number for variant in scores.variants}
        self._at_one_look: dict[tuple[int, DeclaredContrast], Compared | None] = {}

    @cached_property
    def unstable(self) -> frozenset[int]:
        """Numbers of variants with a seed that diverged, among those that are compared."""
        seeds = self._seeds_at(self.looks)
        return frozenset(number for number, some in self._diverged.items() if not seeds.isdisjoint(some))

    def at(self, looks: int) -> "Comparison":
        """The same after so many of the planned looks."""
        other = Comparison(self.study, self.scores, self.clusters, self._diverged, looks)
        other._at_one_look = self._at_one_look
        return other

    def seeds(self, *variants: ComparedVariant) -> list[int]:
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

    @cached_property
    def effective_clusters(self) -> float:
        """How many clusters speak for equivalence; nan for scores beyond 0 to 1, of which none can tell."""
        if not self.scores.score.bounded:
            return math.nan
        if self.clusters is None:  # each unit is its own
            return float(len(self.scores.truth))
        return effective_clusters(self.clusters)

    def by(self, score: Score) -> "Comparison":
        """The same variants by another score."""
        return Comparison(self.study, self.scores.by(score), self.clusters, self._diverged, self.looks)

    def withhold(self, variant: ComparedVariant, baseline: ComparedVariant, contrast: Contrast) -> Contrast:
        """The contrast without its verdict, where a seed of either variant diverged."""
        if self.is_stable(variant, baseline) or contrast.verdict == "identical":
            return contrast
        return replace(contrast, verdict="inconclusive")

    def is_stable(self, variant: ComparedVariant, baseline: ComparedVariant) -> bool:
        """Whether no seed of either variant diverged."""
        return self.unstable.isdisjoint((variant.number, baseline.number))

    def finished(self, compared: Compared) -> FinishedContrast:
        """A contrast as its finished seeds show it, for what more of them would bring."""
        paired, seeds = compared.contrast.paired, compared.seeds
        first, second = (self.scores.on(each, seeds) for each in (compared.variant, compared.baseline))
        parts = contrast_parts(first, second, self.clusters, paired)
        return FinishedContrast(parts, paired, self.effective_clusters)

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

    def pair(self, variant: ComparedVariant, baseline: ComparedVariant) -> DeclaredContrast:
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
            groups=[but_for(variant, "replica") for variant in able],
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
