"""Scores by how long rows are, and by how many tokens they lose. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.alike import CUT, but_for
from trimtab.analysis.scores import Bools, ScoredLogits
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.ledger.records import VariantRecord

_BINS, _FEWEST = 8, 20  # at most so many bins of lengths, of no fewer rows
_LOST = ((0, 0), (1, 4), (5, 16), (17, 64), (65, None))  # tokens lost: from, to


@dataclass(frozen=True)
class LengthBin:
    """Rows of ``low`` to ``high`` tokens, special ones included, before any cut.

    Of rankings, queries whose mean row has so many.
    """

    low: int
    high: int
    rows: int


@dataclass(frozen=True)
class VariantByLength:
    """A variant's mean score, over its seeds, on the rows of each bin."""

    variant: VariantRecord
    means: list[float]


@dataclass(frozen=True)
class ByLength:
    """Scores by the length of rows, which ``tokenizer`` counts."""

    tokenizer: str
    bins: list[LengthBin]
    variants: list[VariantByLength]


@dataclass(frozen=True)
class LostRow:
    """A variant on the rows that lose ``low`` to ``high`` tokens, None without end.

    mean: its score there; uncut_mean: that of ``uncut``, the variant that cuts least, on the same rows.
    """

    variant: VariantRecord
    low: int
    high: int | None
    rows: int
    mean: float
    uncut: VariantRecord
    uncut_mean: float


def by_length(evaluated: EvaluatedRows, scores: ScoredLogits) -> ByLength | None:
    """Scores by length, in bins of about equally many rows; None where the ledger does not know lengths."""
    variants = _distinct(scores)
    if not variants or variants[0].tokenizer not in evaluated.lengths:
        return None
    lengths = _of_units(evaluated, evaluated.lengths[variants[0].tokenizer])
    masks = _bins(lengths)
    bins = [LengthBin(int(lengths[mask].min()), int(lengths[mask].max()), int(mask.sum())) for mask in masks]
    found = [
        VariantByLength(variant, [_mean(scores, variant, mask) for mask in masks]) for variant in variants
    ]
    return ByLength(variants[0].tokenizer, bins, found)


def _bins(lengths: NDArray[np.int32]) -> list[Bools]:
    """Masks (rows,) of bins between quantiles; rows of one length stay together."""
    number = max(1, min(_BINS, len(lengths) // _FEWEST))
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, number + 1)[1:-1], method="higher"))
    places = np.searchsorted(edges, lengths, side="left")
    return [places == place for place in np.unique(places)]


def lost_rows(evaluated: EvaluatedRows, scores: ScoredLogits) -> list[LostRow]:
    """One row per variant and number of lost tokens that occurs; none where the ledger knows no lengths."""
    variants = [one for one in _distinct(scores) if one.tokenizer in evaluated.lengths]
    lost = {
        one.number: _of_units(evaluated, evaluated.lengths[one.tokenizer] - evaluated.kept[one.inputs])
        for one in variants
    }
    found = []
    for variant in variants:
        uncut = _uncut(variant, variants, lost)
        if uncut is None:
            continue
        for low, high in _LOST:
            mask = lost[variant.number] >= low
            if high is not None:
                mask &= lost[variant.number] <= high
            if mask.any():
                found.append(
                    LostRow(
                        variant=variant,
                        low=low,
                        high=high,
                        rows=int(mask.sum()),
                        mean=_mean(scores, variant, mask),
                        uncut=uncut,
                        uncut_mean=_mean(scores, uncut, mask),
                    )
                )
    return found


def _of_units(evaluated: EvaluatedRows, values: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of each example its own value, and of each query the mean of its examples', rounded up."""
    return np.ceil(evaluated.truth.mean_of(values)).astype(np.int32)


def _uncut(
    variant: VariantRecord, variants: Sequence[VariantRecord], lost: dict[int, NDArray[np.int32]]
) -> VariantRecord | None:
    """The variant that cuts least among those with everything alike but the cut; None where it is that."""
    own = but_for(variant, *CUT)
    alike = [one for one in variants if but_for(one, *CUT) == own]
    least = min(alike, key=lambda one: (int(lost[one.number].sum()), one is not variant))
    return None if least is variant else least


def _distinct(scores: ScoredLogits) -> list[VariantRecord]:
    """Those whose inputs are known: variants of a ledger."""
    return [variant for variant in scores.distinct if isinstance(variant, VariantRecord)]


def _mean(scores: ScoredLogits, variant: VariantRecord, mask: Bools) -> float:
    return float(scores.on(variant, where=mask).mean())
