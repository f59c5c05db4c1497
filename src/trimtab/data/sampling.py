"""Rows that are drawn, always whole clusters: a sample of a data set, and validation rows out of train."""

import math
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from trimtab.config import InputError, StrictModel
from trimtab.data.examples import Examples

_SAMPLED = ", a sample of "  # in the source of a sample, after that of the whole
Numbers = NDArray[np.int64]


class Sampling(StrictModel):
    """Options that every reader takes beside its own."""

    sample: Annotated[int, Field(ge=1)] | None = Field(
        None, description="number of rows to sample: whole clusters, stratified by label"
    )
    sample_seed: int = Field(0, ge=0, description="seed of the draw of the sample")

    @model_validator(mode="after")
    def _seed_of_something(self) -> "Sampling":
        if self.sample is None and self.sample_seed:
            raise ValueError("option 'sample_seed' has nothing to draw; say how many rows with 'sample'")
        return self


def draw(examples: Examples, sampling: Sampling) -> Examples:
    """The sample that was asked for, its rows in their original order; all rows if none was.

    InputError where there are fewer rows than asked for, or every cluster is larger.
    """
    if sampling.sample is None:
        return examples
    if sampling.sample > len(examples):
        what = f"sample = {sampling.sample} is more than its {len(examples)} rows"
        raise InputError(f"{examples.source}: {what}; lower it, or leave it out")
    chosen = choose_clusters(_counts(examples), sampling.sample, sampling.sample_seed)
    if not chosen.any():
        smallest = np.bincount(examples.clusters).min()
        what = f"sample = {sampling.sample} is less than its smallest cluster, of {smallest} rows"
        raise InputError(f"{examples.source}: {what}; raise it")
    sample = examples.take(np.flatnonzero(chosen[examples.clusters]))
    words = f"{len(sample):,} of {len(examples):,} rows, seed {sampling.sample_seed}"
    return sample.with_source(f"{examples.source}{_SAMPLED}{words}")


def hold_out(examples: Examples, share: float, seed: int) -> NDArray[np.bool_]:
    """Which rows to hold out of the training split for validation, in whole clusters: (rows,) bool.

    The share of the rows is rounded up, so that int(0.9 n) are left to train on. Clusters are taken in a
    random order, leaving out those that would exceed the share; if none fits, the smallest is taken. The
    choice depends on the sizes of the clusters and the seed alone. Labels are not balanced as in a sample:
    the rows that earlier results were trained on must stay the same.
    """
    sizes = np.bincount(examples.clusters)
    room = math.ceil(round(share * len(examples), 6))  # 0.1 * 30 is a little over 3
    chosen = []
    for cluster in np.random.default_rng(seed).permutation(len(sizes)):
        if sizes[cluster] <= room:
            chosen.append(cluster)
            room -= sizes[cluster]
    return np.isin(examples.clusters, chosen or [sizes.argmin()])


def set_aside(examples: Examples, share: float, seed: int) -> NDArray[np.bool_]:
    """Which rows of one file to keep for testing, in whole clusters, labels in proportion: (rows,) bool.

    At most the share of the rows, rounded; none where even the smallest cluster is larger.
    """
    rows = round(share * len(examples))
    return choose_clusters(_counts(examples), rows, seed)[examples.clusters]


def unsampled(source: str) -> str:
    """The source of the data set that a sample was drawn from."""
    return source.partition(_SAMPLED)[0]


def choose_clusters(counts: Numbers, rows: int, seed: int) -> NDArray[np.bool_]:
    """Which clusters to take, (clusters,) bool, with at most ``rows`` rows in total.

    ``counts`` (clusters, labels) are numbers of rows. Clusters are taken in random order as long as they fit;
    then they are exchanged for others while that brings the number of rows, or of rows with each label,
    nearer to its target. Among clusters with equal counts the first in the random order are taken, so where
    every row is a cluster this is simple random sampling within each label. The choice depends on ``counts``
    and the seed alone.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(counts))
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    kind = kind.reshape(-1)[order]
    fitting = np.searchsorted(np.cumsum(counts.sum(axis=1)[order]), rows, side="right")
    taken = np.bincount(kind[:fitting], minlength=len(kinds))
    taken = _balanced(kinds, np.bincount(kind), taken, _shares(counts.sum(axis=0), rows), random)
    by_kind = np.argsort(kind, kind="stable")
    starts = np.searchsorted(kind[by_kind], np.arange(len(kinds)))
    rank = np.arange(len(kind)) - starts[kind[by_kind]]
    chosen = np.zeros(len(counts), bool)
    chosen[order[by_kind[rank < taken[kind[by_kind]]]]] = True
    return chosen


def _balanced(kinds: Numbers, there: Numbers, taken: Numbers, wanted: Numbers, random: Generator) -> Numbers:
    """How many clusters of each kind to take, (kinds,): ``taken``, improved, and at most ``there``.

    ``kinds`` (kinds, labels) are rows of each label in a cluster, ``wanted`` (labels,) the target.
    """
    nothing = len(kinds)  # an empty kind: exchanging it adds or removes a cluster
    kinds = np.vstack([kinds, np.zeros_like(kinds[:1])])
    taken, there = np.append(taken, 1), np.append(there, 2)
    room, moved = wanted - taken @ kinds, True
    while moved:
        moved = False
        for out in [nothing, *random.permutation(nothing)]:
            if not taken[out]:
                continue
            missed = np.where(taken < there, _missed(room + kinds[out] - kinds), np.inf)
            best = missed.argmin()
            if missed[best] < _missed(room[None])[0]:
                room, moved = room + kinds[out] - kinds[best], True
                taken[best] += best != nothing
                taken[out] -= out != nothing
    return taken[:nothing]


def _missed(room: Numbers) -> NDArray[np.float64]:
    """How far the rows still to take (moves, labels) are from 0; infinite where the total is exceeded.

    The total counts twice, so that whatever still fits is worth taking.
    """
    whole = room.sum(axis=1)
    return np.where(whole < 0, np.inf, np.abs(room).sum(axis=1) + 2.0 * np.abs(whole))


def _shares(totals: Numbers, rows: int) -> Numbers:
    """``rows`` among the labels in proportion to ``totals``, by largest remainder; the sum is exact."""
    exact = totals * rows
    shares = exact // totals.sum()
    remainders = exact - shares * totals.sum()
    missing = rows - int(shares.sum())
    shares[np.argsort(-remainders, kind="stable")[:missing]] += 1
    return shares


def _strata(examples: Examples) -> tuple[Numbers, int]:
    """The stratum of each row, (rows,), and their number: labels, of relevance two, and of scores one."""
    if examples.target == "classes":
        return examples.labels.astype(np.int64, copy=False), len(examples.label_names)
    if examples.target == "relevance":
        return (examples.labels > 0).astype(np.int64), 2
    return np.zeros(len(examples), np.int64), 1


def _counts(examples: Examples) -> Numbers:
    strata, labels = _strata(examples)
    flat = examples.clusters * labels + strata
    clusters = int(examples.clusters.max()) + 1
    return np.bincount(flat, minlength=clusters * labels).reshape(clusters, labels)
