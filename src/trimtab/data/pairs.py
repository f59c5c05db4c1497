"""Pairs: what a variant's model is given, packed without padding, with a fingerprint."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged, mix, offsets_of, ranges
from trimtab.truncation import Kept, Truncation

SPECIAL_OF_PAIR = 3  # cls A sep B sep
SPECIAL_OF_SINGLE = 2  # cls A sep


@dataclass(frozen=True, eq=False)
class Pairs:
    """One split as one variant sees it.

    tokens: Ragged int32, each row ``cls A sep B sep`` (``cls A sep`` for single texts).
    first_lengths: (rows,) int32, tokens of segment 0: ``cls A sep``. labels: (rows,) int64.
    visible: (rows, 2) bool, whether each side's evidence was kept; None where there is none.
    kept: which tokens of each text these are, as the truncation says.
    """

    tokens: Ragged
    first_lengths: NDArray[np.int32]
    labels: NDArray[np.int64]
    kept: Kept
    visible: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the input arrays: equal where a model would see exactly the same."""
        digest = hashlib.sha256()
        for array in (self.tokens.values, self.tokens.offsets, self.first_lengths, self.labels):
            digest.update(len(array).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:32]

    def row_digests(self) -> NDArray[np.uint64]:
        """A 64-bit digest of each row's input, (rows,): almost surely different where rows differ."""
        return mix(self.tokens.digests() ^ self.first_lengths.astype(np.uint64))


def budget(max_len: int, pairs: bool) -> int:
    """Tokens left beside the special ones; InputError where max_len has no room for those."""
    special = SPECIAL_OF_PAIR if pairs else SPECIAL_OF_SINGLE
    if max_len < special:
        raise InputError(
            f"max_len {max_len} is under the {special} special tokens; take {special + 1} or more"
        )
    return max_len - special


def make_pairs(tokens: Tokens, truncation: Truncation, max_len: int, special: SpecialTokens) -> Pairs:
    """Cut every row of ``tokens`` to ``max_len`` and add the special tokens.

    Raises InputError where max_len is under the special tokens or the truncation refuses a row.
    """
    room = budget(max_len, tokens.second is not None)
    kept = truncation.keep(tokens.first, tokens.second, room)
    sides = [(tokens.first, kept.first, kept.keep_first)]
    if tokens.second is not None and kept.second is not None and kept.keep_second is not None:
        sides.append((tokens.second, kept.second, kept.keep_second))
    offsets = offsets_of(1 + np.sum([keep + 1 for _, _, keep in sides], axis=0))
    values = np.full(offsets[-1], special.sep, np.int32)
    values[offsets[:-1]] = special.cls
    start = offsets[:-1] + 1
    for side, index, keep in sides:
        values[ranges(start, keep)] = side.values[index]
        start = start + keep + 1
    return Pairs(
        Ragged(values, offsets),
        (kept.keep_first + 2).astype(np.int32),
        np.asarray(tokens.labels),
        kept,
        _visible(tokens, kept),
    )


def _visible(tokens: Tokens, kept: Kept) -> NDArray[np.bool_] | None:
    """Whether the decisive token of each side is among those kept."""
    if tokens.evidence is None or tokens.second is None or kept.second is None:
        return None
    columns = []
    for column, (side, index) in enumerate(((tokens.first, kept.first), (tokens.second, kept.second))):
        is_kept = np.zeros(len(side.values), bool)
        is_kept[index] = True
        columns.append(is_kept[side.offsets[:-1] + tokens.evidence[:, column]])
    return np.stack(columns, axis=1)


def ceiling(visible: NDArray[np.bool_]) -> float:
    """The best accuracy that probe permits after a cut: 1 - (q1 + q2) / 3.

    q1 and q2 are the shares of pairs whose decisive word was cut from the first and second text.
    """
    return float(1 - (~visible).mean(axis=0).sum() / 3)
