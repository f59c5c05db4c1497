"""``python -m bench.verdict``: run the studies, print what their core time went into, and keep it as JSON."""

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.verdict.shares import Shares, measured
from bench.verdict.studies import STUDIES
from trimtab.machine import available_cores, signature
from trimtab.training.auto_precision import processor_name


def main() -> None:
    """Run one study after another, each into a folder of its own, with a cache of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=STUDIES, help="a study; all by default")
    parser.add_argument("--jobs", type=int, default=available_cores(), help="trials at a time")
    parser.add_argument("--out", type=Path, default=Path("results/bench/verdict-cpu.json"))
    asked = parser.parse_args()
    found = []
    for name in asked.only or STUDIES:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TRIMTAB_CACHE"] = f"{folder}/cache"
            study = Path(folder) / f"{name}.toml"
            study.write_text(STUDIES[name])
            load = os.getloadavg()[0]
            found.append(measured(name, study, Path(folder) / "out", asked.jobs))
        print(f"{found[-1].line}; the machine's load was {load:.1f}", flush=True)
        _keep(asked.out, found[-1], load)


def _keep(path: Path, shares: Shares, load: float) -> None:
    """Put a study's shares into the file, in the place of what it said of that study."""
    table = json.loads(path.read_text()) if path.exists() else {"before": {}, "studies": {}}
    kept = table["studies"]
    kept[shares.name] = asdict(shares) | {"load_before": round(load, 1)}
    path.parent.mkdir(parents=True, exist_ok=True)
    table |= {"machine": processor_name(), "signature": asdict(signature())}
    path.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
