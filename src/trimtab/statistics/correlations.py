"""Pseudo-values of Pearson's and Spearman's correlation, each example left out exactly.

``outputs`` (seeds, examples) against ``labels`` (examples,); the answer is (seeds, examples). A correlation
with something that does not vary is 0, as nothing of the label can be told from it.

Spearman's is Pearson's of ranks, ties having their mean rank. Without example i the rank of each example
above it is lower by 1, of each equal one by 1/2; the sums that Pearson's needs change by sums over those
above i, which sorting gives, and by the number above i in both, which is counted in blocks.
"""

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
    truth = np.asarray(labels, np.float64)
    return np.stack([_spearman(row, truth) for row in np.asarray(outputs, np.float64)])


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


def _spearman(x: Floats, y: Floats) -> Floats:
    n = len(x)
    if n < 2:
        return np.zeros(n)
    a, b = rankdata(x), rankdata(y)
    above_a, above_b = _Above(a), _Above(b)
    mean = n / 2  # of n - 1 ranks from 1
    # Sums over j != i of ranks without i: a_j - u_ij, u_ij being 1 above i, 1/2 beside it, 0 below.
    squares_a = (a**2).sum() - a**2 - 2 * above_a.sum_of(a) + above_a.squares
    squares_b = (b**2).sum() - b**2 - 2 * above_b.sum_of(b) + above_b.squares
    both = (a * b).sum() - a * b - above_b.sum_of(a) - above_a.sum_of(b) + _above_both(a, b)
    count = (n - 1) * mean**2
    scales = float((a**2).sum()), float((b**2).sum())
    without = _correlation(both - count, squares_a - count, squares_b - count, scales)
    a, b = a - a.mean(), b - b.mean()
    whole = _correlation(
        np.float64((a * b).sum()), np.float64((a**2).sum()), np.float64((b**2).sum()), scales
    )
    return np.asarray(n * whole - (n - 1) * without)


def _correlation(both: Sum, first: Sum, second: Sum, scales: tuple[float, float]) -> Floats:
    """Of sums of products around the mean; 0 where a sum of squares is nothing beside its scale."""
    varies = (first > _LEAST_SPREAD * scales[0]) & (second > _LEAST_SPREAD * scales[1])
    return np.asarray(np.where(varies, both / np.sqrt(np.where(varies, first * second, 1.0)), 0.0))


class _Above:
    """The examples above each one in ``values``, and half of those beside it."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.begin = np.searchsorted(ordered, values, "left")  # of those that are equal
        self.end = np.searchsorted(ordered, values, "right")
        beside = self.end - self.begin - 1
        self.squares = (len(values) - self.end) + beside / 4

    def sum_of(self, weights: Floats) -> Floats:
        """The weights of those above each example, and half the weights of those beside it."""
        sums = np.concatenate([[0.0], np.cumsum(weights[self.order])])
        beside = sums[self.end] - sums[self.begin] - weights
        return sums[-1] - sums[self.end] + beside / 2


def _above_both(a: Floats, b: Floats) -> Floats:
    """Sum over j != i of u_ij v_ij: above in both 1, above in one and beside in the other 1/2, beside 1/4."""
    counts = _counted(a, b, a, b) + _counted(a, b, a - 0.25, b)
    counts += _counted(a, b, a, b - 0.25) + _counted(a, b, a - 0.25, b - 0.25)
    return (counts - 1) / 4  # the last counts each example itself


def _counted(a: Floats, b: Floats, at_a: Floats, at_b: Floats) -> Floats:
    """For each place (at_a, at_b), how many examples have a > at_a and b > at_b."""
    n = len(a)
    order = np.argsort(a, kind="stable")
    start = np.searchsorted(a[order], at_a, "right")  # those from here on have a > at_a
    ranks = np.argsort(np.argsort(b, kind="stable"), kind="stable")  # a place of its own for each b
    least = np.searchsorted(np.sort(b), at_b, "right")  # those with a rank from here on have b > at_b
    blocks = -(-n // _BLOCK)
    padded = np.full((blocks, _BLOCK), -1)
    padded.ravel()[:n] = ranks[order]
    # above[k, r]: examples in blocks from k on with a rank of at least r.
    table = np.zeros((blocks + 1, n + 1), np.int32)
    for k in range(blocks):
        own = padded[k][padded[k] >= 0]
        table[k] = np.bincount(own, minlength=n + 1)[::-1].cumsum()[::-1]
    table = table[::-1].cumsum(axis=0)[::-1]
    block = start // _BLOCK
    whole = table[np.minimum(block + 1, blocks), least]
    inside = padded[np.minimum(block, blocks - 1)]
    places = np.arange(_BLOCK) >= (start % _BLOCK)[:, None]
    partial = ((inside >= least[:, None]) & places).sum(axis=1)
    return np.asarray(whole + np.where(block < blocks, partial, 0), np.float64)
