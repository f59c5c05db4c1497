"""Calibration: how often the crossed analysis errs, over simulated studies whose truth is known.

    python -m bench.calibration [--studies 10000] [--only TABLE ...] [--out results/calibration]
    python -m bench.calibration --only looks [--studies 10000] [--out results/calibration]

Each cell simulates a baseline and three variants: one as good, one a point better, one better by the margin.
Families are six equal variants. Cells of rare differences go through ``compare`` itself: there one variant is
always right, and the other wrong on a share of examples equal to the margin, with every seed.
``bench.calibration.simulation`` says how scores are drawn.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.calibration import families, few_rows, looks
from bench.calibration.simulation import ALPHA, BETTER, MARGIN, Cell, Model, cells, simulate
from trimtab.atomic import atomic_write, write_json
from trimtab.machine import signature
from trimtab.statistics import compare, holm

SEED = 20240704
VARIANTS = 6  # of a family
TABLES = ("cells", "families", "rare", "noise", "few_rows")
LIMITS = {
    "type_1": (0.0, 0.06),
    "coverage": (0.94, 1.0),
    "family": (0.0, 0.06),
    "false_equivalence": (0.0, 0.06),
    "shown_coverage": (0.88, 1.0),  # of scores that are no means, which are only about nominal
}
HEAD = """# How often the crossed analysis is wrong

Simulated studies whose truth is known, analysed at a nominal 5 % (`python -m bench.calibration`; how scores
are drawn is described in bench/calibration/simulation.py). A rate of 0.05 has a Monte Carlo error of
{error:.4f}."""
WITHIN = "Every rate that has limits is within them."
CELLS = """A baseline of 80 % and three variants: one as good, one a point better, one better by the margin
of half a point. `type_1`: the first is called different (at most 0.06). `coverage`: the 95 %
intervals hold the truth, in the worst of the three (at least 0.94). `power`: the second is called better.
`equivalence`: the first is called equivalent. `false_equivalence`: the third is (at most 0.06). `se` is the
root mean square of the standard errors, `true_se` the standard deviation of the estimates. Noise is the
standard deviation of one variant's accuracy over seeds: low 0.1, high 0.8 points. Clusters: many (a third of
the examples) or few (75), of unequal sizes. Two seeds are exploratory and have no limits."""
FAMILIES = """Six equal variants: how often any of five contrasts is called different after Holm (at most
0.06)."""
NOISE = """Equal variants against one baseline in the limit of many examples (bench/calibration/families.py):
seed noise in points, contrasts on each test set, one Holm over all (`family` at most 0.06, `coverage` at
least 0.94). Collapse: the first variant learns nothing in that share of its seeds and is better by as much in
the others; its `false_verdict` has no limit, as no t test mends it: reports count collapsed seeds."""
FEW_ROWS = """One mean over ten seeds by macro F1 and calibration error (bench/calibration/few_rows.py):
`shown_coverage` of 95 % intervals that reports show (at least 0.88), `hidden_coverage` of those that they do
not, and the bias."""
RARE = """Rare differences: one variant always right, the other wrong on half a per cent of the examples, the
same ones with every seed. How often they are called equivalent at a margin of half a point (at most 0.06)."""


def cell_row(cell: Cell, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """Rates of one cell: false positives, intervals that contain the truth, power, equivalence."""
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


def write(
    folder: Path, rows: dict[str, list[dict[str, Any]]], studies: int, found: list[str], seconds: float
) -> None:
    """Write the tables as JSON, CSV and Markdown, with the signature of this run."""
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
    titles = {"cells": CELLS, "families": FAMILIES, "rare": RARE, "noise": NOISE, "few_rows": FEW_ROWS}
    shown = [
        f"{titles[name]}\n\n{frame.to_markdown(index=False, floatfmt='.4f')}"
        for name, frame in frames.items()
    ]
    verdict = "Outside the limits:\n\n" + "\n".join(f"* {fault}" for fault in found) if found else WITHIN
    signed = ", ".join(f"{name} {value}" for name, value in made.items())
    return "\n\n".join([HEAD.format(error=error), verdict, *shown, f"Made with {signed}."]) + "\n"


def faults(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for every rate outside its limits; main cells of two seeds are exploratory, without any."""
    return [
        f"{name} is {row[name]:.4f}, outside {low} to {high}: {row}"
        for row in rows
        if row.get("seeds") != 2 or "contrasts" in row
        for name, (low, high) in LIMITS.items()
        if name in row and not low <= row[name] <= high
    ]


def main() -> None:
    """Simulate every cell, print its row, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10_000, help="simulated studies per cell")
    parser.add_argument("--out", type=Path, help="folder for calibration.json, .csv and .md")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*TABLES, "looks"),
        default=list(TABLES),
        help="the tables to make, by default all but looks",
    )
    asked = parser.parse_args()
    if asked.only == ["looks"]:  # which has files of its own
        looks.make(asked.out, asked.studies)
        return
    if asked.out and set(asked.only) != set(TABLES):
        parser.error("--out: the tables are written whole; leave out --only")
    began = time.perf_counter()
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES if name in asked.only}
    jobs: list[tuple[str, Any, Any]] = [("cells", cell_row, cell) for cell in cells()]
    jobs += [
        ("families", family_row, cell) for cell in cells() if cell.seeds in (3, 5) and cell.clusters == "none"
    ]
    jobs += [("rare", rare_row, examples) for examples in (200, 600, 900, 1000, 2000, 9824)]
    jobs += [("noise", families.row, family) for family in families.families()]
    jobs += [("few_rows", few_rows.row, cell) for cell in few_rows.few_rows()]
    for number, (table, job, what) in enumerate(jobs):
        if table not in rows:
            continue
        # Each cell has a random stream of its own, so that its result does not depend on the other cells.
        row = job(what, asked.studies, np.random.default_rng([SEED, number]))
        rows[table].append(row)
        print(f"{number + 1}/{len(jobs)} {time.perf_counter() - began:.0f} s", row, flush=True)
    found = faults([row for table in rows.values() for row in table])
    print("\n".join(found) or WITHIN)
    if asked.out:
        write(asked.out, rows, asked.studies, found, time.perf_counter() - began)


if __name__ == "__main__":
    main()
