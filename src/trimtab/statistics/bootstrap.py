"""The Multi-Bootstrap: seeds and examples resampled together."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.statistics import secondary
from trimtab.statistics.crossed import Clusters
from trimtab.statistics.inputs import cluster_labels, level
from trimtab.statistics.secondary import Secondary, unanswered

Floats = NDArray[np.float64]

_NAME = "Multi-Bootstrap"
_QUESTION = (
    "does the mean score differ over new seeds and new {units} ({seeds})? takes the few seeds seen for all "
    "there are, so it is too eager under about ten"
)
# Counts held at once; all resamples of many examples together would fill the memory.
_AT_ONCE = 2**20


def multi_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    paired: bool = True,
    resamples: int = 1000,
    clusters: ArrayLike | None = None,
    alpha: float = 0.05,
) -> Secondary:
    """The Multi-Bootstrap of the difference of means, with its percentile interval at 1 - alpha.

    ``first`` (seeds, examples), ``second`` (seeds, examples): each resample draws seeds with replacement, the
    same in both where ``paired``, and independently of them examples, the same in both; whole ``clusters``
    (examples,) where given, every example weighing the same. p is twice the smaller share of resamples on
    either side of 0, each counted with one more, so never 0. Equal scores give 0 with [0, 0] and p = 1;
    with one seed or one cluster, or the same difference everywhere, interval and p are nan.
    Raises InputError on input that does not fit.
    Source: Sellam et al., The MultiBERTs, ICLR 2022, arXiv:2106.16163, section 3.
    """
    one, other = secondary.table_pair(first, second, paired)
    grouping = Clusters(cluster_labels(clusters, one.shape[1]), one.shape[1])
    rng, resamples, alpha = secondary.generator(rng), secondary.resample_count(resamples), level(alpha)
    estimate = float(one.mean() - other.mean())
    if min(len(one), len(other)) < 2:
        return unanswered(_NAME, estimate, secondary.ONE_SEED)
    if grouping.sizes.size < 2:
        return unanswered(_NAME, estimate, secondary.ONE_CLUSTER)
    draws = _draws(one, other, grouping, rng, paired, resamples)
    question = _QUESTION.format(
        units="examples" if grouping.labels is None else "clusters of examples",
        seeds="the same seeds in both" if paired else "independent seeds",
    )
    if draws.std() <= secondary.rounding(one, other):
        if np.array_equal(one, other):
            return Secondary(_NAME, 0.0, 0.0, 0.0, 1.0, question)
        return unanswered(_NAME, estimate, secondary.NO_SPREAD)
    low, high = np.quantile(draws, [alpha / 2, 1 - alpha / 2])
    return Secondary(_NAME, estimate, float(low), float(high), _two_sided(draws), question)


def _draws(
    one: Floats, other: Floats, grouping: Clusters, rng: np.random.Generator, paired: bool, resamples: int
) -> Floats:
    """The difference in each resample (resamples,)."""
    # Paired, a resample of seeds is one of differences; unpaired, both tables stand under one another.
    rows = grouping.sums(one - other if paired else np.concatenate([one, -other]))
    answers = []
    for counts in _in_parts(grouping.sizes.size, resamples, rng):
        drawn = [_counts(len(one), len(counts), rng) / len(one)]
        if not paired:
            drawn.append(_counts(len(other), len(counts), rng) / len(other))
        totals = np.einsum("rg,rg->r", np.concatenate(drawn, axis=1) @ rows, counts)
        answers.append(totals / (counts @ grouping.sizes))
    return np.concatenate(answers)


def _in_parts(n_clusters: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    step = max(1, _AT_ONCE // n_clusters)
    for start in range(0, resamples, step):
        yield _counts(n_clusters, min(step, resamples - start), rng)


def _counts(n: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each of ``n`` things was drawn in ``n`` draws with replacement: (resamples, n)."""
    chosen = rng.integers(0, n, (resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(chosen.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def _two_sided(draws: Floats) -> float:
    one_sided = (1 + min((draws <= 0).sum(), (draws >= 0).sum())) / (1 + draws.size)
    return min(1.0, float(2 * one_sided))
