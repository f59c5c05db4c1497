"""The results of the calibration as files: each table with the signature of the run that made it.

A run replaces the tables that it made and leaves the others, so that a table can be made again alone.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trimtab.atomic import atomic_write, write_json

ALPHA = 0.05
LIMITS = {
    "type_1": (0.0, 0.06),
    "coverage": (0.94, 1.0),
    "family": (0.0, 0.06),
    "false_equivalence": (0.0, 0.06),
    "chance_error": (-0.1, 0.1),
    "shown_coverage": (0.88, 1.0),  # of scores that are no means, which are only about nominal
}
HEAD = """# How often the crossed analysis is wrong

Simulated studies whose truth is known, analysed at a nominal 5 % (`python -m bench.calibration`; how scores
are drawn is described in bench/calibration/simulation.py)."""
WITHIN = "Every rate that has limits is within them."
TITLES = {
    "cells": """A baseline of 80 % and three variants: one as good, one a point better, one better by the
margin of half a point. `type_1`: the first is called different (at most 0.06). `coverage`: the 95 %
intervals hold the truth, in the worst of the three (at least 0.94). `power`: the second is called better.
`equivalence`: the first is called equivalent. `false_equivalence`: the third is (at most 0.06). `se` is the
root mean square of the standard errors, `true_se` the standard deviation of the estimates. Noise is the
standard deviation of one variant's accuracy over seeds: low 0.1, high 0.8 points. Clusters: many (a third of
the examples) or few (75), of unequal sizes. Two seeds are exploratory and have no limits.""",
    "families": """Six equal variants: how often any of five contrasts is called different after Holm (at most
0.06).""",
    "rare": """Rare differences: one variant always right, the other wrong on half a per cent of the
examples, the same ones with every seed. How often they are called equivalent at a margin of half a point (at
most 0.06).""",
    "noise": """Equal variants against one baseline in the limit of many examples
(bench/calibration/families.py): seed noise in points, contrasts on each test set, one Holm over all (`family`
at most 0.06, `coverage` at least 0.94). Collapse: the first variant learns nothing in that share of its seeds
and is better by as much in the others; its `false_verdict` has no limit, as no t test mends it: reports count
collapsed seeds.""",
    "few_rows": """One mean over ten seeds by macro F1 and calibration error (bench/calibration/few_rows.py):
`shown_coverage` of 95 % intervals that reports show (at least 0.88), `hidden_coverage` of those that they do
not, and the bias.""",
    "chances": """Chances of settling (bench/calibration/chances.py): what open contrasts were told of being
settled by 5, 8, 12 or 20 seeds, from 2, 3 or 5 finished ones, in five bins, and how often it came true
(`chance_error` at most 0.1 either way). Last, the numbers of seeds that a report names: the fewest of these
with a chance of 0.8.""",
    "rankings": """Rankings, the query being the unit (bench/calibration/rankings.py): eight passages a query,
one to three of them relevant. Two equal variants (`type_1` at most 0.06, `coverage` at least 0.94), and one
that prefers relevant passages more (`power`).""",
}


def write(folder: Path, made: dict[str, dict[str, Any]]) -> None:
    """Write calibration.json, .csv and .md; made: by table, its ``signature`` and ``rows``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "calibration.json"
    found = (json.loads(file.read_text()) if file.exists() else {}) | made
    found = {name: found[name] for name in TITLES if name in found}
    frames = [pd.DataFrame(part["rows"]).assign(table=name) for name, part in found.items()]
    write_json(file, found)
    with atomic_write(folder / "calibration.csv") as temporary:
        pd.concat(frames).to_csv(temporary, index=False)
    with atomic_write(folder / "calibration.md") as temporary:
        temporary.write_text(page(found))


def page(found: dict[str, dict[str, Any]]) -> str:
    """The tables in Markdown, with what their columns mean; found: as in ``write``."""
    outside = faults([row for part in found.values() for row in part["rows"]])
    verdict = "Outside the limits:\n\n" + "\n".join(f"* {fault}" for fault in outside) if outside else WITHIN
    parts = [HEAD, verdict]
    for name, part in found.items():
        table = pd.DataFrame(part["rows"]).to_markdown(index=False, floatfmt=".4f")
        parts += [TITLES[name], table, _made(part["signature"])]
    return "\n\n".join(parts) + "\n"


def _made(signature: dict[str, str]) -> str:
    studies = int(signature["studies"])
    error = np.sqrt(ALPHA * (1 - ALPHA) / studies)
    signed = ", ".join(f"{name} {value}" for name, value in signature.items() if name != "studies")
    precise = f"{studies:,} studies a row: a rate of 0.05 has a Monte Carlo error of {error:.4f}."
    return f"{precise} Made with {signed}."


def faults(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for every rate outside its limits; main cells of two seeds are exploratory, without any."""
    return [
        f"{name} is {row[name]:.4f}, outside {low} to {high}: {row}"
        for row in rows
        if row.get("seeds") != 2 or "contrasts" in row
        for name, (low, high) in LIMITS.items()
        if not low <= row.get(name, low) <= high
    ]
