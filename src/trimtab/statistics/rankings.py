"""Measures of rankings, by query: MRR@10, NDCG@10 and MAP as trec_eval has them.

``outputs`` (seeds, examples, 1) rank the examples of each query, the largest first; the answer is
(seeds, queries), of the queries that have a relevant example, in their order (see ``Truth``). An example is
relevant where its label, the grade, is above 0. Equal outputs are ranked in the reverse of the data's order,
which is trec_eval's rule (names of documents, falling) for documents that are numbered in the data's order.

Sources: trec_eval (NIST), measures recip_rank, ndcg_cut and map; Järvelin and Kekäläinen, ACM Transactions on
Information Systems 20 (2002), with grades as gains and log2(rank + 1) as discount.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.ragged import offsets_of
from trimtab.statistics.truth import Truth

Floats = NDArray[np.float64]
CUTOFF = 10  # of MRR@10 and NDCG@10


def reciprocal_rank(outputs: ArrayLike, truth: Truth) -> Floats:
    """1 / the rank of the first relevant example, 0 where that is beyond rank 10."""
    return _Ranked(truth).each(one_output(outputs, len(truth.labels)), _reciprocal)


def ndcg(outputs: ArrayLike, truth: Truth) -> Floats:
    """Normalised discounted cumulative gain at 10: of the grades, over that of the best ranking."""
    return _Ranked(truth).each(one_output(outputs, len(truth.labels)), _gain) / best_gain(truth)


def average_precision(outputs: ArrayLike, truth: Truth) -> Floats:
    """The mean, over the relevant examples, of the share of relevant ones down to each."""
    return _Ranked(truth).each(one_output(outputs, len(truth.labels)), _precision)


def one_output(outputs: ArrayLike, examples: int) -> Floats:
    """The one output of each seed and example, (seeds, examples) float64.

    InputError where outputs are not finite numbers of shape (seeds, examples, 1).
    """
    given = np.asarray(outputs)
    if given.ndim != 3 or given.shape[1:] != (examples, 1) or not len(given):
        raise InputError(f"outputs have shape {given.shape}: give (seeds, {examples:,} examples, 1)")
    if given.dtype.kind not in "iuf" or not np.isfinite(given).all():
        raise InputError("outputs hold nan, infinity or no numbers; leave out that trial or fix it")
    return given[..., 0].astype(np.float64)


class _Ranked:
    """The examples of judged queries, sorted by query; ``starts``: where each query begins."""

    def __init__(self, truth: Truth) -> None:
        # Later examples first, so that a stable sort by output leaves ties in that order.
        reverse = np.arange(len(truth.labels))[::-1]
        reverse = reverse[truth.unit[reverse] >= 0]
        self.order = reverse[np.argsort(truth.unit[reverse], kind="stable")]
        self.query = truth.unit[self.order]
        sizes = np.bincount(self.query, minlength=len(truth))
        self.starts = offsets_of(sizes)[:-1]
        self.rank = np.arange(1, len(self.order) + 1) - self.starts[self.query]
        self.grades = truth.labels.astype(np.float64)[self.order]

    def each(self, outputs: Floats, measure: "_Measure") -> Floats:
        """The measure (seeds, queries), seed by seed."""
        found = [self._sorted(row) for row in outputs]
        return np.stack([measure(grades, self.rank, self.starts) for grades in found])

    def _sorted(self, outputs: Floats) -> Floats:
        """Grades by query and rank."""
        own = outputs[self.order]
        by_output = np.argsort(-own, kind="stable")
        return self.grades[by_output[np.argsort(self.query[by_output], kind="stable")]]


_Measure = Callable[[Floats, NDArray[np.int64], NDArray[np.int64]], Floats]


def _reciprocal(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    found = np.where((grades > 0) & (rank <= CUTOFF), 1.0 / rank, 0.0)
    return np.maximum.reduceat(found, starts)


def _gain(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    return np.add.reduceat(np.where(rank <= CUTOFF, grades / np.log2(rank + 1.0), 0.0), starts)


def _precision(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    relevant = grades > 0
    sizes = np.diff(np.append(starts, len(grades)))
    so_far = np.cumsum(relevant, dtype=np.int64) - np.repeat(_before(relevant, starts), sizes)
    number = np.add.reduceat(relevant.astype(np.float64), starts)
    return np.add.reduceat(np.where(relevant, so_far / rank, 0.0), starts) / number


def _before(relevant: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many relevant examples there are in all queries before each."""
    return np.concatenate([[0], np.cumsum(relevant)])[starts]


def random_reciprocal_rank(truth: Truth) -> float:
    """What ranking at random gives on average, exactly."""
    total = 0.0
    for relevant, size in _numbers(truth):
        none_yet = 1.0  # the chance that the examples before hold no relevant one
        for rank in range(1, min(size, CUTOFF) + 1):
            left = size - rank + 1
            total += none_yet * (relevant / left) / rank
            none_yet *= max(0, left - relevant) / left
    return total / len(truth)


def random_ndcg(truth: Truth) -> float:
    """What ranking at random gives on average, exactly: each rank has the query's mean grade."""
    ranked = _Ranked(truth)
    mean = truth.mean_of(truth.labels.astype(np.float64))
    sizes = np.bincount(ranked.query, minlength=len(truth))
    discounts = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(np.arange(1, CUTOFF + 1) + 1.0))])
    return float((mean * discounts[np.minimum(sizes, CUTOFF)] / best_gain(truth)).mean())


def best_gain(truth: Truth) -> Floats:
    """The discounted cumulative gain at 10 of the best ranking of each query."""
    return _Ranked(truth).each(truth.labels.astype(np.float64)[None], _gain)[0]


def random_average_precision(truth: Truth) -> float:
    """What ranking at random gives on average, exactly."""
    total = 0.0
    for relevant, size in _numbers(truth):
        ranks = np.arange(1, size + 1)
        others = (ranks - 1) * (relevant - 1) / max(1, size - 1)  # relevant ones before, if one is here
        total += float(((1 + others) / ranks).sum()) / size
    return total / len(truth)


def _numbers(truth: Truth) -> list[tuple[int, int]]:
    """Of each judged query, how many relevant examples it has, and how many in all."""
    ranked = _Ranked(truth)
    relevant = np.bincount(ranked.query, ranked.grades > 0, len(truth)).astype(np.int64)
    sizes = np.bincount(ranked.query, minlength=len(truth))
    return list(zip(relevant.tolist(), sizes.tolist(), strict=True))
