"""Secondary analyses of a test set: examples cut differently, every other score, single checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.alike import read_alike
from trimtab.analysis.comparison import Comparison
from trimtab.analysis.contrasts import ContrastRow, Digests
from trimtab.analysis.means import shown_interval
from trimtab.analysis.scores import ScoredLogits
from trimtab.statistics import (
    SCORES,
    CheckpointTest,
    Contrast,
    IntervalEstimate,
    PairedTest,
    compare,
    mcnemar,
    mean_interval,
    one_family,
    paired_examples,
    score_or_given,
)
from trimtab.study.compare_section import Compare
from trimtab.study.compared import ComparedStudy, ComparedVariant


@dataclass(frozen=True)
class AffectedRow:
    """A contrast on those examples alone that its two variants cut differently.

    pairs, share: how many examples, or queries, those are, and of all; mean, baseline_mean: the scores there.
    """

    variant: ComparedVariant
    baseline: ComparedVariant
    pairs: int
    share: float
    mean: float
    baseline_mean: float
    contrast: Contrast


def affected_rows(
    contrasts: Sequence[ContrastRow], comparison: Comparison, digests: Digests
) -> list[AffectedRow]:
    """One row per contrast whose inputs differ somewhere on the test set; p is adjusted over these rows.

    Contrasts of variants that read with different tokenisers are left out, as are those with identical
    inputs. A seed that diverged withholds these verdicts too.
    """
    settings = comparison.study.compare
    rows = [
        _affected_row(row, mask, comparison.scores, comparison.clusters, settings)
        for row in contrasts
        if read_alike(row.variant, row.baseline)
        and (mask := digests[row.variant.number] != digests[row.baseline.number]).any()
    ]
    family = one_family([row.contrast for row in rows], settings.alpha, settings.correction)
    return [
        replace(row, contrast=comparison.withhold(row.variant, row.baseline, result))
        for row, result in zip(rows, family, strict=True)
    ]


def _affected_row(
    row: ContrastRow,
    mask: NDArray[np.bool_],
    scores: ScoredLogits,
    clusters: NDArray | None,
    settings: Compare,
) -> AffectedRow:
    both = np.stack([scores.on(variant, row.seeds, mask) for variant in (row.variant, row.baseline)])
    [result] = compare(
        both,
        [(0, 1)],
        clusters=None if clusters is None else clusters[mask],
        groups=range(2),  # each with its own variance, as one pooled on all examples says nothing of these
        paired=row.contrast.paired,
        alpha=settings.alpha,
        margin=settings.margin,
        correction="none",
        bounded=scores.score.bounded,
    )
    return AffectedRow(
        variant=row.variant,
        baseline=row.baseline,
        pairs=int(mask.sum()),
        share=float(mask.mean()),
        mean=float(both[0].mean()),
        baseline_mean=float(both[1].mean()),
        contrast=replace(result, variant=row.variant.number, baseline=row.baseline.number),
    )


@dataclass(frozen=True)
class OtherScoresRow:
    """A variant's mean by every score that the study is not judged by, on all seeds that it has finished.

    estimates: by the score's name in ``trimtab.statistics.SCORES``.
    """

    variant: ComparedVariant
    seeds: list[int]
    estimates: dict[str, IntervalEstimate]


def other_score_rows(
    study: ComparedStudy, scores: ScoredLogits, clusters: NDArray | None
) -> list[OtherScoresRow]:
    """One row per variant, by other scores that suit the study's labels; clusters: (examples,) or None."""
    others = {name: scores.by(score_or_given(name)) for name in study.scores if name != study.compare.score}
    return [
        OtherScoresRow(
            variant,
            scores.seeds(variant),
            {
                name: shown_interval(
                    by.score,
                    mean_interval(by.on(variant), clusters, study.compare.alpha),
                    len(by.truth),
                )
                for name, by in others.items()
            },
        )
        for variant in scores.variants
    ]


@dataclass(frozen=True)
class CheckpointRow:
    """A test of the two models of a contrast that has one seed; p is not adjusted.

    McNemar's, by accuracy or given scores of 0 and 1; of other given scores a paired t test over examples.
    """

    variant: ComparedVariant
    baseline: ComparedVariant
    test: CheckpointTest | PairedTest


def checkpoint_rows(
    study: ComparedStudy,
    contrasts: Sequence[ContrastRow],
    scores: ScoredLogits,
    clusters: NDArray | None = None,
) -> list[CheckpointRow]:
    """One row per contrast whose inputs differ, where the study has one seed; none where it has more."""
    if len(study.seeds) > 1:
        return []
    asked = scores.by(SCORES["accuracy"]) if study.labels else scores
    rows = [row for row in contrasts if row.contrast.verdict != "identical"]
    pairs = [[asked.on(variant, row.seeds)[0] for variant in (row.variant, row.baseline)] for row in rows]
    # One test for all, so that the table is of one kind.
    is_binary = all(np.isin(scores, (0, 1)).all() for pair in pairs for scores in pair)
    return [
        CheckpointRow(
            row.variant,
            row.baseline,
            mcnemar(first.astype(np.bool_), second.astype(np.bool_))
            if is_binary
            else paired_examples(first, second, clusters, study.compare.alpha),
        )
        for row, (first, second) in zip(rows, pairs, strict=True)
    ]
