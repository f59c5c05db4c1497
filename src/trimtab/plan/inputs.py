"""Each variant's inputs: what its truncation makes of every split. Free of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError, canonical_hash
from trimtab.data.dataset import Dataset
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import Pairs, ceiling, make_pairs
from trimtab.data.tokens import Tokens
from trimtab.plan.cuts import (
    Cut,
    Lengths,
    audit_labels,
    audit_split,
    budget_of,
    cut_of,
    distinct_cuts,
    fitted,
)
from trimtab.plan.prepare import PreparedVariant, by_dataset
from trimtab.truncation.audit import Audit


@dataclass(frozen=True, eq=False)
class SplitInputs:
    """What one cut makes of one split.

    tokens: the mean of a row, special ones included; windows: the mean number of its windows; longest: tokens
    of the longest row or window; lengths: how many rows or windows have each number of tokens, from 0. Of
    test sets alone: by_label: the audit of each label, by its number; ceilings: by the name of a score, the
    best that probe permits, where it is known; digests: (rows,) uint64 of the inputs, different where rows
    differ; kept: (rows,) int32, the tokens of each row that were kept.
    """

    fingerprint: str
    audit: Audit
    tokens: float
    windows: float
    longest: int
    lengths: NDArray[np.int64]
    by_label: dict[int, Audit]
    ceilings: Mapping[str, float] = field(default_factory=dict)
    digests: NDArray[np.uint64] | None = None
    kept: NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Inputs:
    """What one cut makes of every split, by the split's name."""

    splits: dict[str, SplitInputs]

    def __getitem__(self, split: str) -> SplitInputs:
        return self.splits[split]

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """A hash of the inputs of each split."""
        return {name: split.fingerprint for name, split in self.splits.items()}

    @cached_property
    def fingerprint(self) -> str:
        """One hash over all splits."""
        return canonical_hash(self.fingerprints)

    @property
    def hardly_cut(self) -> bool:
        """Whether fewer than 1 % of the pairs of every split are cut, or have several windows instead."""
        windowed = any(split.windows >= 1.01 for split in self.splits.values())
        return not windowed and all(split.audit.hardly_cuts for split in self.splits.values())


@dataclass(frozen=True, eq=False)
class PlannedVariant(PreparedVariant):
    """A variant with its inputs; same_as: the first that trains on the same inputs in the same way."""

    inputs: Inputs
    same_as: int

    @property
    def is_first(self) -> bool:
        """Whether no earlier variant has the same trials."""
        return self.same_as == self.number


def inputs_of(variants: Sequence[PreparedVariant]) -> list[Inputs]:
    """The inputs of each variant, one object for all that truncate the same data alike.

    InputError names the variant whose truncation is impossible, and the split.
    """
    made: dict[tuple[Dataset, tuple[str, int]], Inputs] = {}
    ready = {}
    for dataset, those in by_dataset(variants).items():
        cuts = distinct_cuts(those)
        for cut, each in zip(cuts, fitted(cuts, dataset.splits["train"]), strict=True):
            ready[dataset, cut] = each
    for variant in variants:
        cut = ready[variant.dataset, cut_of(variant.settings)]
        if (variant.dataset, cut.key) not in made:
            made[variant.dataset, cut.key] = _inputs(variant, cut)
    keys = [(each.dataset, cut_of(each.settings).key) for each in variants]
    return [made[key] for key in keys]


def _inputs(variant: PreparedVariant, cut: Cut) -> Inputs:
    found = {}
    for name in variant.dataset.splits:
        try:
            found[name] = _split_inputs(variant.dataset, name, cut)
        except InputError as error:
            raise InputError(f"{variant.name}: {name}: {error}") from error
    return Inputs(found)


def _split_inputs(dataset: Dataset, name: str, cut: Cut) -> SplitInputs:
    tokens, template, is_test = dataset.splits[name], dataset.template, name in dataset.tests
    budget_of(tokens, cut.max_len, template)  # for its error
    pairs = make_pairs(tokens, cut.truncation, cut.max_len, template, cut.windows)
    counted = audit_split(cut, tokens, template)
    lengths = pairs.tokens.lengths
    return SplitInputs(
        fingerprint=pairs.fingerprint,
        audit=counted.audit,
        tokens=counted.tokens,
        windows=counted.windows,
        longest=pairs.longest,
        lengths=np.bincount(lengths if pairs.windows is None else pairs.windows.each(lengths)),
        by_label=audit_labels(counted.kept, tokens) if is_test else {},
        ceilings=_ceilings(cut, pairs, tokens) if is_test else {},
        digests=pairs.row_digests() if is_test else None,
        kept=_kept(counted.kept, tokens, template) if is_test else None,
    )


def _kept(kept: Lengths, tokens: Tokens, template: InputTemplate) -> NDArray[np.int32]:
    """Tokens of each row that some input holds, special ones counted once, (rows,)."""
    first, second = kept
    special = template.row(tokens.texts).count
    return np.asarray(first + (0 if second is None else second) + special, np.int32)


def _ceilings(cut: Cut, pairs: Pairs, tokens: Tokens) -> dict[str, float]:
    if pairs.visible is None or (cut.windows is None and cut.truncation.content_dependent):
        return {}
    if tokens.queries is None:
        return {"accuracy": ceiling(pairs.visible)}
    from trimtab.statistics import Truth, expected  # scipy takes its time, and most studies need none yet

    # Who sees a passage's word knows its relevance; those whose word is cut are all alike, and stand between.
    known = pairs.visible.all(axis=1)
    levels = np.where(known, np.where(tokens.labels > 0, 2, 0), 1)
    best = expected(levels, Truth(np.asarray(tokens.labels), np.asarray(tokens.queries)))
    return {name: float(values.mean()) for name, values in best.items()}
