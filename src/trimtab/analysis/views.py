"""What a reader may ask for beside the declared contrasts: other scores, other baselines, other margins.

Everything here is secondary, and says so where it is shown: what the study declared decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.analysis.contrasts import Comparison, ContrastRow, Digests, as_rows, have_replicas
from trimtab.analysis.means import MeanRow, mean_rows
from trimtab.statistics import at_margin, scores_for

# More would make a page too long to be read, and take too long to be computed.
_EXPLORED, _BY_OTHER_SCORES = 16, 40  # variants
# Margins to choose from, as the score is shown: in points, or in units of scores that have none.
_POINTS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0)
_UNITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)


@dataclass(frozen=True)
class ContrastGroup:
    """Contrasts with one baseline: those that the study declares, one family over all baselines; or explored
    ones, a family of their own. verdicts: of each row, the verdict at each margin of the view.
    """

    baseline: int
    declared: bool
    rows: list[ContrastRow]
    verdicts: list[list[str]]


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
    comparison: Comparison,
    test: str,
    means: Sequence[MeanRow],
    declared: Sequence[ContrastRow],
    digests: Digests,
) -> list[ScoreView]:
    """The test set by the study's score first, then by each other one; ``means`` and ``declared`` are "
    "known."""
    study, scores = comparison.study, comparison.scores
    judged_by = study.compare.score
    views = [_view(comparison, judged_by, means, declared, _explored(comparison, declared, digests))]
    others = scores_for(study.labels) if len(scores.variants) <= _BY_OTHER_SCORES else {}
    for name, score in others.items():
        if name != judged_by:
            by = Comparison(study, scores.by(score), comparison.clusters)
            rows = as_rows(by, by.of(study.contrasts), digests, with_seeds=False)
            views.append(_view(by, name, mean_rows(study, test, by.scores, by.clusters), rows, {}))
    return views


def _view(
    comparison: Comparison,
    name: str,
    means: Sequence[MeanRow],
    declared: Sequence[ContrastRow],
    explored: Mapping[int, list[ContrastRow]],
) -> ScoreView:
    score, own = comparison.scores.score, comparison.study.compare.margin
    steps = {step / score.factor for step in (_POINTS if score.unit == "%" else _UNITS)}
    judged_by = name == comparison.study.compare.score
    margins = sorted(steps | {own} if judged_by else steps)
    verdicts = _verdicts(comparison, declared, margins)
    by_baseline: dict[int, list[int]] = {}
    for place, row in enumerate(declared):
        by_baseline.setdefault(row.baseline.number, []).append(place)
    groups = [
        ContrastGroup(number, True, [declared[p] for p in places], [verdicts[p] for p in places])
        for number, places in by_baseline.items()
    ]
    groups += [
        ContrastGroup(number, False, rows, _verdicts(comparison, rows, margins))
        for number, rows in explored.items()
    ]
    nearest = min(range(len(margins)), key=lambda place: abs(margins[place] - own))
    return ScoreView(
        score=name,
        prior_baseline=score.prior_baseline(comparison.scores.labels, len(comparison.study.labels)),
        means=list(means),
        margins=margins,
        margin=nearest,
        groups=groups,
    )


def _verdicts(
    comparison: Comparison, rows: Sequence[ContrastRow], margins: Sequence[float]
) -> list[list[str]]:
    """Of each row, its verdict at each margin; the rows are one family."""
    settings, contrasts = comparison.study.compare, [row.contrast for row in rows]
    judged = [
        at_margin(contrasts, margin, comparison.effective_clusters, settings.alpha, settings.correction)
        for margin in margins
    ]
    return [[at[place].verdict for at in judged] for place in range(len(rows))]


def _explored(
    comparison: Comparison, declared: Sequence[ContrastRow], digests: Digests
) -> dict[int, list[ContrastRow]]:
    """Every variant as the baseline of all others, one family each; none where there are too many."""
    variants = [one for one in comparison.scores.variants if one.same_as == one.number]
    if not 2 <= len(variants) <= _EXPLORED or have_replicas(variants):
        return {}
    known = {(row.variant.number, row.baseline.number) for row in declared}
    found: dict[int, list[ContrastRow]] = {}
    for baseline in variants:
        others = [one for one in variants if one is not baseline]
        if {(one.number, baseline.number) for one in others} <= known:
            continue
        compared = comparison.of([comparison.pair(one, baseline) for one in others])
        found[baseline.number] = as_rows(comparison, compared, digests, with_seeds=False)
    return {number: rows for number, rows in found.items() if rows}
