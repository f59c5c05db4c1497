"""The chance that more seeds settle a contrast: better, worse or equivalent, after the correction.

The truth is not what was found, so the chance is an average over what it may be. For each contrast with S0
seeds, difference d and parts A, B, E: the variance between seeds is drawn as ``seed_variance`` says; the
difference at infinite seeds on these examples is normal with mean w d and variance w A / S0, where

    w = (tau^2 + B - E) / (tau^2 + B - E + A / S0),   tau^2 = max(mean d^2 - mean V, margin^2 / 4)

over the study's contrasts. The seeds to come follow from both, and with the finished ones they go through the
analysis and the correction over all contrasts together, as they will then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trimtab.config import InputError
from trimtab.statistics.crossed import Components
from trimtab.statistics.equivalence import chance_of_equal, se_at_margin, tost
from trimtab.statistics.inputs import level
from trimtab.statistics.multiplicity import correction_named
from trimtab.statistics.power import analysed
from trimtab.statistics.seed_variance import SeedVariance, chi_squared, midpoints, seed_variances

Floats = NDArray[np.float64]

_DRAWS = 1000
_RANDOM = 20261128  # the same draws every time


@dataclass(frozen=True)
class FinishedContrast:
    """A contrast as its finished seeds show it. effective_clusters: as in ``se_at_margin``, nan for scores
    that are not bounded by 0 and 1.
    """

    parts: Components
    paired: bool
    effective_clusters: float

    @property
    def variance(self) -> float:
        """Of the difference, as the analysis has it; nan with one seed, 0 where nothing varies."""
        return float(analysed(self.parts, self.paired)[0])


def chances_to_settle(
    contrasts: Sequence[FinishedContrast],
    seeds: Sequence[int],
    margin: float,
    alpha: float = 0.05,
    correction: str = "holm",
) -> Floats:
    """The chance that each contrast is settled with so many seeds in all: (contrasts, seeds).

    contrasts: a study's, of all its test sets, as one family; margin: in the score's units. nan where nothing
    is known of chance, as with one seed, and where a contrast has as many seeds already. The same contrasts
    give the same chances. Raises InputError on a margin or level out of its range.
    """
    if not 0 < margin < np.inf:
        raise InputError(f"margin {margin!r}: give a positive number in the score's units")
    alpha, adjust = level(alpha), correction_named(correction)
    variances = np.array([one.variance for one in contrasts])
    open_to_chance = np.flatnonzero(variances > 0)
    chances = np.full((len(contrasts), len(seeds)), np.nan)
    if not open_to_chance.size:
        return chances
    some = [one for one, variance in zip(contrasts, variances, strict=True) if variance > 0]
    means = np.array([float(one.parts.mean) for one in some])
    spread = max(float(np.mean(means**2) - variances[open_to_chance].mean()), margin**2 / 4)
    known = seed_variances([one.parts for one in some])
    # Equal scores everywhere, with every seed so far: the family keeps them as they are.
    equal = [one for one, variance in zip(contrasts, variances, strict=True) if variance == 0]
    still = np.array([[1.0, chance_of_equal(margin, one.effective_clusters)] for one in equal]).reshape(-1, 2)
    ranks = _ranks(len(some))
    futures = [
        _Future(one, variance, spread, ranks[k])
        for k, (one, variance) in enumerate(zip(some, known, strict=True))
    ]
    for place, number in enumerate(seeds):
        p = np.stack([future.p(number, margin) for future in futures], axis=-1)
        p = np.concatenate([p, np.broadcast_to(still.T[:, None], (2, _DRAWS, len(still)))], axis=-1)
        settled = np.any(adjust(p) < alpha, axis=0)[:, : len(some)].mean(axis=0)
        more = np.array([number > int(one.parts.n_seeds) for one in some])
        chances[open_to_chance, place] = np.where(more, settled, np.nan)
    return chances


def _ranks(contrasts: int) -> NDArray[np.int64]:
    """(contrasts, 3, draws): a Latin hypercube, a permutation of the equal shares for each thing drawn."""
    chance = np.random.default_rng(_RANDOM).random((contrasts, 3, _DRAWS))
    return np.argsort(chance, axis=-1)


class _Future:
    """The seeds to come of one contrast, drawn ``_DRAWS`` times."""

    def __init__(
        self, now: FinishedContrast, known: SeedVariance, spread: float, ranks: NDArray[np.int64]
    ) -> None:
        self.now, self.parts, self.ranks = now, now.parts, ranks
        self.seeds, self.mean = int(now.parts.n_seeds), float(now.parts.mean)
        residual = float(now.parts.residual)
        self.lasting = max(float(now.parts.examples) - residual, 0.0)
        # One seed's, of which E is a part.
        self.variance = np.maximum(known.shares(_DRAWS)[ranks[0]], residual * self.seeds)
        self.weight = (spread + self.lasting) / (spread + self.lasting + self.variance / self.seeds)
        self.normal = special.ndtri(midpoints(_DRAWS))[ranks[1]]

    def p(self, number: int, margin: float) -> Floats:
        """(2, draws): p of a difference and of equivalence with ``number`` seeds in all, not adjusted."""
        parts = self.at(number)
        variance, df = analysed(parts, self.now.paired)
        se = np.sqrt(variance)
        at_margin = se_at_margin(parts.mean, se, margin, self.now.effective_clusters)
        different = 2 * special.stdtr(df, -np.abs(parts.mean) / se)
        return np.stack([different, tost(parts.mean, at_margin, df, margin)])

    def at(self, number: int) -> Components:
        """The parts with ``number`` seeds in all, those of now where it is no more."""
        new = number - self.seeds
        if new <= 0:
            return replace(
                self.parts, mean=np.full(_DRAWS, self.mean), seeds=np.full(_DRAWS, self.parts.seeds)
            )
        # What the new seeds' mean would be: the truth that is drawn, and their own chance about it.
        deviation = np.sqrt(self.variance * (self.weight / self.seeds + 1 / new))
        mean = self.weight * self.mean + deviation * self.normal
        squares = (self.seeds - 1) * self.seeds * float(self.parts.seeds)
        squares = squares + self.seeds * new / number * np.square(mean - self.mean)
        if new > 1:
            squares = squares + self.variance * chi_squared(new - 1, _DRAWS)[self.ranks[2]]
        residual = float(self.parts.residual) * self.seeds / number
        return replace(
            self.parts,
            mean=(self.seeds * self.mean + new * mean) / number,
            seeds=squares / (number - 1) / number,
            examples=np.asarray(self.lasting + residual),
            residual=np.asarray(residual),
            n_seeds=number,
        )
