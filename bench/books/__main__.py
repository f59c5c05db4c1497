"""How long plan, run, report and doctor take on ledgers of 1,000 and 10,000 simulated trials.

    python -m bench.books [--folder DIR] [--out results/bench]

Each command is a process of its own, with one thread; ``run`` finds nothing left to do, then writes
the report.
Written are processor seconds (of the user and of the system), which other work on the machine changes least,
wall seconds, and the largest memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.books.ledger import ROWS, Shape, make
from trimtab.atomic import write_json
from trimtab.machine import signature

# 200 variants with 5 and with 50 seeds.
SHAPES = (Shape(rates=10, seeds=5), Shape(rates=10, seeds=50))
COMMANDS = {
    "plan": ("plan", "study.toml", "--out", "out"),
    "run": ("run", "study.toml", "--out", "out", "--quiet"),
    "report": ("report", "out"),
    "doctor": ("doctor", "out"),
}
LIMIT_SECONDS, LIMIT_MIB = 30, 1024  # of each command on 10,000 trials


@dataclass(frozen=True)
class Took:
    """What a command took: processor and wall seconds, and MiB of resident memory at most."""

    cpu: float
    wall: float
    memory: float


def timed(folder: Path, command: tuple[str, ...]) -> Took:
    """Run a command in the folder of a study; RuntimeError where it fails."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "trimtab.cli", *command],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"trimtab {' '.join(command)} ended with {process.returncode}")
    return Took(usage.ru_utime + usage.ru_stime, time.monotonic() - began, usage.ru_maxrss / 1024)


def measured(folder: Path, shape: Shape) -> dict[str, Any]:
    """What each command takes on a ledger of that shape, made in ``folder`` unless it is there."""
    if not (folder / "out" / "study.json").exists():
        make(folder, shape)
    took = {}
    for name, command in COMMANDS.items():
        took[name] = timed(folder, command)
        print(json.dumps([shape.trials, name, asdict(took[name])]), flush=True)
    return {
        "variants": shape.variants,
        "seeds": shape.seeds,
        "trials": shape.trials,
        **{
            name: {"cpu": round(one.cpu, 1), "wall": round(one.wall, 1), "mib": round(one.memory)}
            for name, one in took.items()
        },
    }


def main() -> None:
    """Measure, print, and write books.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", type=Path, help="for the ledgers, which stay; by default a temporary one")
    parser.add_argument("--out", type=Path, default=Path("results/bench"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        rows = [measured(folder / f"{one.variants}x{one.seeds}", one) for one in SHAPES]
    found = {"test_rows": ROWS, "ledgers": rows, "signature": asdict(signature())}
    given.out.mkdir(parents=True, exist_ok=True)
    write_json(given.out / "books.json", found)


if __name__ == "__main__":
    main()
