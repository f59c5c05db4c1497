"""Faults on each engine: what was lost, what was repeated, and whether the final tables are equal.

    python -m bench.faults [--places "one run" ...] [--out results/bench] [--folder DIR]

Needs root, for a small file system to fill and for Slurm. A place's cells replace those of an earlier run.
"""

import argparse
import json
import os
import signal
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.faults.cell import STUDY, played
from bench.faults.kinds import FAULTS
from bench.faults.places import PLACES, place_named
from trimtab.atomic import write_json
from trimtab.machine import signature
from trimtab.report import write
from trimtab.run.runner import run
from trimtab.study import load

FILE = "faults.json"


def undisturbed_run(folder: Path) -> tuple[Path, Path]:
    """The study file, and the ledger of its undisturbed run; its token cache lies in ``cache``."""
    folder.mkdir(parents=True, exist_ok=True)
    study = folder / "study.toml"
    study.write_text(STUDY)
    os.environ["TRIMTAB_CACHE"] = str(folder / "cache")
    run(load(study), out=folder / "out", device="cpu", jobs=os.cpu_count())
    write(folder / "out")
    return study, folder / "out"


def main() -> None:
    """Play the cells, print each, and write it into faults.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    parser.add_argument("--only", nargs="+", help="parts of faults' names")
    parser.add_argument("--folder", type=Path, help="for the ledgers, which stay; by default a temporary one")
    parser.add_argument("--out", type=Path, default=Path("results/bench"))
    given = parser.parse_args()
    # Ignored in what a script starts in the background, or nohup does; commands would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    chosen = [one for one in FAULTS if not given.only or any(part in one.name for part in given.only)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        study, undisturbed = undisturbed_run(folder / "undisturbed")
        for name in given.places:
            # A cluster of Ray does not survive all that is done to it, so that each cell has its own.
            for part in [[one] for one in chosen] if name == "Ray" else [chosen]:
                with place_named(name, folder / "cluster") as place:
                    for fault in part:
                        own = folder / name.replace(" ", "-") / str(chosen.index(fault))
                        cell = played(fault, place, undisturbed, study, own).record()
                        print(json.dumps(cell), flush=True)
                        _write(given.out / FILE, cell)
                        place.mend()


def _write(path: Path, cell: dict[str, Any]) -> None:
    """Put a cell in the place of an earlier one of the same fault and place."""
    before = json.loads(path.read_text())["cells"] if path.exists() else []
    kept = [one for one in before if (one["place"], one["fault"]) != (cell["place"], cell["fault"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"cells": [*kept, cell], "signature": asdict(signature())})


if __name__ == "__main__":
    main()
