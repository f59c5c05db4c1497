"""Rows of the test sets with their cuts, which the ledger keeps for a reader to look at. Free of torch.

Which rows variants disagree on is known after training only, and a report is made from the ledger alone. So
more rows are kept than a report shows: drawn from those that variants cut differently, before any training.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.data.examples import Examples
from trimtab.ledger.records import CutRecord, Range, RowRecord, RowsRecord
from trimtab.plan.cuts import cut_of
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.plan.prepare import by_dataset
from trimtab.plan.show import Block, Side, blocks_of_row, kept_ranges, ready_cuts

_ROWS, _CHARACTERS = 60, 120_000  # of one test set: what a report of a few hundred kilobytes can hold
_SEED = 0  # the same study keeps the same rows


def published_rows(plan: Plan) -> RowsRecord:
    """Up to 60 rows of each test set, of texts that are not too long in all, with what each cut keeps."""
    groups = by_dataset(plan.variants)
    cuts = {dataset: ready_cuts(dataset, those) for dataset, those in groups.items()}
    found: dict[str, tuple[RowRecord, ...]] = {}
    for test in plan.dataset.tests:
        examples, characters = plan.examples[test], 0
        records: list[RowRecord] = []
        for row in _drawn(plan.variants, test):
            texts = _texts(examples, row)
            characters += sum(map(len, texts))
            if characters > _CHARACTERS and records:
                break
            made = [
                _cut_record(block, sides, those)
                for dataset, those in groups.items()
                for sides, blocks in [blocks_of_row(dataset, cuts[dataset], examples, row)]
                for block in blocks
            ]
            records.append(RowRecord(row=row, texts=texts, cuts=tuple(made)))
        found[test] = tuple(records)
    return RowsRecord(tests=found)


def _drawn(variants: Sequence[PlannedVariant], test: str) -> list[int]:
    """Rows in a random order: those that variants of one tokeniser cut differently, then cut ones, then
    others.
    """
    different = cut = np.zeros(0, bool)
    for those in by_dataset(variants).values():
        inputs = [variant.inputs[test] for variant in those]
        digests = np.stack([_known(each.digests) for each in inputs])
        kept = np.stack([_known(each.kept) for each in inputs])
        differ = (digests != digests[0]).any(axis=0)
        shorter = (kept != kept.max(axis=0)).any(axis=0)
        different = differ if not len(different) else different | differ
        cut = shorter if not len(cut) else cut | shorter
    order = np.random.default_rng(_SEED).permutation(len(different))
    rank = np.where(different, 0, np.where(cut, 1, 2))[order]
    return [int(row) for row in order[np.argsort(rank, kind="stable")][:_ROWS]]


def _known(array: NDArray | None) -> NDArray:
    assert array is not None  # as of every test set
    return array


def _texts(examples: Examples, row: int) -> tuple[str, ...]:
    sides = [examples.first, *([] if examples.second is None else [examples.second])]
    return tuple(side[row] for side in sides)


def _cut_record(block: Block, sides: tuple[Side, ...], variants: Sequence[PlannedVariant]) -> CutRecord:
    keys = {cut.key for cut in block.cuts}
    numbers = tuple(each.number for each in variants if cut_of(each.settings).key in keys)
    if block.kept is None:
        return CutRecord(variants=numbers, kept=None)
    kept: list[tuple[Range, ...]] = [
        kept_ranges(side.text, side.spans, mask) for side, mask in zip(sides, block.kept, strict=True)
    ]
    return CutRecord(variants=numbers, kept=tuple(kept))
