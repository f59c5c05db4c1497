"""What variants of a study have in common."""

from collections.abc import Sequence

from trimtab.ledger.records import VariantRecord
from trimtab.study.compared import ComparedVariant

# The axes of a cut: what of a row its variants are given.
CUT = ("truncation", "max_len", "windows")


def read_alike(one: ComparedVariant, other: ComparedVariant) -> bool:
    """Whether two variants are known to read with one tokeniser, so that their inputs can be compared."""
    if isinstance(one, VariantRecord) and isinstance(other, VariantRecord):
        return one.tokenizer == other.tokenizer
    return False


def have_replicas(variants: Sequence[ComparedVariant]) -> bool:
    """Whether two of these variants are one but for their seeds."""
    rest = [but_for(variant, "replica") for variant in variants]
    return len(set(rest)) < len(rest)


def but_for(variant: ComparedVariant, *axes: str) -> str:
    """What tells a variant apart, its values on these axes left out; equal for variants that agree in it."""
    rest = {key: value for key, value in variant.coordinates.items() if key not in axes}
    return repr(sorted(rest.items()))
