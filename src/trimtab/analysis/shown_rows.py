"""Rows for a reader to look at: first those on which variants disagree. Free of torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import Range, RowRecord, VariantRecord
from trimtab.statistics import SCORES

_SHOWN = 12


@dataclass(frozen=True)
class Said:
    """What the models of a variant say of a row: how many of its seeds are right, and the commonest label.

    output: where labels are no classes, the mean of what its seeds give; then the others are 0.
    """

    variant: VariantRecord
    right: int
    seeds: int
    label: int
    output: float | None = None


@dataclass(frozen=True)
class ShownCut:
    """What some variants keep of a row's texts, ranges of characters, None where they refuse it."""

    variants: list[VariantRecord]
    kept: tuple[tuple[Range, ...], ...] | None
    said: list[Said]


@dataclass(frozen=True)
class ShownRow:
    """A row of a test set, from 0: its label, its texts, and each cut with what its models say.

    label: the number of a class, or the number itself. disagreement: the largest difference between two
    variants' shares of seeds that are right, or between their outputs.
    """

    row: int
    label: float
    texts: tuple[str, ...]
    cuts: list[ShownCut]
    disagreement: float


def shown_rows(
    records: Sequence[RowRecord], scores: ScoredLogits, variants: Sequence[VariantRecord]
) -> list[ShownRow]:
    """The rows that variants disagree on most, of those that the ledger keeps; ``variants``: the study's."""
    if not records:
        return []
    said = _outputs(scores, variants) if scores.score.target != "classes" else _labels(scores, variants)
    known = {one.number for one in scores.variants}
    found = []
    for record in records:
        cuts = [
            ShownCut(
                [variants[number] for number in cut.variants],
                cut.kept,
                [said(number, record.row) for number in cut.variants if number in known],
            )
            for cut in record.cuts
        ]
        shares = [_position(one) for cut in cuts for one in cut.said]
        spread = max(shares) - min(shares) if shares else 0.0
        found.append(
            ShownRow(
                record.row, float(scores.truth.labels[record.row]), record.texts, cuts, disagreement=spread
            )
        )
    return sorted(found, key=lambda row: -row.disagreement)[:_SHOWN]


def _position(said: Said) -> float:
    return said.right / said.seeds if said.output is None else said.output


def _labels(scores: ScoredLogits, variants: Sequence[VariantRecord]) -> Callable[[int, int], Said]:
    """What a variant, by its number, says of a row."""
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

    return said


def _outputs(scores: ScoredLogits, variants: Sequence[VariantRecord]) -> Callable[[int, int], Said]:
    """The same where labels are no classes."""
    outputs = {
        one.number: np.stack([logits[:, 0] for logits in scores.logits[one.number].values()])
        for one in scores.variants
    }

    def said(number: int, row: int) -> Said:
        of_row = outputs[number][:, row]
        return Said(variants[number], right=0, seeds=len(of_row), label=0, output=float(of_row.mean()))

    return said
