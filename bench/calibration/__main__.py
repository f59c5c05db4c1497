"""Calibration: how often the crossed analysis errs, over simulated studies whose truth is known.

    python -m bench.calibration [--studies 1000] [--only TABLE ...] [--out results/calibration]
    python -m bench.calibration --only looks [--studies 10000] [--out results/calibration]

Each cell simulates a baseline and three variants: one as good, one a point better, one better by the margin.
Families are six equal variants. Cells of rare differences go through ``compare`` itself: there one variant is
always right, and the other wrong on a share of examples equal to the margin, with every seed.
``bench.calibration.simulation`` says how scores are drawn.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.calibration import chances, families, few_rows, looks, page, rankings
from bench.calibration.simulation import ALPHA, BETTER, MARGIN, Cell, Model, cells, simulate
from trimtab.machine import signature
from trimtab.statistics import compare, holm

SEED = 20240704
VARIANTS = 6  # of a family


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


@dataclass(frozen=True)
class Part:
    """A table. row: a row from one of ``of``, a number of studies and a stream; or all rows where ``of`` is
    empty. studies: how many by default.
    """

    row: Callable[..., Any]
    of: list[Any]
    studies: int


def parts() -> dict[str, Part]:
    """Every table by name. Cells that cost the most have the fewest studies."""
    six = [cell for cell in cells() if cell.seeds in (3, 5) and cell.clusters == "none"]
    return {
        "cells": Part(cell_row, list(cells()), 4_000),
        "families": Part(family_row, six, 4_000),
        "rare": Part(rare_row, [200, 600, 900, 1000, 2000, 9824], 4_000),
        "noise": Part(families.row, families.families(), 20_000),
        "few_rows": Part(few_rows.row, few_rows.few_rows(), 2_000),
        "chances": Part(chances.rows, [], 2_000),
        "rankings": Part(rankings.row, rankings.rankings(), 4_000),
    }


def main() -> None:
    """Simulate every cell, print its row, and write the tables."""
    known = parts()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, help="simulated studies per row, by default each table's own")
    parser.add_argument("--out", type=Path, help="folder whose calibration.json, .csv and .md get the tables")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*known, "looks"),
        default=list(known),
        help="the tables to make, by default all but looks",
    )
    asked = parser.parse_args()
    if asked.only == ["looks"]:  # which has files of its own
        looks.make(asked.out, asked.studies or looks.STUDIES)
        return
    found = []
    for table, part in enumerate(known):
        if part not in asked.only:
            continue
        made = make(known[part], asked.studies or known[part].studies, [SEED, table])
        found += made["rows"]
        if asked.out:
            page.write(asked.out, {part: made})
    print("\n".join(page.faults(found)) or page.WITHIN)


def make(part: Part, studies: int, seed: list[int]) -> dict[str, Any]:
    """The rows of a table and the signature of this run."""
    began, rows = time.perf_counter(), []
    commit = asdict(signature(Path(__file__).parent))  # before it, as the code may change meanwhile
    for number, what in enumerate(part.of):
        # Each row has a random stream of its own, so that it does not depend on the others.
        rows.append(part.row(what, studies, np.random.default_rng([*seed, number])))
        print(f"{number + 1}/{len(part.of)} {time.perf_counter() - began:.0f} s", rows[-1], flush=True)
    if not part.of:
        rows = part.row(studies, np.random.default_rng(seed))
        print("\n".join(map(str, rows)))
    made = commit | {
        "seed": str(SEED),
        "studies": str(studies),
        "seconds": f"{time.perf_counter() - began:.0f}",
    }
    return {"signature": made, "rows": rows}


if __name__ == "__main__":
    main()
