"""What a reader may ask for beside the declared contrasts: other scores, other baselines, other margins.

Everything here is secondary, and says so where it is shown: what the study declared decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from trimtab.analysis.alike import have_replicas
from trimtab.analysis.compared_sets import ComparedSet
from trimtab.analysis.comparison import Comparison
from trimtab.analysis.contrasts import ContrastRow, Family, as_rows, family_of
from trimtab.analysis.means import MeanRow, mean_rows
from trimtab.statistics import GIVEN, Contrast, at_margin, one_family, score_or_given

# More would make a page too long to be read, and take too long to be computed.
_EXPLORED, _BY_OTHER_SCORES = 16, 40  # variants
# Margins to choose from, as the score is shown: in points, or in units of scores that have none.
_POINTS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0)
_OF_THE_OWN = (0.2, 0.5, 1.0, 2.0, 5.0)  # times the declared margin
_UNITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)


@dataclass(frozen=True)
class ContrastGroup:
    """Contrasts with one baseline: those that the study declares, one family over baselines and test sets; or
    explored ones, a family of their own. judged: of each row, the contrast at each margin.
    """

    baseline: int
    declared: bool
    family: Family
    rows: list[ContrastRow]
    judged: list[list[Contrast]]


@dataclass(frozen=True)
class ScoreView:
    """A test set by one score. margins: in the score's units, rising; margin: the place of the one to begin
    with, the study's own where the score is; prior_baseline: None where there is none.
    """

    score: str
    prior_baseline: float | None
    means: list[MeanRow]
    margins: list[float]
    margin: int
    groups: list[ContrastGroup]


def score_views(
    sets: Sequence[ComparedSet],
    means: Sequence[Sequence[MeanRow]],
    declared: Sequence[Sequence[ContrastRow]],
) -> list[list[ScoreView]]:
    """Each test set by the study's score first, then by each other one.

    ``means`` and ``declared``: of each test set, by the study's score. By every score, the declared contrasts
    of all test sets are one family.
    """
    if not sets:
        return []
    study = sets[0].comparison.study
    explored = [_explored(one, rows) for one, rows in zip(sets, declared, strict=True)]
    by_score = [_views(sets, study.compare.score, means, declared, explored)]
    few = all(len(one.comparison.scores.variants) <= _BY_OTHER_SCORES for one in sets)
    for name in study.scores if few else ():
        if name != study.compare.score:
            by = [replace(one, comparison=one.comparison.by(score_or_given(name))) for one in sets]
            rows = as_rows(
                [(one.comparison, one.comparison.of(study.contrasts), one.digests) for one in by],
                with_chances=False,
            )
            other = [mean_rows(study, one.name, one.comparison.scores, one.comparison.clusters) for one in by]
            by_score.append(_views(by, name, other, rows, [{} for _ in by]))
    return [[views[place] for views in by_score] for place in range(len(sets))]


def _views(
    sets: Sequence[ComparedSet],
    name: str,
    means: Sequence[Sequence[MeanRow]],
    declared: Sequence[Sequence[ContrastRow]],
    explored: Sequence[Mapping[int, list[ContrastRow]]],
) -> list[ScoreView]:
    """By one score, the view of each test set."""
    margins = _margins(sets[0].comparison, name)
    judged = _judged([one.comparison for one in sets], declared, margins)
    family = family_of([row.contrast for row in rows] for rows in declared)
    return [
        _view(one.comparison, name, margins, means[p], declared[p], judged[p], explored[p], family)
        for p, one in enumerate(sets)
    ]


def _margins(comparison: Comparison, name: str) -> list[float]:
    score, own = comparison.scores.score, comparison.study.compare.margin
    if name in GIVEN:  # in units that nothing is known of
        return [own * step for step in _OF_THE_OWN]
    steps = {step / score.factor for step in (_POINTS if score.unit == "%" else _UNITS)}
    return sorted(steps | {own} if name == comparison.study.compare.score else steps)


def _view(
    comparison: Comparison,
    name: str,
    margins: list[float],
    means: Sequence[MeanRow],
    declared: Sequence[ContrastRow],
    judged: Sequence[list[Contrast]],
    explored: Mapping[int, list[ContrastRow]],
    family: Family,
) -> ScoreView:
    score, own = comparison.scores.score, comparison.study.compare.margin
    by_baseline: dict[int, list[int]] = {}
    for place, row in enumerate(declared):
        by_baseline.setdefault(row.baseline.number, []).append(place)
    groups = [
        ContrastGroup(number, True, family, [declared[p] for p in places], [judged[p] for p in places])
        for number, places in by_baseline.items()
    ]
    for number, rows in explored.items():
        [at] = _judged([comparison], [rows], margins)
        groups.append(ContrastGroup(number, False, family_of([[r.contrast for r in rows]]), rows, at))
    return ScoreView(
        score=name,
        prior_baseline=score.prior_baseline(comparison.scores.truth, len(comparison.study.labels)),
        means=list(means),
        margins=margins,
        margin=min(range(len(margins)), key=lambda place: abs(margins[place] - own)),
        groups=groups,
    )


def _judged(
    comparisons: Sequence[Comparison], rows: Sequence[Sequence[ContrastRow]], margins: Sequence[float]
) -> list[list[list[Contrast]]]:
    """Of each test set and row, the contrast at each margin; the rows of all test sets are one family."""
    settings = comparisons[0].study.compare
    found: list[list[list[Contrast]]] = [[[] for _ in of_set] for of_set in rows]
    for margin in margins:
        if settings.looks and margin == settings.margin:  # judged already, over all looks
            for of_set, at_margins in zip(rows, found, strict=True):
                for row, judgements in zip(of_set, at_margins, strict=True):
                    judgements.append(row.contrast)
            continue
        # Each test set has its own number of clusters; the family is adjusted after that.
        single = [
            one
            for comparison, of_set in zip(comparisons, rows, strict=True)
            for one in at_margin(
                [row.contrast for row in of_set],
                margin,
                comparison.effective_clusters,
                settings.alpha,
                correction="none",
            )
        ]
        judged = iter(one_family(single, settings.alpha, settings.correction))
        for comparison, of_set, at_margins in zip(comparisons, rows, found, strict=True):
            for row, judgements in zip(of_set, at_margins, strict=True):
                judgements.append(comparison.withhold(row.variant, row.baseline, next(judged)))
    return found


def _explored(one: ComparedSet, declared: Sequence[ContrastRow]) -> dict[int, list[ContrastRow]]:
    """Every variant as the baseline of all others, one family each; none where there are too many."""
    comparison = one.comparison
    variants = comparison.scores.distinct
    if not 2 <= len(variants) <= _EXPLORED or have_replicas(variants):
        return {}
    known = {(row.variant.number, row.baseline.number) for row in declared}
    found: dict[int, list[ContrastRow]] = {}
    for baseline in variants:
        others = [other for other in variants if other is not baseline]
        if {(other.number, baseline.number) for other in others} <= known:
            continue
        compared = comparison.of([comparison.pair(other, baseline) for other in others])
        [rows] = as_rows([(comparison, compared, one.digests)], with_chances=False)
        found[baseline.number] = rows
    return {number: rows for number, rows in found.items() if rows}
