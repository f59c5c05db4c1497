"""Windows beside what the same tokens buy without them. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.analysis.alike import CUT, but_for
from trimtab.analysis.means import MeanRow
from trimtab.ledger.records import VariantRecord


@dataclass(frozen=True)
class EqualTokensRow:
    """A variant with windows, and the best mean of those without that compute for no more tokens.

    Compared are variants that agree in all but truncation, max_len and windows. tokens: of a row of train,
    special ones included, of all its windows; rival: None where every variant without windows has more.
    """

    variant: VariantRecord
    mean: float
    windows: float
    tokens: float
    rival: VariantRecord | None
    rival_mean: float | None
    rival_tokens: float | None


def equal_tokens_rows(means: Sequence[MeanRow]) -> list[EqualTokensRow]:
    """One row per variant in which rows have several windows, in the study's order."""
    known = [(row.variant, row) for row in means if isinstance(row.variant, VariantRecord)]
    return [_row(variant, row, known) for variant, row in known if _windows(variant) > 1]


def _windows(variant: VariantRecord) -> float:
    return variant.windows_per_row.get("train", 1.0)


def _row(
    variant: VariantRecord, own: MeanRow, known: Sequence[tuple[VariantRecord, MeanRow]]
) -> EqualTokensRow:
    alike = but_for(variant, *CUT)
    rivals = [
        (row.estimate.mean, other)
        for other, row in known
        if _windows(other) == 1
        and other.tokens["train"] <= variant.tokens["train"]
        and but_for(other, *CUT) == alike
    ]
    best = max(rivals, key=lambda pair: pair[0], default=None)
    return EqualTokensRow(
        variant=variant,
        mean=own.estimate.mean,
        windows=_windows(variant),
        tokens=variant.tokens["train"],
        rival=best[1] if best else None,
        rival_mean=best[0] if best else None,
        rival_tokens=best[1].tokens["train"] if best else None,
    )
