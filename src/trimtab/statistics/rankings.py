"""Measures of rankings, by query: MRR@10, NDCG@10 and MAP as trec_eval has them.

``outputs`` (seeds, examples, 1) rank the examples of each query, the largest first; the answer is
(seeds, queries), of the queries that have a relevant example, in their order (see ``Truth``). An example is
relevant where its label, the grade, is above 0. Equal outputs are ranked in the reverse of the data's order,
which is trec_eval's rule (names of documents, falling) for documents that are numbered in the data's order.

Sources: trec_eval (NIST), measures recip_rank, ndcg_cut and map; Järvelin and Kekäläinen, ACM Transactions on
Information Systems 20 (2002), with grades as gains and log2(rank + 1) as discount.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.ragged import offsets_of
from trimtab.statistics.truth import Truth

Floats = NDArray[np.float64]
CUTOFF = 10  # of MRR@10 and NDCG@10


def reciprocal_rank(outputs: ArrayLike, truth: Truth) -> Floats:
    """1 / the rank of the first relevant example, 0 where that is beyond rank 10."""
    return _ranked(truth).each(one_output(outputs, len(truth.labels)), _reciprocal)


def ndcg(outputs: ArrayLike, truth: Truth) -> Floats:
    """Normalised discounted cumulative gain at 10: of the grades, over that of the best ranking."""
    ranked = _ranked(truth)
    return ranked.each(one_output(outputs, len(truth.labels)), _gain) / ranked.best_gain


def average_precision(outputs: ArrayLike, truth: Truth) -> Floats:
    """The mean, over the relevant examples, of the share of relevant ones down to each."""
    return _ranked(truth).each(one_output(outputs, len(truth.labels)), _precision)


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
        return np.asarray(self.grades[np.lexsort((-outputs[self.order], self.query))])

    @cached_property
    def best_gain(self) -> Floats:
        """The discounted cumulative gain at 10 of the best ranking of each query."""
        return _gain(self.grades[np.lexsort((-self.grades, self.query))], self.rank, self.starts)


@lru_cache(maxsize=8)  # a test set is ranked once for each trial
def _ranked(truth: Truth) -> _Ranked:
    return _Ranked(truth)


_Measure = Callable[[Floats, NDArray[np.int64], NDArray[np.int64]], Floats]


def _reciprocal(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    found = np.where((grades > 0) & (rank <= CUTOFF), 1.0 / rank, 0.0)
    return np.maximum.reduceat(found, starts)


def _gain(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    return np.add.reduceat(np.where(rank <= CUTOFF, grades / np.log2(rank + 1.0), 0.0), starts)


def _precision(grades: Floats, rank: NDArray[np.int64], starts: NDArray[np.int64]) -> Floats:
    relevant = (grades > 0).astype(np.int64)
    total = offsets_of(relevant)
    sizes = np.diff(np.append(starts, len(grades)))
    so_far = total[1:] - np.repeat(total[starts], sizes)  # of the query, down to each example
    number = np.add.reduceat(relevant, starts)
    return np.asarray(np.add.reduceat(np.where(relevant > 0, so_far / rank, 0.0), starts) / number)


def expected(levels: ArrayLike, truth: Truth) -> dict[str, Floats]:
    """Each measure by its name in ``SCORES``, (queries,), where equal levels are ranked in a random order.

    levels: (examples,), the higher ones first. The values are exact means over all orders.
    Source: McSherry and Najork, ECIR 2008, on measures of rankings with ties.
    """
    group = np.unique(-np.asarray(levels, np.float64), return_inverse=True)[1]
    known = truth.unit >= 0
    cell, shape = truth.unit[known] * (group.max() + 1) + group[known], (len(truth), int(group.max()) + 1)
    grades = truth.labels.astype(np.float64)[known]
    sizes, relevant, gains = (
        np.bincount(cell, weights, shape[0] * shape[1]).reshape(shape).astype(np.float64)
        for weights in (None, grades > 0, grades)
    )
    sums = _Sums(len(truth))
    for column in range(shape[1]):
        sums.add(sizes[:, column], relevant[:, column], gains[:, column])
    return {
        "ndcg@10": sums.gain / _ranked(truth).best_gain,
        "mrr@10": sums.reciprocal,
        "map": sums.precision / relevant.sum(axis=1),
    }


class _Sums:
    """Expected sums of each query, group by group of equal levels."""

    def __init__(self, queries: int) -> None:
        self.gain, self.reciprocal, self.precision = (np.zeros(queries) for _ in range(3))
        self.before, self.relevant_before = np.zeros(queries), np.zeros(queries)
        self.none_yet = np.ones(queries)  # the chance that no relevant example has come

    def add(self, size: Floats, relevant: Floats, gain: Floats) -> None:
        """The next group: how many examples, relevant ones, and the sum of grades, (queries,) each."""
        of_one = np.maximum(size, 1)
        others = (relevant - 1) / np.maximum(size - 1, 1)  # relevant ones among the rest, if one is relevant
        for place in range(1, int(size.max()) + 1):
            here = place <= size
            rank = self.before + place
            in_reach = here & (rank <= CUTOFF)
            self.gain += np.where(in_reach, gain / of_one / np.log2(rank + 1), 0.0)
            first = np.where(here, relevant / np.maximum(size - place + 1, 1), 0.0)
            self.reciprocal += np.where(in_reach, self.none_yet * first / rank, 0.0)
            self.none_yet *= 1 - np.minimum(first, 1)
            so_far = self.relevant_before + 1 + (place - 1) * others
            self.precision += np.where(here, relevant / of_one * so_far / rank, 0.0)
        self.before += size
        self.relevant_before += relevant
