"""Pairs: the inputs of a variant's model, packed without padding, with a fingerprint."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trimtab.config import InputError
from trimtab.data.examples import NO_EVIDENCE
from trimtab.data.growing import Growing, GrowingRagged
from trimtab.data.input_template import InputTemplate, Row
from trimtab.data.target import Labels, Target
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged, offsets_of, pieces, ranges, splitmix
from trimtab.truncation import Truncation

_HASHED = 1 << 18  # elements hashed at a time


@dataclass(frozen=True, eq=False)
class Pairs:
    """One split as one variant sees it; large arrays are mapped from files.

    tokens: Ragged of the tokens' dtype, each row as its template has it: ``cls A sep B sep`` by BERT's.
    first_lengths: (rows,) int32, tokens of segment 0: ``cls A sep`` by BERT's template, the whole row where a
    template has one segment. labels: (rows,), as in Examples.
    visible: (rows, 2) bool, whether each side's evidence was kept; None where there is none.
    target: what the labels are.
    """

    tokens: Ragged
    first_lengths: NDArray[np.int32]
    labels: Labels
    visible: NDArray[np.bool_] | None = None
    target: Target = "classes"

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the input arrays: equal if and only if a model would see exactly the same."""
        digest = hashlib.sha256()
        _hash(digest, self.tokens.values, np.int32)  # whatever dtype they are stored in
        _hash(digest, self.tokens.offsets, np.int64)
        _hash(digest, self.first_lengths, np.int32)
        _hash(digest, self.labels, np.int64 if self.target == "classes" else np.float64)
        if self.target != "classes":
            digest.update(self.target.encode())
        return digest.hexdigest()[:32]

    def row_digests(self) -> NDArray[np.uint64]:
        """A 64-bit digest of each row's input, (rows,): almost surely different where rows differ."""
        return splitmix(self.tokens.digests() ^ self.first_lengths.astype(np.uint64))


def _hash(digest: "hashlib._Hash", array: NDArray, dtype: DTypeLike) -> None:
    digest.update(len(array).to_bytes(8, "little"))
    for start in range(0, len(array), _HASHED):
        digest.update(np.ascontiguousarray(array[start : start + _HASHED], dtype).data)


def make_pairs(tokens: Tokens, truncation: Truncation, max_len: int, template: InputTemplate) -> Pairs:
    """Cut every row of ``tokens`` to ``max_len`` and add the special tokens where ``template`` has them.

    Raises InputError where max_len is less than the special tokens, the truncation refuses a row, or a row
    has no tokens at all.
    """
    room, row = template.budget(max_len, tokens.texts), template.row(tokens.texts)
    packed, first_lengths, visible = GrowingRagged(_dtype(tokens)), Growing(np.int32), Growing(np.bool_)
    evidence = None if tokens.second is None else tokens.evidence
    for rows in pieces(*_sides(tokens)):
        cuts = _cut(tokens, rows, truncation, room)
        values, lengths = _packed(cuts, row)
        _check_not_empty(lengths, rows)
        packed.append(values, lengths)
        first_lengths.append(row.special_of_0 + np.sum([cut.keep for cut in cuts[: row.texts_of_0]], axis=0))
        if evidence is not None:
            visible.append(_visible(cuts, evidence[rows]).ravel())
    seen = None if evidence is None else visible.mapped().reshape(-1, 2)
    return Pairs(packed.mapped(), first_lengths.mapped(), tokens.labels, seen, tokens.target)


class _Cut(NamedTuple):
    """Some rows of a side, the indices into their values that are kept, and the number kept in each row."""

    side: Ragged
    kept: NDArray[np.int64]
    keep: NDArray[np.int64]


def _sides(tokens: Tokens) -> list[Ragged]:
    return [tokens.first] if tokens.second is None else [tokens.first, tokens.second]


def _dtype(tokens: Tokens) -> np.dtype:
    return np.result_type(*(side.values for side in _sides(tokens)))


def _cut(tokens: Tokens, rows: slice, truncation: Truncation, room: int) -> list[_Cut]:
    """What is kept of some rows, one _Cut per side; an InputError numbers the rows of the whole split."""
    first, second = tokens.first.part(rows), tokens.second and tokens.second.part(rows)
    try:
        kept = truncation.keep(first, second, room)
    except InputError:
        truncation.keep(tokens.first, tokens.second, room)
        raise
    cuts = [_Cut(first, kept.first, kept.keep_first)]
    if second is not None and kept.second is not None and kept.keep_second is not None:
        cuts.append(_Cut(second, kept.second, kept.keep_second))
    return cuts


def _packed(cuts: list[_Cut], row: Row) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """The inputs of some rows, concatenated, and the length of each."""
    lengths = row.count + np.sum([cut.keep for cut in cuts], axis=0)
    offsets = offsets_of(lengths)
    values = np.empty(offsets[-1], np.result_type(*(cut.side.values for cut in cuts)))
    start = offsets[:-1].copy()
    for number, special in enumerate(row.special):
        for token in special:
            values[start] = token
            start += 1
        if number < len(cuts):
            side, kept, keep = cuts[number]
            values[ranges(start, keep)] = side.values[kept]
            start += keep
    return values, lengths


def _check_not_empty(lengths: NDArray[np.int64], rows: slice) -> None:
    """InputError where a row has no tokens, as only a template without special tokens permits."""
    if not lengths.all():
        what = f"row {rows.start + int(np.argmin(lengths)):,} (counted from 0) has no tokens"
        mend = "leave such rows out, or take a tokenizer that adds special tokens"
        raise InputError(f"{what}, as its texts are empty and the tokenizer adds no special tokens; {mend}")


def _visible(cuts: list[_Cut], evidence: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the decisive token of each side is among those kept: (rows, 2); true where it has none."""
    columns = []
    for (side, kept, _), places in zip(cuts, evidence.T, strict=True):
        is_kept = np.zeros(len(side.values), bool)
        is_kept[kept] = True
        there = places != NO_EVIDENCE
        at = side.offsets[:-1] + np.where(there, places, 0)
        columns.append(is_kept[np.minimum(at, len(is_kept) - 1)] | ~there)
    return np.stack(columns, axis=1)


def ceiling(visible: NDArray[np.bool_]) -> float:
    """The best accuracy possible on probe after a cut: 1 - (q1 + q2) / 3.

    q1 and q2 are the shares of pairs whose decisive word was cut from the first and second text.
    """
    return float(1 - (~visible).mean(axis=0).sum() / 3)
