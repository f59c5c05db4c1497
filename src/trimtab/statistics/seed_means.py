"""Tests on seed means alone: they know new seeds, on the very examples that were evaluated."""

import math
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.statistics import secondary
from trimtab.statistics.inputs import level
from trimtab.statistics.secondary import Secondary, unanswered

Floats = NDArray[np.float64]

# Up to so many relabellings each is counted; 2^14, as of 14 pairs of seeds.
_COUNTED = 2**14
_T_QUESTION = (
    "does the mean score differ over new seeds, on these very examples? says nothing of new examples"
)
_PERMUTATION_QUESTION = (
    "on these very examples, could {these}? says nothing of new examples; p cannot fall under {least:.3g} "
    "with so few seeds or relabellings"
)


def paired_t(first: ArrayLike, second: ArrayLike, alpha: float = 0.05) -> Secondary:
    """Student's paired t test of the seed means, with its interval at 1 - alpha.

    ``first``, ``second`` (seeds, examples), one seed meaning the same in both. Equal scores give 0 with
    [0, 0] and p = 1; with one seed, or the same difference at every seed, interval and p are nan.
    Raises InputError on input that does not fit. Source: Student, Biometrika 6 (1908).
    """
    name = "paired t on seed means"
    one, other = secondary.table_pair(first, second, paired=True)
    alpha = level(alpha)
    differences = (one - other).mean(axis=1)
    estimate, n = float(differences.mean()), len(differences)
    if n < 2:
        return unanswered(name, estimate, secondary.ONE_SEED)
    se = float(differences.std(ddof=1)) / math.sqrt(n)
    if se <= secondary.rounding(one, other):
        if np.array_equal(one, other):
            return Secondary(name, 0.0, 0.0, 0.0, 1.0, _T_QUESTION)
        return unanswered(name, estimate, secondary.NO_SPREAD)
    reach = float(stats.t.ppf(1 - alpha / 2, n - 1)) * se
    p = float(2 * stats.t.sf(abs(estimate) / se, n - 1))
    return Secondary(name, estimate, estimate - reach, estimate + reach, p, _T_QUESTION)


def permutation_test(
    first: ArrayLike,
    second: ArrayLike,
    rng: np.random.Generator,
    paired: bool = True,
    resamples: int = 9999,
) -> Secondary:
    """A permutation test of the difference of seed means, on these examples.

    ``first``, ``second`` (seeds, examples). Only whole runs are moved: all scores of a run share its seed, so
    single scores are not exchangeable. ``paired``: the null is that at each seed the two runs could as well
    have been swapped, and the signs of the seeds' differences are flipped. Unpaired: that all runs come from
    one distribution, and the runs are dealt anew. Either null is about these examples: two variants that are
    equal over all examples but not on these break it. All relabellings are counted where they are at most
    2^14 (14 pairs, 8 against 8), else ``resamples`` are drawn with ``rng``, and the data counted among
    them, so p is never 0. There is no interval; with one seed p is nan.
    Raises InputError on input that does not fit.
    Sources: Fisher, The Design of Experiments (1935); Phipson and Smyth, Statistical Applications in Genetics
    and Molecular Biology 9 (2010).
    """
    one, other = secondary.table_pair(first, second, paired)
    rng, resamples = secondary.generator(rng), secondary.resample_count(resamples)
    means = one.mean(axis=1), other.mean(axis=1)
    estimate = float(means[0].mean() - means[1].mean())
    name = "permutation test, paired seeds" if paired else "permutation test, independent seeds"
    if min(len(one), len(other)) < 2:
        return unanswered(name, estimate, secondary.ONE_SEED)
    if paired:
        relabelled = _signs(len(one), rng, resamples) @ (means[0] - means[1])
    else:
        relabelled = _deals(len(one), len(other), rng, resamples) @ np.concatenate(means)
    as_far = np.abs(relabelled) >= abs(estimate) - secondary.rounding(one, other)
    # A mirror image always lies as far away where both variants have as many seeds.
    least = (2 if len(one) == len(other) else 1) / len(relabelled)
    these = "each seed's two runs be swapped" if paired else "each run be one of the other variant's"
    question = _PERMUTATION_QUESTION.format(these=these, least=least)
    return Secondary(name, estimate, math.nan, math.nan, float(as_far.mean()), question)


def _signs(n: int, rng: np.random.Generator, resamples: int) -> Floats:
    """What weighs each seed's difference in its mean, in each relabelling (relabellings, seeds)."""
    if 2**n <= _COUNTED:
        return np.array(list(product([1.0, -1.0], repeat=n))) / n
    signs = rng.choice([1.0, -1.0], (resamples + 1, n))
    signs[0] = 1.0  # the data themselves
    return signs / n


def _deals(n: int, m: int, rng: np.random.Generator, resamples: int) -> Floats:
    """What weighs each of all runs in the difference, in each relabelling (relabellings, n + m)."""
    if math.comb(n + m, n) <= _COUNTED:
        chosen = np.array(list(combinations(range(n + m), n)))
    else:
        order = np.tile(np.arange(n + m), (resamples + 1, 1))
        order[1:] = rng.permuted(order[1:], axis=1)
        chosen = order[:, :n]
    weights = np.full((len(chosen), n + m), -1 / m)
    np.put_along_axis(weights, chosen, 1 / n, axis=1)
    return weights
