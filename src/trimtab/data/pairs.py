"""Pairs: the inputs of a variant's model, packed without padding, with a fingerprint."""

import hashlib
import zlib
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
from trimtab.data.windowed_pairs import PooledRows
from trimtab.ragged import Ragged, offsets_of, pieces, ranges, splitmix
from trimtab.truncation import Truncation
from trimtab.truncation.windows import Laid, Windows, lay

_HASHED = 1 << 18  # elements hashed at a time


@dataclass(frozen=True, eq=False)
class Pairs:
    """One split as one variant sees it; large arrays are mapped from files.

    tokens: Ragged of the tokens' dtype, each row as its template has it: ``cls A sep B sep`` by BERT's.
    first_lengths: (rows,) int32, tokens of segment 0: ``cls A sep`` by BERT's template, the whole row where a
    template has one segment. labels: (rows,), as in Examples.
    visible: (rows, 2) bool, whether each side's evidence was kept; None where there is none.
    target: what the labels are. windows: which rows hold several windows, one after another, see
    ``windowed_pairs``; None where none does.
    """

    tokens: Ragged
    first_lengths: NDArray[np.int32]
    labels: Labels
    visible: NDArray[np.bool_] | None = None
    target: Target = "classes"
    windows: PooledRows | None = None

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
        if self.windows is not None:
            digest.update(repr(self.windows).encode())
        return digest.hexdigest()[:32]

    @property
    def longest(self) -> int:
        """Tokens of the longest input of the model: of a row, or of a window."""
        longest = int(self.tokens.lengths.max(initial=0))
        return longest if self.windows is None else min(longest, self.windows.length)

    def row_digests(self) -> NDArray[np.uint64]:
        """A 64-bit digest of each row's input, (rows,): almost surely different where rows differ."""
        digests = splitmix(self.tokens.digests() ^ self.first_lengths.astype(np.uint64))
        if self.windows is None:
            return digests
        pooled = zlib.crc32(repr(self.windows).encode())
        several = self.tokens.lengths > self.windows.length
        return np.where(several, splitmix(digests ^ np.uint64(pooled)), digests)


def _hash(digest: "hashlib._Hash", array: NDArray, dtype: DTypeLike) -> None:
    digest.update(len(array).to_bytes(8, "little"))
    for start in range(0, len(array), _HASHED):
        digest.update(np.ascontiguousarray(array[start : start + _HASHED], dtype).data)


def make_pairs(
    tokens: Tokens,
    truncation: Truncation,
    max_len: int,
    template: InputTemplate,
    windows: Windows | None = None,
) -> Pairs:
    """Cut every row of ``tokens`` to ``max_len`` and add the special tokens where ``template`` has them.

    With ``windows`` nothing is cut, whatever the truncation: a row that is longer holds its windows.
    Raises InputError where max_len is less than the special tokens, the truncation refuses a row, or a row
    has no tokens at all.
    """
    room, row = template.budget(max_len, tokens.texts), template.row(tokens.texts)
    packed, first_lengths, visible = GrowingRagged(_dtype(tokens)), Growing(np.int32), Growing(np.bool_)
    evidence = None if tokens.second is None else tokens.evidence
    has_windows = False
    for rows in pieces(*_sides(tokens)):
        laid = None if windows is None else _laid(tokens, rows, windows, room)
        cuts = _cut(tokens, rows, truncation, room) if laid is None else _windowed(tokens, rows, laid)
        values, lengths = _packed(cuts, row)
        of_0 = row.special_of_0 + np.sum([cut.keep for cut in cuts[: row.texts_of_0]], axis=0)
        seen = None
        if evidence is not None:
            seen = _visible(cuts, evidence[rows] if laid is None else evidence[rows][laid.row])
        if laid is not None and len(lengths):
            firsts = offsets_of(laid.counts)[:-1]
            lengths, of_0 = np.add.reduceat(lengths, firsts), of_0[firsts]
            seen = None if seen is None else np.logical_or.reduceat(seen, firsts)
            has_windows |= bool((laid.counts > 1).any())
        _check_not_empty(lengths, rows)
        packed.append(values, lengths)
        first_lengths.append(of_0)
        if seen is not None:
            visible.append(seen.ravel())
    return Pairs(
        packed.mapped(),
        first_lengths.mapped(),
        tokens.labels,
        None if evidence is None else visible.mapped().reshape(-1, 2),
        tokens.target,
        PooledRows(max_len, windows.pooling) if windows is not None and has_windows else None,
    )


def _laid(tokens: Tokens, rows: slice, windows: Windows, room: int) -> Laid:
    """Where the windows of some rows lie; an InputError counts the rows of the whole split."""

    def those(some: slice) -> Laid:
        second = None if tokens.second is None else tokens.second.part(some).lengths
        return lay(windows, tokens.first.part(some).lengths, second, room)

    try:
        return those(rows)
    except InputError:
        those(slice(0, len(tokens)))
        raise


def _windowed(tokens: Tokens, rows: slice, laid: Laid) -> "list[_Cut]":
    """The windows of some rows as cuts of them, one _Cut per side: its rows are windows."""
    first, second = tokens.first.part(rows), tokens.second and tokens.second.part(rows)
    if second is None:
        return [_Cut(first, ranges(first.offsets[laid.row] + laid.start, laid.keep), laid.keep, laid.row)]
    whole = first.lengths[laid.row]
    return [
        _Cut(first, ranges(first.offsets[laid.row], whole), whole, laid.row),
        _Cut(second, ranges(second.offsets[laid.row] + laid.start, laid.keep), laid.keep, laid.row),
    ]


class _Cut(NamedTuple):
    """Some rows of a side, the indices into their values that are kept, and the number kept in each row.

    row: (windows,) the row of each window, whose numbers those in ``keep`` then are.
    """

    side: Ragged
    kept: NDArray[np.int64]
    keep: NDArray[np.int64]
    row: NDArray[np.int64] | None = None


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
            side, kept, keep, _ = cuts[number]
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
    """Whether the decisive token of each side is among those kept: (rows, 2), or (windows, 2).

    True where a side has none.
    """
    columns = []
    for cut, places in zip(cuts, evidence.T, strict=True):
        side, none = cut.side, places == NO_EVIDENCE
        if cut.row is None:
            is_kept = np.zeros(len(side.values) + 1, bool)
            is_kept[cut.kept] = True
            columns.append(none | is_kept[side.offsets[:-1] + np.where(none, 0, places)])
        else:  # what a window keeps is in one piece
            starts = np.append(cut.kept, 0)[offsets_of(cut.keep)[:-1]] - side.offsets[cut.row]
            columns.append(none | ((starts <= places) & (places < starts + cut.keep)))
    return np.stack(columns, axis=1)


def ceiling(visible: NDArray[np.bool_]) -> float:
    """The best accuracy possible on probe after a cut: 1 - (q1 + q2) / 3.

    q1 and q2 are the shares of pairs whose decisive word was cut from the first and second text.
    """
    return float(1 - (~visible).mean(axis=0).sum() / 3)
