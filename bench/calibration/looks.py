"""Planned looks at 3, 5, 8 and 12 seeds: how often they err, what they find, and how many trials they save.

Studies in the limit of many examples, as in ``bench.calibration.families``: equal variants against one
baseline for the level; six variants, the five others better by the same amount, for power and trials. All
looks of a study share its examples. The decisions are those of ``statistics.stopping``, for many studies at
once; a test compares the two.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from bench.calibration.families import ALPHA, EXAMPLES
from trimtab.atomic import atomic_write
from trimtab.machine import signature
from trimtab.statistics import Components, Looks, assumed_parts, tost
from trimtab.statistics.crossed import paired
from trimtab.statistics.equivalence import se_at_margin
from trimtab.statistics.futility import HOPELESS, chance_at_last

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SIZES = (3, 5, 8, 12)
MARGIN = 0.005
MOST = 20  # seeds, where a study is looked at after each of them
SEED = 20261128
HEAD = """# Planned looks: error rates, power, and trials saved

Simulated studies whose truth is known, {studies:,} for each row, with looks at 3, 5, 8 and 12 seeds at a
nominal 5 % (`python -m bench.calibration --only looks`; bench/calibration/looks.py says how they are drawn).
A test set has 10,000 examples, and two models disagree on 15 % of them. A rate of 0.05 has a Monte Carlo
error of {error:.4f}."""
LEVEL = """Equal variants: `family` is how often any contrast is called different (to be at most 0.05, but for
the Monte Carlo error). Beside it, without planned looks, how often Holm-adjusted p-values call any different:
`one_look`: after 12 seeds alone; `unplanned`: after 3, 5, 8 or 12; `every_seed`: after any from 3 to 20.
`equivalent`: how often a contrast is called equivalent (margin 0.5 points). Seed noise is the standard
deviation of one variant's accuracy over seeds, in points."""
POWER = """Six variants with a seed noise of 0.4 points, of which five are better than the baseline by
`truth_points`. `trials`: how many of the 72 are run, on average; `saved`: the share that is not. `power`: the
share of contrasts called better; beside it that of one look after all twelve seeds, and after eight (48
trials). `equivalent`: the share called equivalent, which is wrong from a truth of 0.5 points on. `shown`: the
mean difference, in points, that is reported of contrasts called better before the last look: an exaggeration.
`covered`: the share of intervals, valid at every look, that hold the truth."""


@dataclass(frozen=True)
class Design:
    """contrasts: against one baseline; seed_points, truth_points: in points of accuracy."""

    contrasts: int
    seed_points: float
    truth_points: float = 0.0


@dataclass(frozen=True)
class Taken:
    """What came of many studies, each (studies, contrasts): the number of the look, from 0, at which each
    contrast stopped; its verdicts; the difference, and whether its interval held the truth, there."""

    look: NDArray[np.int64]
    different: Bools
    equivalent: Bools
    delta: Floats
    covered: Bools

    @property
    def trials(self) -> float:
        """The mean over studies; the baseline is trained as far as its longest contrast."""
        sizes = np.array(SIZES)[self.look]
        return float((sizes.sum(axis=1) + sizes.max(axis=1)).mean())


class Studies:
    """The seed means of many studies, and what a number of seeds tells of their contrasts."""

    def __init__(self, design: Design, number: int, rng: np.random.Generator) -> None:
        self.design = design
        last = self._true(MOST)
        shape = (number, design.contrasts + 1)
        of_seed = np.sqrt(last.seeds * MOST / 2)
        means = of_seed * rng.standard_normal((*shape, MOST))
        lasting = np.sqrt((last.examples - last.residual) / 2) * rng.standard_normal(shape)
        means += lasting[..., None]
        self.by_seed = means[:, 1:] - means[:, :1] + design.truth_points / 100

    def _true(self, seeds: int) -> Components:
        return assumed_parts(seeds, EXAMPLES, seed_deviation=self.design.seed_points / 100)

    def parts(self, seeds: int) -> Components:
        """With the first ``seeds`` seeds; mean and seeds: (studies, contrasts)."""
        true, own = self._true(seeds), self.by_seed[..., :seeds]
        return Components(
            mean=own.mean(axis=-1),
            seeds=own.var(axis=-1, ddof=1) / seeds,
            examples=true.examples,
            residual=true.residual,
            n_seeds=seeds,
            n_clusters=EXAMPLES,
            examples_df=EXAMPLES - 1.0,
        )


def tests(parts: Components) -> tuple[Floats, Floats, Floats, Floats]:
    """p of a difference, p of equivalence, standard error and degrees of freedom, of one look alone."""
    variance, df = paired(parts)
    se = np.sqrt(variance)
    p = 2 * stats.t.sf(np.abs(parts.mean) / se, df)
    p_equivalence = tost(parts.mean, se_at_margin(parts.mean, se, MARGIN, EXAMPLES), df, MARGIN)
    return np.asarray(p), p_equivalence, se, df


def holm(p: Floats) -> Floats:
    """Holm's adjusted p of each row, (studies, contrasts)."""
    order = np.argsort(p, axis=1)
    steps = np.take_along_axis(p, order, axis=1) * np.arange(p.shape[1], 0, -1)
    adjusted = np.minimum(np.maximum.accumulate(steps, axis=1), 1.0)
    return np.take_along_axis(adjusted, np.argsort(order, axis=1), axis=1)


def take(studies: Studies) -> Taken:
    """All looks at all studies."""
    shape = studies.by_seed.shape[:2]
    p, p_equivalence = np.ones(shape), np.ones(shape)
    active, look = np.ones(shape, bool), np.full(shape, len(SIZES) - 1)
    delta, covered = np.zeros(shape), np.ones(shape, bool)
    for number, size in enumerate(SIZES):
        so_far, parts = Looks(SIZES[: number + 1], SIZES[-1]), studies.parts(size)
        one, other, se, df = tests(parts)
        p = np.where(active, np.minimum(p, so_far.adjusted(one)), p)
        p_equivalence = np.where(active, np.minimum(p_equivalence, so_far.adjusted(other)), p_equivalence)
        delta = np.where(active, parts.mean, delta)
        reach = stats.t.isf(so_far.nominal(ALPHA) / 2, df) * se
        inside = np.abs(parts.mean - studies.design.truth_points / 100) <= reach
        covered = np.where(active, inside, covered)
        different, equivalent = holm(p) < ALPHA, holm(p_equivalence) < ALPHA
        stops = different | equivalent
        if 0 < number < len(SIZES) - 1:
            level = ALPHA / np.maximum(1, (~different).sum(axis=1, keepdims=True))
            nominal = Looks(SIZES, SIZES[-1]).nominal(level)
            stops |= chance_at_last(parts, SIZES[-1], nominal) < HOPELESS
        look = np.where(active & stops, number, look)
        active &= ~stops
    return Taken(look, holm(p) < ALPHA, holm(p_equivalence) < ALPHA, delta, covered)


def _called(studies: Studies, seeds: int) -> Bools:
    """Which contrasts one look after ``seeds`` seeds calls different."""
    return holm(tests(studies.parts(seeds))[0]) < ALPHA


def level_row(design: Design, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """How often a study of equal variants errs."""
    studies = Studies(design, number, rng)
    taken = take(studies)
    called = {size: _called(studies, size).any(axis=1) for size in range(SIZES[0], MOST + 1)}
    return asdict(design) | {
        "family": float(taken.different.any(axis=1).mean()),
        "one_look": float(called[SIZES[-1]].mean()),
        "unplanned": float(np.any([called[size] for size in SIZES], axis=0).mean()),
        "every_seed": float(np.any(list(called.values()), axis=0).mean()),
        "equivalent": float(taken.equivalent.mean()),
        "trials": taken.trials,
    }


def power_row(design: Design, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """What a study with a true difference finds, and with how many trials."""
    studies = Studies(design, number, rng)
    taken = take(studies)
    better = taken.different & (taken.delta > 0)
    early = better & (taken.look < len(SIZES) - 1)
    every = (design.contrasts + 1) * SIZES[-1]
    return asdict(design) | {
        "trials": taken.trials,
        "saved": 1 - taken.trials / every,
        "power": float(better.mean()),
        "power_12_seeds": float((_called(studies, 12) & (studies.parts(12).mean > 0)).mean()),
        "power_8_seeds": float((_called(studies, 8) & (studies.parts(8).mean > 0)).mean()),
        "equivalent": float(taken.equivalent.mean()),
        "shown": 100 * float(taken.delta[early].mean()) if early.any() else float("nan"),
        "covered": float(taken.covered.mean()),
    }


def tables(number: int) -> dict[str, list[dict[str, Any]]]:
    """Both tables, each row with a random stream of its own."""
    levels = [Design(m, noise) for noise in (0.1, 0.4, 1.0, 2.0) for m in (1, 5, 11)]
    powers = [Design(5, 0.4, truth) for truth in (0.0, 0.5, 1.0, 2.0)]
    found: dict[str, list[dict[str, Any]]] = {"level": [], "power": []}
    for place, design in enumerate(levels + powers):
        rng = np.random.default_rng([SEED, place])
        table, row = ("level", level_row) if place < len(levels) else ("power", power_row)
        found[table].append(row(design, number, rng))
        print(found[table][-1], flush=True)
    return found


def make(folder: Path | None, number: int) -> None:
    """Simulate ``number`` studies for each row, print them, and write looks.md and looks.csv."""
    began = time.perf_counter()
    frames = {name: pd.DataFrame(rows) for name, rows in tables(number).items()}
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / "looks.csv") as temporary:
        pd.concat([frame.assign(table=name) for name, frame in frames.items()]).to_csv(temporary, index=False)
    made = asdict(signature(Path(__file__).parent)) | {
        "seed": str(SEED),
        "seconds": f"{time.perf_counter() - began:.0f}",
    }
    parts = [HEAD.format(studies=number, error=np.sqrt(ALPHA * (1 - ALPHA) / number))]
    for words, frame in zip((LEVEL, POWER), frames.values(), strict=True):
        parts += [words, frame.to_markdown(index=False, floatfmt=".4g")]
    parts.append(f"Made with {', '.join(f'{name} {value}' for name, value in made.items())}.")
    with atomic_write(folder / "looks.md") as temporary:
        temporary.write_text("\n\n".join(parts) + "\n")
