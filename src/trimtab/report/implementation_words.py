"""What a plan and a report say of variants that are trained through transformers."""

from collections.abc import Iterable, Sequence

from trimtab.ledger.records import VariantRecord
from trimtab.model.architecture import Architecture
from trimtab.plan.cost import tokens_computed
from trimtab.plan.inputs import PlannedVariant


def trained_words(variants: Sequence[VariantRecord]) -> list[str]:
    """Which variants of a report were trained which way; nothing where all were packed."""
    return _ways((variant.name, variant.size) for variant in variants)


def planned_words(variants: Sequence[PlannedVariant]) -> list[str]:
    """The same of a plan, with how much longer padding makes the rows."""
    lines = _ways((variant.name, variant.settings.size) for variant in variants)
    padded = [variant for variant in variants if not variant.settings.size.is_packed]
    if padded:
        lines.append(
            "tokens computed per row of train, which cost counts (estimated for padding to a batch's longest "
            "row): " + "; ".join(map(_padding_words, padded))
        )
    return lines


def _padding_words(variant: PlannedVariant) -> str:
    return f"{variant.name} {tokens_computed(variant):.1f}, {variant.inputs['train'].tokens:.1f} of them real"


def _ways(sizes: Iterable[tuple[str, Architecture]]) -> list[str]:
    """Names of variants by implementation, with what transformers calls their architecture."""
    packed, padded = [], []
    for name, size in sizes:
        if size.is_packed:
            packed.append(name)
        else:
            padded.append(f"{name} ({size.kind})")
    if not padded:
        return []
    lines = [f"trained through transformers, in padded batches: {'; '.join(padded)}"]
    return [*lines, f"trained packed, without padding: {'; '.join(packed)}"] if packed else lines
