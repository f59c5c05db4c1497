"""Selections: which tokens of a side are kept.

Each is a pure function ``(side, keep, context, **options) -> indices``: `side` a Ragged, `keep` (rows,) int64
with 0 <= keep <= the row's length, `context` a Context. The result holds the flat indices into
``side.values`` of the kept tokens, (sum of keep,) int64: rows in order, and the order of the text in each.
"""

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import Ragged, ranges
from trimtab.truncation.context import Context
from trimtab.truncation.options import Share

Indices = NDArray[np.int64]


def head(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the start of each text."""
    return ranges(side.offsets[:-1], keep)


def tail(side: Ragged, keep: NDArray[np.int64], context: Context) -> Indices:
    """Keeps the end of each text."""
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


def rounded_share(share: float, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """floor(share * number + 1/2) of each number (rows,) below a million, the share taken as it is written.

    As a double, 0.29 * 50 falls a hair short of 14.5: the billionth makes up for it.
    """
    return np.floor(share * numbers + (0.5 + 1e-9)).astype(np.int64)
