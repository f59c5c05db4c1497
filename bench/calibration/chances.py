"""Whether chances of settling come true: simulated studies with a few seeds, and what more seeds bring them.

Studies are as in bench/calibration/families.py, in the limit of many examples, but their variants differ.
Each draws its own design: seeds finished, seed noise, contrasts, true differences, examples and margin.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from trimtab.statistics import assumed_parts, holm, tost
from trimtab.statistics.chances import FinishedContrast, chances_to_settle
from trimtab.statistics.crossed import Components, paired
from trimtab.statistics.equivalence import se_at_margin

Floats = NDArray[np.float64]

ALPHA, BINS, ENOUGH = 0.05, 5, 0.8
SEEDS = (5, 8, 12, 20)  # by which chances are asked
FINISHED, CONTRASTS, MARGINS = (2, 3, 5), (1, 5, 11), (0.005, 0.01)
POINTS = (0.1, 0.4, 0.8, 1.5)  # seed noise, standard deviation of one variant
DIFFERENCES = (0.0, 0.5, 1.0, 2.0)  # standard deviation of the true ones, in points
EXAMPLES = (1000, 10_000)


@dataclass(frozen=True)
class Design:
    """One simulated study; points as in POINTS and DIFFERENCES."""

    finished: int
    contrasts: int
    margin: float
    points: float
    differences: float
    examples: int

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Design":
        """Each part of it at random, on its own."""
        return cls(
            finished=int(rng.choice(FINISHED)),
            contrasts=int(rng.choice(CONTRASTS)),
            margin=float(rng.choice(MARGINS)),
            points=float(rng.choice(POINTS)),
            differences=float(rng.choice(DIFFERENCES)),
            examples=int(rng.choice(EXAMPLES)),
        )


@dataclass(frozen=True)
class Told:
    """The chance that an open contrast was given of being settled by ``seeds``, and whether it was."""

    study: int
    contrast: int
    seeds: int
    chance: float
    settled: bool


def told(study: int, design: Design, rng: np.random.Generator) -> Iterator[Told]:
    """Every open contrast of one simulated study, at every number of seeds."""
    true = assumed_parts(1, design.examples, seed_deviation=design.points / 100)
    of_seed, lasting = np.sqrt(true.seeds / 2), np.sqrt((true.examples - true.residual) / 2)
    variants = of_seed * rng.standard_normal((design.contrasts + 1, max(SEEDS)))
    variants += lasting * rng.standard_normal((design.contrasts + 1, 1))
    variants[1:] += design.differences / 100 * rng.standard_normal((design.contrasts, 1))
    by_seed = variants[1:] - variants[0]
    now = _parts(by_seed[:, : design.finished], true)
    still_open = ~_settled(now, design)
    if not still_open.any():
        return
    each = [
        FinishedContrast(replace(now, mean=mean, seeds=seeds), True, design.examples)
        for mean, seeds in zip(now.mean, now.seeds, strict=True)
    ]
    later = [seeds for seeds in SEEDS if seeds > design.finished]
    chances = chances_to_settle(each, later, design.margin, ALPHA)
    for place, seeds in enumerate(later):
        settled = _settled(_parts(by_seed[:, :seeds], true), design)
        for k in np.flatnonzero(still_open):
            yield Told(study, int(k), seeds, float(chances[k, place]), bool(settled[k]))


def rows(studies: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """One row per fifth of the chances told, and one of the numbers of seeds that a report would name.

    chances: how many there were; predicted: their mean; came_true: the share that was settled.
    """
    every = [one for study in range(studies) for one in told(study, Design.drawn(rng), rng)]
    fifth = [min(int(one.chance * BINS), BINS - 1) for one in every]
    named = {(one.study, one.contrast): one for one in reversed(every) if one.chance >= ENOUGH}
    found = [
        _row(
            f"{b / BINS:.1f} to {(b + 1) / BINS:.1f}",
            [one for one, of in zip(every, fifth, strict=True) if of == b],
        )
        for b in range(BINS)
    ]
    return [*found, _row("the fewest seeds with 0.8", list(named.values()))]


def _row(what: str, chances: list[Told]) -> dict[str, Any]:
    predicted = float(np.mean([one.chance for one in chances]))
    came_true = float(np.mean([one.settled for one in chances]))
    return {
        "told": what,
        "chances": len(chances),
        "predicted": predicted,
        "came_true": came_true,
        "chance_error": came_true - predicted,
    }


def _parts(by_seed: Floats, true: Components) -> Components:
    """The parts of contrasts (contrasts, seeds), of which only A is estimated; true: those of one seed."""
    number = by_seed.shape[1]
    residual = true.residual / number
    return replace(
        true,
        mean=by_seed.mean(axis=1),
        seeds=by_seed.var(axis=1, ddof=1) / number,
        examples=np.asarray(true.examples - true.residual + residual),
        residual=np.asarray(residual),
        n_seeds=number,
    )


def _settled(parts: Components, design: Design) -> NDArray[np.bool_]:
    variance, df = paired(parts)
    se = np.sqrt(variance)
    different = holm(2 * stats.t.sf(np.abs(parts.mean) / se, df)) < ALPHA
    at_margin = se_at_margin(parts.mean, se, design.margin, design.examples)
    return np.asarray(different | (holm(tost(parts.mean, at_margin, df, design.margin)) < ALPHA))
