"""Selections: which tokens of a side are kept.

Each is a pure function ``(side, keep, context, **options) -> indices``: `side` a Ragged, `keep` (rows,) int64
with 0 <= keep <= the row's length, `context` a Context. The result holds the flat indices into
``side.values`` of the kept tokens, (sum of keep,) int64: rows in order, and the order of the text in each.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import Ragged, digests_of, ranges, splitmix
from trimtab.truncation.context import Context
from trimtab.truncation.options import Count, Share, rounded_share

Indices = NDArray[np.int64]
Scores = NDArray[np.uint64]


def head(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the start of each text.

    The usual default elsewhere; Hugging Face's ``truncation_side="right"``.
    """
    return ranges(side.offsets[:-1], keep)


def tail(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the end of each text.

    Hugging Face's ``truncation_side="left"``; the tail-only of Sun et al. 2019 (arXiv:1905.05583).
    """
    return ranges(side.offsets[1:] - keep, keep)


def head_tail(side: Ragged, keep: NDArray[np.int64], context: Context, *, head: Share = 0.25) -> Indices:
    """Keeps the start and the end of each text, the share `head` of what is kept from the start.

    floor(head * k + 1/2) of k tokens come from the start. Sun et al. 2019 (arXiv:1905.05583) keep 128 + 382
    of 510, which is the default.
    """
    front = rounded_share(head, keep)
    back = keep - front
    starts = np.stack([side.offsets[:-1], side.offsets[1:] - back], axis=1)
    return ranges(starts.ravel(), np.stack([front, back], axis=1).ravel())


def middle(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the middle of each text; of an odd number of tokens to drop, the right loses one more."""
    return ranges(side.offsets[:-1] + (side.lengths - keep) // 2, keep)


def random(side: Ragged, keep: NDArray[np.int64], context: Context, *, seed: Count = 0) -> Indices:
    """Keeps tokens drawn uniformly without replacement.

    The draw depends on `seed`, the side and the row's own tokens, so that a row is cut the same way in any
    data set. It is a baseline for selections by position.
    """
    drawn_with = splitmix(np.array([2 * seed + context.side], np.uint64))

    def draws(tokens: NDArray[np.integer]) -> Scores:
        streams = splitmix(digests_of(tokens) ^ drawn_with)
        return splitmix(streams + np.arange(len(tokens), dtype=np.uint64)[:, None])

    return _lowest(side, keep, draws)


def salient(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the tokens of highest inverse document frequency, ties to the left.

    Frequencies are those of ``Truncation.fit``; a token that did not occur there counts as the rarest.
    """
    assert context.document_frequencies is not None, "Truncation.keep checks that fit was called"
    table = np.append(context.document_frequencies, 0).astype(np.uint64) << np.uint64(32)
    # Tokens beyond those that were counted are clipped to the 0 at the end.
    return _lowest(side, keep, lambda tokens: table.take(tokens, mode="clip"))


def _lowest(side: Ragged, keep: NDArray[np.int64], score: Callable[[NDArray[np.integer]], Scores]) -> Indices:
    """The `keep` tokens of lowest score in each row, ties to the left.

    `score` is called for rows that are cut, rows of equal length together: tokens (length, rows) in, scores
    of that shape out, of which only the upper 32 bits count.
    """
    lengths = side.lengths
    kept = np.repeat(keep > 0, lengths)
    rows = np.flatnonzero((keep > 0) & (keep < lengths))
    # Small integer types are radix-sorted, which is several times as fast.
    cut = lengths[rows].astype(np.min_scalar_type(lengths.max(initial=0)))
    rows = rows[np.argsort(cut, kind="stable")]
    # Rows of equal length form a matrix, one row per column: there are far fewer lengths than rows, and one
    # operation on a matrix is faster than many on short rows.
    for group in np.split(rows, np.flatnonzero(np.diff(lengths[rows])) + 1):
        if len(group):
            places = side.offsets[group] + np.arange(lengths[group[0]])[:, None]
            lowest = _lowest_of(score(side.values[places]), keep[group])
            places -= side.offsets[0]
            kept[places] = lowest
    return np.flatnonzero(kept) + side.offsets[0]


def _lowest_of(scores: Scores, keep: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which are among the `keep` (columns,) lowest of their column: (length, columns) bool."""
    # The position in the lower 32 bits makes keys unique, so that ties go to the left.
    keys = scores & np.uint64(0xFFFFFFFF00000000)
    keys |= np.arange(len(keys), dtype=np.uint64)[:, None]
    in_order = np.sort(keys.T, axis=1)
    return keys <= in_order[np.arange(len(keep)), keep - 1]
