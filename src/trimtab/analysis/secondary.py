"""Secondary analyses of a test set: examples cut differently, every other score, single checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.contrasts import ContrastRow, Digests, read_alike
from trimtab.analysis.means import shown_interval
from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.statistics import (
    SCORES,
    CheckpointTest,
    Contrast,
    IntervalEstimate,
    compare,
    mcnemar,
    mean_interval,
    one_family,
    scores_for,
)
from trimtab.study.definition import Compare


@dataclass(frozen=True)
class AffectedRow:
    """A contrast on those examples alone that its two variants cut differently.

    pairs, share: how many examples those are, and of all; mean, baseline_mean: the scores there.
    """

    variant: VariantRecord
    baseline: VariantRecord
    pairs: int
    share: float
    mean: float
    baseline_mean: float
    contrast: Contrast


def affected_rows(
    contrasts: Sequence[ContrastRow],
    scores: ScoredLogits,
    digests: Digests,
    clusters: NDArray | None,
    settings: Compare,
) -> list[AffectedRow]:
    """One row per contrast whose inputs differ somewhere on the test set; p is adjusted over these rows.

    Contrasts of variants that read with different tokenisers are left out, as are those with identical
    inputs. clusters: (examples,) or None.
    """
    rows = [
        _affected_row(row, mask, scores, clusters, settings)
        for row in contrasts
        if read_alike(row.variant, row.baseline)
        and (mask := digests[row.variant.number] != digests[row.baseline.number]).any()
    ]
    family = one_family([row.contrast for row in rows], settings.alpha, settings.correction)
    return [replace(row, contrast=result) for row, result in zip(rows, family, strict=True)]


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

    variant: VariantRecord
    seeds: list[int]
    estimates: dict[str, IntervalEstimate]


def other_score_rows(
    study: StudyRecord, scores: ScoredLogits, clusters: NDArray | None
) -> list[OtherScoresRow]:
    """One row per variant, by other scores that suit the study's labels; clusters: (examples,) or None."""
    others = {
        name: scores.by(score)
        for name, score in scores_for(study.labels).items()
        if name != study.compare.score
    }
    return [
        OtherScoresRow(
            variant,
            scores.seeds(variant),
            {
                name: shown_interval(
                    by.score,
                    mean_interval(by.on(variant), clusters, study.compare.alpha),
                    len(by.labels),
                )
                for name, by in others.items()
            },
        )
        for variant in scores.variants
    ]


@dataclass(frozen=True)
class CheckpointRow:
    """McNemar's test of the two models of a contrast that has one seed, by accuracy; p is not adjusted."""

    variant: VariantRecord
    baseline: VariantRecord
    test: CheckpointTest


def checkpoint_rows(
    study: StudyRecord, contrasts: Sequence[ContrastRow], scores: ScoredLogits
) -> list[CheckpointRow]:
    """One row per contrast whose inputs differ, where the study has one seed; none where it has more."""
    if len(study.seeds) > 1:
        return []
    by_accuracy = scores.by(SCORES["accuracy"])
    return [_checkpoint_row(row, by_accuracy) for row in contrasts if row.contrast.verdict != "identical"]


def _checkpoint_row(row: ContrastRow, by_accuracy: ScoredLogits) -> CheckpointRow:
    one, other = (by_accuracy.on(variant, row.seeds)[0] for variant in (row.variant, row.baseline))
    return CheckpointRow(row.variant, row.baseline, mcnemar(one, other))
