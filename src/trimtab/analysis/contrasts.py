"""The declared contrasts of a study, adjusted as one family."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.alike import read_alike
from trimtab.analysis.chances import Chances, chances_of
from trimtab.analysis.comparison import Compared, Comparison
from trimtab.statistics import Contrast, one_family
from trimtab.statistics.compare import judged
from trimtab.statistics.stopping import Course
from trimtab.study.compared import ComparedStudy, ComparedVariant

Digests = Mapping[int, NDArray[np.uint64]]  # (units,) by number of a variant


@dataclass(frozen=True)
class ContrastRow:
    """A declared contrast, adjusted with the others of all test sets as one family.

    affected_share: the share of examples, or queries, that the two variants cut differently, None where they
    read with different tokenisers, or nothing is known of their inputs. chances: of being settled by more
    seeds, None where the contrast is settled.
    withheld: the verdict that the finished seeds would give, where a seed of either variant diverged: it was
    left out of the contrast, which flatters the variant, so that the verdict is 'inconclusive'.
    course: over the study's planned looks, None without looks or where inputs are alike.
    """

    variant: ComparedVariant
    baseline: ComparedVariant
    seeds: list[int]
    contrast: Contrast
    affected_share: float | None
    chances: Chances | None
    withheld: str | None = None
    course: Course | None = None


@dataclass(frozen=True)
class UncomparedRow:
    """A declared contrast whose two variants have finished no seed in common."""

    variant: ComparedVariant
    baseline: ComparedVariant


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
    groups: Sequence[tuple[Comparison, Sequence[Compared], Digests]], *, with_chances: bool = True
) -> list[list[ContrastRow]]:
    """Contrasts of several test sets adjusted as one family.

    Each group: a test set, its contrasts, and the digests of its rows. with_chances: with the chances that
    more seeds would settle those that are open.
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
    of_group = zip(groups, adjusted, strict=True)
    every = [(comparison, c) for (comparison, _, _), compared in of_group for c in compared]
    chances = iter(chances_of(every, tested) if with_chances else [None] * len(every))
    return [
        _rows(comparison, compared, digests, chances)
        for (comparison, _, digests), compared in zip(groups, adjusted, strict=True)
    ]


def _rows(
    comparison: Comparison,
    adjusted: Sequence[Compared],
    digests: Digests,
    chances: Iterator[Chances | None],
) -> list[ContrastRow]:
    return [
        ContrastRow(
            c.variant,
            c.baseline,
            c.seeds,
            shown := comparison.withhold(c.variant, c.baseline, c.contrast),
            affected_share=_affected_share(digests, c),
            chances=next(chances),
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
    [row] = _rows(comparison, [replace(compared, contrast=contrast)], digests, iter([None]))
    return replace(row, course=course)


def _affected_share(digests: Digests, compared: Compared) -> float | None:
    if not read_alike(compared.variant, compared.baseline):
        return None
    return float((digests[compared.variant.number] != digests[compared.baseline.number]).mean())


def uncompared_rows(study: ComparedStudy, rows: Sequence[ContrastRow]) -> list[UncomparedRow]:
    """The declared contrasts that have no row, as their variants share no finished seed."""
    there = {(row.variant.number, row.baseline.number) for row in rows}
    return [
        UncomparedRow(study.variants[c.variant], study.variants[c.baseline])
        for c in study.contrasts
        if (c.variant, c.baseline) not in there
    ]
