"""Selections: which tokens of a side are kept.

Each is a pure function ``(side, keep, context, **options) -> indices``: `side` a Ragged, `keep` (rows,) int64
with 0 <= keep <= the row's length, `context` a Context. The result holds the flat indices into
``side.values`` of the kept tokens, (sum of keep,) int64: rows in order, and the order of the text in each.
"""

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import Ragged, mix, ranges
from trimtab.truncation.context import Context
from trimtab.truncation.options import Count, Share, rounded_share

Indices = NDArray[np.int64]


def head(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the start of each text.

    What everybody does who does not say so; Hugging Face's ``truncation_side="right"``.
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

    The draw depends on `seed`, the side and the row's own tokens, so that a row is cut alike in any data set.
    What position alone is worth shows against it.
    """
    stream = mix(side.digests() ^ mix(np.array([2 * seed + context.side], np.uint64)))
    draws = np.repeat(stream, side.lengths)
    draws += side.places().astype(np.uint64)
    return _lowest(side, keep, (mix(draws) >> np.uint64(32)).astype(np.uint32))


def salient(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the tokens of highest inverse document frequency, ties to the left.

    Frequencies are those of ``Truncation.fit``; a token that did not occur there counts as the rarest.
    """
    frequencies = context.document_frequencies
    assert frequencies is not None, "Truncation.keep asks for the fit"
    tokens = side.values[side.offsets[0] : side.offsets[-1]].astype(np.int64, copy=False)
    size = max(len(frequencies), int(tokens.max(initial=0)) + 1)
    table = np.zeros(size, np.uint32)
    table[: len(frequencies)] = frequencies
    return _lowest(side, keep, table[tokens])


def _lowest(side: Ragged, keep: NDArray[np.int64], scores: NDArray[np.uint32]) -> Indices:
    """The `keep` tokens of lowest score in each row, ties to the left; scores (tokens,) of all rows."""
    lengths, starts = side.lengths, side.offsets[:-1] - side.offsets[0]
    kept = np.repeat(keep == lengths, lengths)
    rows = np.flatnonzero((keep > 0) & (keep < lengths))
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    # Rows of one length make a matrix, which is sorted at once: there are far fewer lengths than rows.
    for group in np.split(rows, np.flatnonzero(np.diff(lengths[rows])) + 1):
        if len(group):
            columns = np.arange(lengths[group[0]])
            places = starts[group][:, None] + columns
            # The column in the lower half makes each key its own, and a tie go to the left.
            keys = (scores[places].astype(np.uint64) << np.uint64(32)) | columns.astype(np.uint64)
            last = np.take_along_axis(np.sort(keys, axis=1), keep[group][:, None] - 1, axis=1)
            kept[places] = keys <= last
    return np.flatnonzero(kept) + side.offsets[0]
