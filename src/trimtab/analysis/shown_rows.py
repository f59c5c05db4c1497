"""Rows for a reader to look at: first those on which variants disagree. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import Range, RowRecord, VariantRecord
from trimtab.statistics import SCORES

_SHOWN = 12


@dataclass(frozen=True)
class Said:
    """What the models of a variant say of a row: how many of its seeds are right, and the commonest label."""

    variant: VariantRecord
    right: int
    seeds: int
    label: int


@dataclass(frozen=True)
class ShownCut:
    """What some variants keep of a row's texts, ranges of characters, None where they refuse it."""

    variants: list[VariantRecord]
    kept: tuple[tuple[Range, ...], ...] | None
    said: list[Said]


@dataclass(frozen=True)
class ShownRow:
    """A row of a test set, from 0: its label's number, its texts, and each cut with what its models say.

    disagreement: the largest difference between two variants' shares of seeds that are right.
    """

    row: int
    label: int
    texts: tuple[str, ...]
    cuts: list[ShownCut]
    disagreement: float


def shown_rows(
    records: Sequence[RowRecord], scores: ScoredLogits, variants: Sequence[VariantRecord]
) -> list[ShownRow]:
    """The rows that variants disagree on most, of those that the ledger keeps; ``variants``: the study's."""
    if not records:
        return []
    right = {one.number: scores.by(SCORES["accuracy"]).on(one) for one in scores.variants}
    predicted = {
        one.number: np.stack([logits.argmax(axis=1) for logits in scores.logits[one.number].values()])
        for one in scores.variants
    }

    def said(number: int, row: int) -> Said:
        labels = predicted[number][:, row]
        return Said(
            variant=variants[number],
            right=int(right[number][:, row].sum()),
            seeds=len(labels),
            label=int(np.bincount(labels).argmax()),
        )

    found = []
    for record in records:
        cuts = [
            ShownCut(
                [variants[number] for number in cut.variants],
                cut.kept,
                [said(number, record.row) for number in cut.variants if number in right],
            )
            for cut in record.cuts
        ]
        shares = [one.right / one.seeds for cut in cuts for one in cut.said]
        spread = max(shares) - min(shares) if shares else 0.0
        found.append(
            ShownRow(record.row, int(scores.labels[record.row]), record.texts, cuts, disagreement=spread)
        )
    return sorted(found, key=lambda row: -row.disagreement)[:_SHOWN]
