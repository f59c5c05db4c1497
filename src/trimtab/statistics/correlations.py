"""Pseudo-values of Pearson's and Spearman's correlation, each example left out exactly.

``outputs`` (seeds, examples) against ``labels`` (examples,); the answer is (seeds, examples). A correlation
with something that does not vary is 0, as nothing of the label can be told from it.

Spearman's is Pearson's of ranks, ties having their mean rank. Without example i the rank of each example
above it is lower by 1, of each equal one by 1/2; the sums that Pearson's needs change by sums over those
above i, which sorting gives, and by the number above i in both, which is counted in blocks.
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
Sum = Floats | np.float64
_BLOCK = 256  # examples: about the square root of how many there usually are
_LEAST_SPREAD = 1e-12  # of a sum of squares, relative: below it is rounding


def pearson(outputs: Floats, labels: Floats) -> Floats:
    """Pseudo-values of Pearson's correlation."""
    truth = np.asarray(labels, np.float64)
    return np.stack([_pearson(row, truth) for row in np.asarray(outputs, np.float64)])


def spearman(outputs: Floats, labels: Floats) -> Floats:
    """Pseudo-values of Spearman's rank correlation."""
    truth = _Ranks(np.asarray(labels, np.float64))
    return np.stack([_spearman(_Ranks(row), truth) for row in np.asarray(outputs, np.float64)])


def _pearson(x: Floats, y: Floats) -> Floats:
    n = len(x)
    if n < 2:
        return np.zeros(n)
    scales = float((x**2).sum()), float((y**2).sum())
    x, y = x - x.mean(), y - y.mean()
    # With sums around the mean, leaving i out takes n / (n - 1) times its own part away.
    share = n / (n - 1)
    sums = [float((a * b).sum()) for a, b in ((x, y), (x, x), (y, y))]
    both, first, second = (
        total - share * a * b for total, (a, b) in zip(sums, ((x, y), (x, x), (y, y)), strict=True)
    )
    whole = _correlation(np.float64(sums[0]), np.float64(sums[1]), np.float64(sums[2]), scales)
    return np.asarray(n * whole - (n - 1) * _correlation(both, first, second, scales))


def _spearman(x: "_Ranks", y: "_Ranks") -> Floats:
    a, b = x.ranks, y.ranks
    n = len(a)
    if n < 2:
        return np.zeros(n)
    # Sums over j != i of ranks without i: a_j - u_ij, u_ij being 1 above i, 1/2 beside it, 0 below.
    both = (a * b).sum() - a * b - y.above(a) - x.above(b) + _above_both(a, y)
    count = (n - 1) * (n / 2) ** 2  # as the mean of n - 1 ranks from 1 is n / 2
    scales = float((a**2).sum()), float((b**2).sum())
    without = _correlation(both - count, x.squares - count, y.squares - count, scales)
    a, b = a - a.mean(), b - b.mean()
    whole = _correlation((a * b).sum(), (a**2).sum(), (b**2).sum(), scales)
    return np.asarray(n * whole - (n - 1) * without)


def _correlation(both: Sum, first: Sum, second: Sum, scales: tuple[float, float]) -> Floats:
    """Of sums of products around the mean; 0 where a sum of squares is nothing beside its scale."""
    varies = (first > _LEAST_SPREAD * scales[0]) & (second > _LEAST_SPREAD * scales[1])
    return np.asarray(np.where(varies, both / np.sqrt(np.where(varies, first * second, 1.0)), 0.0))


class _Ranks:
    """The ranks of values, and what lies above each of them; of what is beside it, a half."""

    def __init__(self, values: Floats) -> None:
        self.ranks = rankdata(values)
        self.order = np.argsort(self.ranks, kind="stable")
        self.sorted = self.ranks[self.order]
        self.begin = np.searchsorted(self.sorted, self.ranks, "left")  # of those that are equal
        self.end = np.searchsorted(self.sorted, self.ranks, "right")

    @cached_property
    def squares(self) -> Floats:
        """The sum of squares of all ranks but each one's, as they are without it."""
        u_squared = (len(self.ranks) - self.end) + (self.end - self.begin - 1) / 4
        rest = (self.ranks**2).sum() - self.ranks**2
        return np.asarray(rest - 2 * self.above(self.ranks) + u_squared)

    def above(self, weights: Floats) -> Floats:
        """The weights of those above each one, and half the weights of those beside it."""
        sums = np.concatenate([[0.0], np.cumsum(weights[self.order])])
        beside = sums[self.end] - sums[self.begin] - weights
        return np.asarray(sums[-1] - sums[self.end] + beside / 2)

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """A place of its own for each, from 0, in the order of ranks."""
        places = np.empty(len(self.order), np.int64)
        places[self.order] = np.arange(len(self.order))
        return places


def _above_both(a: Floats, y: _Ranks) -> Floats:
    """Sum over j != i of u_ij v_ij: above in both 1, above in one and beside in the other 1/2, beside 1/4.

    Counted with "above" and with "not below" in each, which differ by those beside; the last of the four
    counts each one itself.
    """
    counts = _Counts(a, y.places)
    every = sum(counts.at(at, least) for at in (a, a - 0.25) for least in (y.end, y.begin))
    return np.asarray((every - 1) / 4)


class _Counts:
    """Counts examples by their ``a`` and by their places in ``b``."""

    def __init__(self, a: Floats, places: NDArray[np.int64]) -> None:
        n = len(a)
        order = np.argsort(a, kind="stable")
        self.sorted, self.blocks = a[order], -(-n // _BLOCK)
        self.padded = np.full((self.blocks, _BLOCK), -1)
        self.padded.ravel()[:n] = places[order]
        # table[k, r]: examples in blocks from k on with a place of at least r.
        table = np.zeros((self.blocks + 1, n + 1), np.int32)
        for k, block in enumerate(self.padded):
            table[k] = np.bincount(block[block >= 0], minlength=n + 1)[::-1].cumsum()[::-1]
        self.table = table[::-1].cumsum(axis=0)[::-1]

    def at(self, at_a: Floats, least: NDArray[np.integer]) -> Floats:
        """For each pair, how many examples have ``a`` above ``at_a`` and a place of at least ``least``."""
        start = np.searchsorted(self.sorted, at_a, "right")  # those from here on are above
        block = start // _BLOCK
        whole = self.table[np.minimum(block + 1, self.blocks), least]
        inside = self.padded[np.minimum(block, self.blocks - 1)]
        here = (inside >= least[:, None]) & (np.arange(_BLOCK) >= (start % _BLOCK)[:, None])
        return np.asarray(whole + np.where(block < self.blocks, here.sum(axis=1), 0), np.float64)
