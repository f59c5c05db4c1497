"""The answer of a study on one test set, typed: take this, undecided, or nothing learned. Free of torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.analysis.chances import asked
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.means import MeanRow
from trimtab.analysis.recommendation import Recommendation
from trimtab.analysis.throughput import ThroughputRow
from trimtab.ledger.records import VariantRecord
from trimtab.study.compared import ComparedVariant

Kind = Literal["take", "undecided", "one seed", "nothing learned", "nothing to choose"]


@dataclass(frozen=True)
class Savings:
    """What a variant costs beside ``dearest``, as shares of its cost: of what is to be taken, beside the one
    that takes the most time to train; of a length, beside the longest.

    tokens: of a training row; seconds: of training; peak_bytes: of memory. 0.75 is a quarter less.
    """

    dearest: VariantRecord
    tokens: float
    seconds: float
    peak_bytes: float


@dataclass(frozen=True)
class Answer:
    """What to do. best: the row with the best mean; savings: of what is to be taken, None where it is the
    dearest. to_settle: the open contrast that more seeds settle the soonest, None where none is open or
    nothing is known of chance.
    """

    kind: Kind
    best: MeanRow
    recommendation: Recommendation | None
    savings: Savings | None
    to_settle: ContrastRow | None


def answer(
    means: Sequence[MeanRow],
    recommendation: Recommendation | None,
    contrasts: Sequence[ContrastRow],
    speeds: Sequence[ThroughputRow],
    learned: bool | None,
) -> Answer:
    """The answer from what else is known of a test set; ``learned``: whether anything beats guessing."""
    taken = recommendation.candidate.variant if recommendation and recommendation.named else None
    return Answer(
        kind=_kind(recommendation, learned),
        best=max(means, key=lambda row: row.estimate.mean),
        recommendation=recommendation,
        savings=_savings(taken, speeds) if taken else None,
        to_settle=_to_settle(contrasts),
    )


def _kind(recommendation: Recommendation | None, learned: bool | None) -> Kind:
    if learned is False:
        return "nothing learned"
    if recommendation is None:
        return "nothing to choose"
    if recommendation.fewest_seeds == 1:
        return "one seed"
    return "take" if recommendation.named else "undecided"


def _savings(taken: ComparedVariant, speeds: Sequence[ThroughputRow]) -> Savings | None:
    if not speeds:
        return None
    dearest = max(speeds, key=lambda row: row.training_seconds)
    [own] = [row for row in speeds if row.variant.number == taken.number]
    if dearest.variant.same_as == taken.same_as:
        return None
    return cost_beside(own, dearest)


def cost_beside(own: ThroughputRow, dearest: ThroughputRow) -> Savings:
    """What training one variant costs beside another."""
    tokens = [row.variant.tokens.get("train", math.nan) for row in (own, dearest)]
    return Savings(
        dearest.variant,
        tokens=tokens[0] / tokens[1],
        seconds=own.training_seconds / dearest.training_seconds,
        peak_bytes=own.peak_bytes / dearest.peak_bytes,
    )


def _to_settle(contrasts: Sequence[ContrastRow]) -> ContrastRow | None:
    """The one that the fewest seeds settle with a chance of 80 %, else the one of the best chance."""
    able = [(row, row.chances) for row in contrasts if row.chances and row.chances.by]
    if not able:
        return None
    seeds = asked([(len(row.seeds), chances) for row, chances in able]) or 0
    found = min(able, key=lambda one: (one[1].enough or math.inf, -_known(one[1].at(seeds))))
    return found[0]


def _known(chance: float) -> float:
    return 0.0 if math.isnan(chance) else chance
