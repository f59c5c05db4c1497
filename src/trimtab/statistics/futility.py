"""Whether further seeds can still show a difference: the chance, at a look, that the last look will."""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.statistics.crossed import Components, paired, unpaired
from trimtab.statistics.spreads import SeedSpread

Floats = NDArray[np.float64]

HOPELESS = 0.1  # the chance under which a contrast stops as open


def chance_at_last(
    parts: Components,
    last: int,
    nominal: ArrayLike,
    variances: tuple[ArrayLike, ArrayLike] | None = None,
) -> Floats:
    """The chance that a test at the last look, at the level ``nominal``, shows a difference.

    parts: of a contrast with the seeds so far, as numbers or arrays with one for each of many contrasts;
    last: the seeds of the last look, more than those so far. variances: over seeds of the mean of each
    variant, where their seeds are independent. If the truth is what the seeds so far say, the further ones
    move the difference by a t-distributed amount with standard deviation sqrt(A1 * (last - S) / (S * last)),
    A1 the variance of one seed; the examples, which are the same ones, by nothing. nan where nothing varies.
    """
    n_seeds = np.asarray(parts.n_seeds, dtype=np.float64)
    of_one = parts.seeds * n_seeds
    residual = parts.residual * n_seeds / last
    lasting = np.maximum(parts.examples - parts.residual, 0.0)
    planned = replace(
        parts, seeds=of_one / last, residual=residual, examples=lasting + residual, n_seeds=last
    )
    if variances is None:
        variance, df = paired(planned)
    else:
        spreads = [SeedSpread(np.asarray(each), last - 1, pool) for pool, each in enumerate(variances)]
        variance, df = unpaired(planned, *spreads)
    needed = stats.t.isf(np.asarray(nominal) / 2, df) * np.sqrt(variance)
    size = np.abs(parts.mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(of_one * (last - n_seeds) / (n_seeds * last))
        return np.asarray(
            stats.t.sf((needed - size) / spread, n_seeds - 1)
            + stats.t.sf((needed + size) / spread, n_seeds - 1)
        )
