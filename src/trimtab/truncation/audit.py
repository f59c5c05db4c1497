"""The audit: what a truncation cuts, computed from lengths and kept numbers alone."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.ragged import Ragged, offsets_of
from trimtab.truncation.spec import Kept, Truncation

_CHUNK = 50_000  # pairs that are cut at a time: little memory compared with the tokens


@dataclass(frozen=True)
class Audit:
    """What is cut of one set of pairs; shares from 0 to 1, tokens lost over all pairs, uncut ones included.

    The median and the 90th centile interpolate linearly.
    """

    pairs: int
    cut: float
    cut_only_first: float
    cut_only_second: float
    cut_both: float
    lost_first_mean: float
    lost_first_median: float
    lost_first_p90: float
    lost_first_largest: int
    lost_second_mean: float
    lost_second_median: float
    lost_second_p90: float
    lost_second_largest: int
    lost_share: float

    @property
    def hardly_cuts(self) -> bool:
        """Whether fewer than 1 % are cut; a variant is flagged where training and evaluated pairs agree."""
        return self.cut < 0.01


def audit(
    len_first: ArrayLike, len_second: ArrayLike | None, keep_first: ArrayLike, keep_second: ArrayLike | None
) -> Audit:
    """What is cut, from lengths and kept numbers of each side (pairs,); second ones None for single texts.

    InputError where there are no pairs.
    """
    return _audit(_lost(len_first, len_second, keep_first, keep_second))


def audit_by_label(
    len_first: ArrayLike,
    len_second: ArrayLike | None,
    keep_first: ArrayLike,
    keep_second: ArrayLike | None,
    labels: ArrayLike,
) -> dict[Hashable, Audit]:
    """The same by label: labels (pairs,) in, one Audit per label that occurs out."""
    counts = _lost(len_first, len_second, keep_first, keep_second)
    labels = np.asarray(labels)
    return {label: _audit(counts[:, labels == label]) for label in np.unique(labels).tolist()}


def _lost(
    len_first: ArrayLike, len_second: ArrayLike | None, keep_first: ArrayLike, keep_second: ArrayLike | None
) -> NDArray[np.int64]:
    """Lost on the first side, lost on the second, length of the pair: (3, pairs)."""
    a, ka = np.asarray(len_first, np.int64), np.asarray(keep_first, np.int64)
    b = np.zeros_like(a) if len_second is None else np.asarray(len_second, np.int64)
    kb = b if keep_second is None else np.asarray(keep_second, np.int64)
    return np.stack([a - ka, b - kb, a + b])


def _audit(counts: NDArray[np.int64]) -> Audit:
    first, second, length = counts
    if not len(first):
        raise InputError("there are no pairs to audit: the data is empty")
    cut_first, cut_second = first > 0, second > 0
    lost = int(first.sum() + second.sum())
    return Audit(
        len(first),
        float(np.mean(cut_first | cut_second)),
        float(np.mean(cut_first & ~cut_second)),
        float(np.mean(cut_second & ~cut_first)),
        float(np.mean(cut_first & cut_second)),
        *_spread(first),
        *_spread(second),
        lost / max(int(length.sum()), 1),
    )


def _spread(lost: NDArray[np.int64]) -> tuple[float, float, float, int]:
    median, p90 = np.percentile(lost, [50, 90])
    return float(lost.mean()), float(median), float(p90), int(lost.max())


def different(one: Kept, other: Kept) -> NDArray[np.bool_]:
    """Which rows keep different tokens, (rows,) bool, of the same data cut by two truncations.

    Tokens are compared by their positions in the text, not by their ids.
    """
    rows = _side_different(one.first, one.keep_first, other.first, other.keep_first)
    if one.second is None or other.second is None or one.keep_second is None or other.keep_second is None:
        return rows
    return rows | _side_different(one.second, one.keep_second, other.second, other.keep_second)


def shares_different(
    first: Ragged, second: Ragged | None, truncations: Sequence[Truncation], budget: int
) -> NDArray[np.float64]:
    """The share of all pairs on which each two truncations keep different tokens: (truncations, truncations).

    InputError where there are no pairs, and where a truncation refuses one.
    """
    if not len(first):
        raise InputError("there are no pairs to compare: the data is empty")
    lengths = first.lengths if second is None else first.lengths + second.lengths
    # A pair that fits is kept whole by all of them, except by splits with limits of their own.
    some_cut_fitting = any(truncation.cuts_fitting for truncation in truncations)
    cut = np.arange(len(first)) if some_cut_fitting else np.flatnonzero(lengths > budget)
    counts = np.zeros((len(truncations),) * 2, np.int64)
    for start in range(0, len(cut), _CHUNK):
        rows = cut[start : start + _CHUNK]
        sides = first.take(rows), None if second is None else second.take(rows)
        kept = [truncation.keep(*sides, budget) for truncation in truncations]
        for i, j in combinations(range(len(kept)), 2):
            counts[i, j] += different(kept[i], kept[j]).sum()
    return (counts + counts.T) / len(first)


def _side_different(
    one: NDArray[np.int64],
    keep_one: NDArray[np.int64],
    other: NDArray[np.int64],
    keep_other: NDArray[np.int64],
) -> NDArray[np.bool_]:
    result = keep_one != keep_other
    same = np.flatnonzero(~result)
    a = Ragged(one, offsets_of(keep_one)).take(same).values
    b = Ragged(other, offsets_of(keep_other)).take(same).values
    result[np.repeat(same, keep_one[same])[a != b]] = True
    return result
