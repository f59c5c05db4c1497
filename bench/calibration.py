"""Calibration: how often the crossed analysis is wrong where the truth is known, study after simulated study.

    python bench/calibration.py [--studies 10000] [--out results/calibration]

A variant k is right on example i with seed s with probability q + z q (1 - q), where q is the logistic
function of strength_k + difficulty_i + taste_ki and z = z_ks is what the seed does: so seeds move uncertain
examples most, and the mean over seeds is q exactly. Difficulty and taste are normal; with clusters half of
either's variance is the cluster's. Seeds are independent; paired, half of what a seed does (its variance) is
done to all variants alike.

Each cell simulates a baseline and three variants: one as good, one a point better, one better by the margin.
Families are six equal variants. Cells of rare differences go through ``compare`` itself: there one variant is
always right, the other wrong on a share of examples equal to the margin, whatever the seed.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy import optimize, special, stats

from trimtab.atomic import atomic_write, write_json
from trimtab.machine import signature
from trimtab.statistics import compare, holm, tost
from trimtab.statistics.crossed import Clusters, contrast_components, paired, unpaired
from trimtab.statistics.equivalence import se_at_margin
from trimtab.statistics.spreads import own_spread

Floats = NDArray[np.float64]
Scores = NDArray[np.bool_]

SEED = 20240704
ALPHA, MARGIN, BETTER = 0.05, 0.005, 0.01
ACCURACY = 0.8
DIFFICULTY, TASTE = 2.2, 1.4  # deviations, on the logistic scale
FEW_CLUSTERS = 75
DEVIATIONS = {"low": 0.001, "high": 0.008}  # of a variant's accuracy over seeds
VARIANTS = 6  # of a family
BLOCK = 400_000  # scores that are drawn at once; they stay in the processor's cache
LIMITS = {
    "type_1": (0.005, 0.06),
    "coverage": (0.94, 1.0),
    "family": (0.0, 0.06),
    "false_equivalence": (0.0, 0.06),
}
HEAD = """# How often the crossed analysis is wrong

Simulated studies whose truth is known, analysed at a nominal 5 % (`bench/calibration.py`, which says how the
scores are drawn). A rate of 0.05 has a Monte Carlo error of {error:.4f}."""
WITHIN = "Every rate that has limits is within them."
CELLS = """A baseline of 80 % and three variants: one as good, one a point better, one better by the margin
of half a point. `type_1`: the first is called different (limits 0.005 to 0.06). `coverage`: the 95 %
intervals hold the truth, in the worst of the three (at least 0.94). `power`: the second is called better.
`equivalence`: the first is called equivalent. `false_equivalence`: the third is (at most 0.06). `se` is the
root mean square of the standard errors, `true_se` the deviation of the estimates. Noise is the deviation of
one variant's accuracy over seeds: low 0.1, high 0.8 points. Clusters: many (a third of the examples) or few
(75), of unequal sizes. Two seeds are exploratory and held to no limit."""
FAMILIES = """Six equal variants: how often any of five contrasts is called different after Holm (at most
0.06)."""
RARE = """Rare differences: one variant always right, the other wrong on half a per cent of the examples, the
same with every seed. How often they are called equivalent at a margin of half a point (at most 0.06)."""


@dataclass(frozen=True)
class Cell:
    """One row of the table: S ``seeds``, N ``examples``, and what hangs together with what."""

    seeds: int
    examples: int
    noise: str
    paired: bool
    clusters: str

    def labels(self, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Cluster ids (examples,) of unequal sizes, or None."""
        if self.clusters == "none":
            return None
        number = FEW_CLUSTERS if self.clusters == "few" else self.examples // 3
        weights = rng.gamma(2.0, size=number)
        return rng.choice(number, self.examples, p=weights / weights.sum())


class Model:
    """Draws scores whose true means are known. ``differences`` (variants,) from the baseline's accuracy."""

    def __init__(self, differences: tuple[float, ...]) -> None:
        nodes, weights = hermegauss(201)
        self.weights = weights / weights.sum()
        self.nodes = nodes * np.hypot(DIFFICULTY, TASTE)
        targets = ACCURACY + np.array(differences)
        self.strengths = np.array([optimize.brentq(self._excess, -20, 20, args=(t,)) for t in targets])
        sure = special.expit(self.nodes + self.strengths[0])
        self.doubt = float(self.weights @ (sure * (1 - sure)))

    def _excess(self, strength: float, target: float) -> float:
        return float(self.weights @ special.expit(self.nodes + strength)) - target

    def scores(
        self, cell: Cell, labels: NDArray[np.int64] | None, studies: int, rng: np.random.Generator
    ) -> Scores:
        """Scores (variants, studies, seeds, examples) of studies that share their clusters."""
        n_variants = len(self.strengths)
        latent = TASTE * _normal(rng, (n_variants, studies), cell.examples, labels)
        latent += DIFFICULTY * _normal(rng, (studies,), cell.examples, labels)
        latent += self.strengths.astype(np.float32)[:, None, None]
        sure = special.expit(latent)
        doubt = sure * (1 - sure)
        moved = rng.standard_normal((n_variants, studies, cell.seeds))
        if cell.paired:
            moved = (moved + rng.standard_normal((1, studies, cell.seeds))) / np.sqrt(2)
        moved *= DEVIATIONS[cell.noise] / self.doubt
        drawn = rng.random((n_variants, studies, cell.seeds, cell.examples), dtype=np.float32)
        drawn -= moved.astype(np.float32)[..., None] * doubt[..., None, :]
        return drawn < sure[..., None, :]


def _normal(
    rng: np.random.Generator, rows: tuple[int, ...], n_examples: int, labels: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    own = rng.standard_normal((*rows, n_examples), dtype=np.float32)
    if labels is None:
        return own
    shared = rng.standard_normal((*rows, labels.max() + 1), dtype=np.float32)
    return (own + shared[..., labels]) / np.float32(np.sqrt(2))


@dataclass(frozen=True)
class Answers:
    """What the analysis says of each contrast of each study: arrays (contrasts, studies)."""

    delta: Floats
    se: Floats
    df: Floats
    p: Floats
    p_equivalence: Floats

    @property
    def reach(self) -> Floats:
        """Half the length of the interval."""
        return np.asarray(stats.t.ppf(1 - ALPHA / 2, self.df) * self.se)


def analyse(scores: Scores, cell: Cell, labels: NDArray[np.int64] | None) -> Answers:
    """Every later variant against the first, by the functions that ``compare`` uses.

    ``scores`` (variants, studies, seeds, examples).
    """
    clusters = Clusters(labels, cell.examples)
    parts = contrast_components(scores[1:], scores[0], clusters, cell.paired)
    if cell.paired:
        variance, df = paired(parts)
    else:
        means = scores.mean(axis=-1)
        variance, df = unpaired(parts, own_spread(means[1:], 1), own_spread(means[0], 0))
    se = np.sqrt(variance)
    at_margin = se_at_margin(parts.mean, se, MARGIN, clusters.effective)
    return Answers(
        delta=parts.mean,
        se=se,
        df=df,
        p=np.asarray(2 * stats.t.sf(np.abs(parts.mean) / se, df)),
        p_equivalence=tost(parts.mean, at_margin, df, MARGIN),
    )


def simulate(cell: Cell, model: Model, studies: int, rng: np.random.Generator) -> Answers:
    """The answers to ``studies`` simulated studies of a cell."""
    block = max(1, BLOCK // (len(model.strengths) * cell.seeds * cell.examples))
    found = []
    for begin in range(0, studies, block):
        labels = cell.labels(rng)
        number = min(block, studies - begin)
        found.append(analyse(model.scores(cell, labels, number, rng), cell, labels))
    names = ("delta", "se", "df", "p", "p_equivalence")
    return Answers(*(np.concatenate([getattr(part, name) for part in found], axis=1) for name in names))


def cell_row(cell: Cell, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """Rates of a cell: of false alarms, of intervals that hold the truth, of what was found."""
    truth = np.array([0.0, BETTER, MARGIN])
    answers = simulate(cell, Model((0.0, *truth)), studies, rng)
    return asdict(cell) | {
        "type_1": float((answers.p[0] < ALPHA).mean()),
        "coverage": float((np.abs(answers.delta - truth[:, None]) <= answers.reach).mean(axis=1).min()),
        "power": float(((answers.p[1] < ALPHA) & (answers.delta[1] > 0)).mean()),
        "equivalence": float((answers.p_equivalence[0] < ALPHA).mean()),
        "false_equivalence": float((answers.p_equivalence[2] < ALPHA).mean()),
        "se": float(np.sqrt(np.square(answers.se[0]).mean())),
        "true_se": float(answers.delta[0].std()),
    }


def family_row(cell: Cell, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """How often any of the contrasts of six equal variants is called different after Holm."""
    p = simulate(cell, Model((0.0,) * VARIANTS), studies, rng).p
    wrong = [(holm(of_study) < ALPHA).any() for of_study in p.T]
    return asdict(cell) | {"variants": VARIANTS, "family": float(np.mean(wrong))}


def rare_row(examples: int, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """How often a variant that is wrong on a share of examples equal to the margin is called equivalent."""
    claims = 0
    for _ in range(studies):
        right = np.broadcast_to(rng.random(examples) >= MARGIN, (3, examples))
        claims += compare(np.stack([np.ones_like(right), right]), margin=MARGIN)[0].p_equivalence < ALPHA
    return {"examples": str(examples), "false_equivalence": claims / studies}


def cells() -> Iterator[Cell]:
    """Every cell of the main table; two seeds, exploratory, only where examples stand alone."""
    for together, clusters, noise, examples in itertools.product(
        (True, False), ("none", "many", "few"), DEVIATIONS, (1000, 9824)
    ):
        for seeds in (2, 3, 5, 10) if clusters == "none" else (3, 5, 10):
            yield Cell(seeds, examples, noise, together, clusters)


def write(
    folder: Path, rows: dict[str, list[dict[str, Any]]], studies: int, found: list[str], seconds: float
) -> None:
    """The tables, with what they were made with: JSON whole, CSV and Markdown to read."""
    folder.mkdir(parents=True, exist_ok=True)
    made = asdict(signature(Path(__file__).parent)) | {
        "seed": str(SEED),
        "studies": str(studies),
        "seconds": f"{seconds:.0f}",
    }
    frames = {name: pd.DataFrame(table) for name, table in rows.items()}
    write_json(folder / "calibration.json", {"signature": made, "limits": LIMITS, "outside": found} | rows)
    with atomic_write(folder / "calibration.csv") as temporary:
        pd.concat([frame.assign(table=name) for name, frame in frames.items()]).to_csv(temporary, index=False)
    with atomic_write(folder / "calibration.md") as temporary:
        temporary.write_text(page(frames, made, found))


def page(frames: dict[str, pd.DataFrame], made: dict[str, str], found: list[str]) -> str:
    """The tables in Markdown, with what their columns mean."""
    error = np.sqrt(ALPHA * (1 - ALPHA) / int(made["studies"]))
    titles = {"cells": CELLS, "families": FAMILIES, "rare": RARE}
    shown = [
        f"{titles[name]}\n\n{frame.to_markdown(index=False, floatfmt='.4f')}"
        for name, frame in frames.items()
    ]
    verdict = "Outside the limits:\n\n" + "\n".join(f"* {fault}" for fault in found) if found else WITHIN
    signed = ", ".join(f"{name} {value}" for name, value in made.items())
    return "\n\n".join([HEAD.format(error=error), verdict, *shown, f"Made with {signed}."]) + "\n"


def faults(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for every rate that leaves its limits, to which two seeds, exploratory, are not held."""
    return [
        f"{name} is {row[name]:.4f}, outside {low} to {high}: {row}"
        for row in rows
        if row.get("seeds") != 2
        for name, (low, high) in LIMITS.items()
        if name in row and not low <= row[name] <= high
    ]


def main() -> None:
    """Simulate every cell, print its row as it comes, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000, help="simulated studies a cell")
    parser.add_argument("--out", type=Path, help="folder for calibration.json, .csv and .md")
    asked = parser.parse_args()
    began = time.perf_counter()
    rows: dict[str, list[dict[str, Any]]] = {"cells": [], "families": [], "rare": []}
    jobs: list[tuple[str, Any, Any]] = [("cells", cell_row, cell) for cell in cells()]
    jobs += [
        ("families", family_row, cell) for cell in cells() if cell.seeds in (3, 5) and cell.clusters == "none"
    ]
    jobs += [("rare", rare_row, examples) for examples in (200, 600, 900, 1000, 2000, 9824)]
    for number, (table, job, what) in enumerate(jobs):
        # Each cell has its own stream, so that it comes out the same alone or among others.
        row = job(what, asked.studies, np.random.default_rng([SEED, number]))
        rows[table].append(row)
        print(f"{number + 1}/{len(jobs)} {time.perf_counter() - began:.0f} s", row, flush=True)
    found = faults([row for table in rows.values() for row in table])
    print("\n".join(found) or WITHIN)
    if asked.out:
        write(asked.out, rows, asked.studies, found, time.perf_counter() - began)


if __name__ == "__main__":
    main()
