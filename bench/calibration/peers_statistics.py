"""How often other packages call equal variants different, on the simulated studies of the calibration.

    python -m bench.calibration.peers_statistics [--studies 200] [--out results/calibration]

One contrast of two variants over three seeds, drawn as bench/calibration/simulation.py says: seed noise is
partly shared by both. Each package gets the same scores and is used as its documentation says: with repeated
runs where it takes them, else with each example's mean over the seeds.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.calibration.simulation import ALPHA, BETTER, DEVIATIONS, Cell, Model
from trimtab.atomic import atomic_write, write_json
from trimtab.machine import signature
from trimtab.statistics import compare

SEED = 20261128
SEEDS, EXAMPLES = 3, 2000
RESAMPLES = 500  # for packages that resample
RATES = (("false", "low"), ("false", "high"), ("false", "highest"), ("power", "high"))
PACKAGES = ("evalstats", "errorbars", "evalsig")
HEAD = f"""# How often packages call equal variants different

Two equally good variants, {SEEDS} seeds, {EXAMPLES:,} examples, simulated as in
[calibration](calibration.md) (`python -m bench.calibration.peers_statistics`): seed noise is 0.1, 0.8
or 2 points of accuracy, half of it shared by both variants. `false`: the share of studies in which p is under
0.05, nominally 5 %. `power`: the same for a true difference of one point. Packages that take no seeds get
each example's mean over them; `one seed` gets the first alone. Resampling is done {RESAMPLES:,} times."""

Scores = NDArray[np.float64]


def trimtab(scores: Scores) -> float:
    """scores, here and below: (2, seeds, examples)."""
    return compare(scores)[0].p


def evalstats(scores: Scores) -> float:
    """Its nested bootstrap of examples and, within each, of runs."""
    from evalstats import pairwise_differences

    by_run = np.swapaxes(scores, 1, 2)
    found = pairwise_differences(by_run, 1, 0, n_bootstrap=RESAMPLES, rng=np.random.default_rng(0))
    return float(found.p_value)


def errorbars(scores: Scores) -> float:
    """Its paired comparison over questions."""
    from errorbars.compare import paired_compare

    return paired_compare(*scores.mean(axis=1)[::-1]).p_value


def evalsig(scores: Scores) -> float:
    """Its paired permutation test, which it chooses for scores that are not 0 or 1."""
    from evalsig.inference.paired import paired_permutation_test

    return paired_permutation_test(*scores.mean(axis=1), n_resamples=RESAMPLES).p_value


def one_seed(scores: Scores) -> float:
    """McNemar's test of two checkpoints, by errorbars; evalsig chooses it too."""
    from errorbars.compare import mcnemar_exact

    return mcnemar_exact(*scores[:, 0]).p_value


METHODS: dict[str, Callable[[Scores], float]] = {
    "trimtab, paired": trimtab,
    "evalstats, nested bootstrap": evalstats,
    "errorbars, paired t over examples": errorbars,
    "evalsig, permutation over examples": evalsig,
    "one seed, McNemar (errorbars, evalsig)": one_seed,
}


def rows(studies: int) -> list[dict[str, Any]]:
    """One row per package: rates, each at a seed noise."""
    found: dict[str, dict[str, Any]] = {name: {"method": name} for name in METHODS}
    for number, (what, noise) in enumerate(RATES):
        rng, cell = np.random.default_rng([SEED, number]), Cell(SEEDS, EXAMPLES, noise, True, "none")
        model = Model((0.0, BETTER if what == "power" else 0.0))
        p: dict[str, list[float]] = {name: [] for name in METHODS}
        for _ in range(studies):
            scores = model.scores(cell, None, 1, rng)[:, 0].astype(np.float64)
            for name, method in METHODS.items():
                p[name].append(method(scores))
        for name in METHODS:
            rate = float((np.array(p[name]) < ALPHA).mean())
            found[name][f"{what}, {100 * DEVIATIONS[noise]:g} points"] = rate
    return list(found.values())


def page(found: dict[str, Any]) -> str:
    """The table in Markdown."""
    table = pd.DataFrame(found["rows"]).to_markdown(index=False, floatfmt=".3f")
    made = ", ".join(f"{name} {value}" for name, value in found["signature"].items())
    return f"{HEAD}\n\n{table}\n\nMade with {made}.\n"


def main() -> None:
    """Simulate, and write peers.json and peers.md."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200, help="simulated studies per rate")
    parser.add_argument("--out", type=Path, help="folder for peers.json and peers.md")
    asked = parser.parse_args()
    began, made = time.perf_counter(), asdict(signature(Path(__file__).parent))
    made |= {name: version(name) for name in PACKAGES} | {"seed": str(SEED), "studies": str(asked.studies)}
    table = rows(asked.studies)
    found = {"signature": made | {"seconds": f"{time.perf_counter() - began:.0f}"}, "rows": table}
    print(page(found))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        write_json(asked.out / "peers.json", found)
        with atomic_write(asked.out / "peers.md") as temporary:
            temporary.write_text(page(found))


if __name__ == "__main__":
    main()
