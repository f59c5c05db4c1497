"""How much private memory a training run takes per pair, from two runs with different numbers of pairs.

    python -m bench.regression.memory [--pairs FEW MANY] [--steps N] [--out results/bench]

A run does what a worker does, in a process of its own: it maps the cached tokens, truncates and packs them,
computes their fingerprint, shuffles an epoch and takes a few steps. Private memory is RssAnon of
/proc/PID/status, resident pages without a file behind them, and RssShmem, in case temporary files are kept in
memory. It excludes pages of mapped files, which the system can reclaim at any time. The parent reads it every
two milliseconds, so that no lock held by the run can hide a peak.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.regression.workload import CLASSES, TEMPLATE, VOCABULARY
from trimtab.atomic import atomic_write, write_json
from trimtab.data.batches import training_order
from trimtab.data.pairs import make_pairs
from trimtab.data.tokens import load
from trimtab.machine import signature
from trimtab.model.sizes import architecture
from trimtab.ragged import offsets_of
from trimtab.training.auto_precision import processor_name
from trimtab.training.backend import Backend
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse

LIMIT = 16  # bytes of private memory per pair
LENGTHS = {"first": 15, "second": 8}  # mean tokens, as SNLI's
MAX_LEN, TRUNCATION, SIZE, BATCH = 128, "longest_first", "2x32/64/2", 512
_TOLD = ("bytes_per_pair", "limit", "steps")
_READ = 0.002  # seconds between two readings of a run's memory


def make_tokens(folder: Path, pairs: int, part: int = 1_000_000) -> None:
    """Write random pairs into ``folder`` as tokenising leaves them, int16, ``part`` tokens at a time."""
    random = np.random.default_rng(0)
    for name, mean in LENGTHS.items():
        offsets = offsets_of(random.poisson(mean, pairs))
        np.save(folder / f"{name}_offsets.npy", offsets)
        shape = (int(offsets[-1]),)
        values = np.lib.format.open_memmap(folder / f"{name}_values.npy", "w+", np.int16, shape)
        for start in range(0, len(values), part):
            some = values[start : start + part]
            some[:] = random.integers(5, VOCABULARY, len(some))
    np.save(folder / "labels.npy", random.integers(0, CLASSES, pairs))
    np.save(folder / "clusters.npy", np.arange(pairs))


def train(folder: Path, steps: int) -> None:
    """Do what a worker does with the tokens in ``folder``, up to ``steps`` steps of the first epoch."""
    pairs = make_pairs(load(folder), parse(TRUNCATION), MAX_LEN, TEMPLATE)
    fingerprint = pairs.fingerprint
    backend = Backend(torch.device("cpu"), "fp32")
    recipe = Recipe(batch_size=BATCH)
    size = architecture(SIZE)
    trainer = Trainer(size, recipe, 0, backend, vocabulary=VOCABULARY, classes=CLASSES, training=pairs)
    order = training_order(len(pairs), 0, 1)
    for start in range(0, steps * BATCH, BATCH):
        loss, _ = trainer.step(order[start : start + BATCH])
    print(json.dumps({"fingerprint": fingerprint, "loss": float(loss)}))


def measure(pairs: int, steps: int, folder: Path) -> dict[str, Any]:
    """The peaks in bytes of a run on ``pairs`` pairs, whose tokens are written into ``folder``."""
    make_tokens(folder, pairs)
    command = [sys.executable, "-m", "bench.regression.memory", "--run", str(folder), "--steps", str(steps)]
    peaks = {"private_bytes": 0, "mapped_bytes": 0}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        while run.poll() is None:
            for name, found in resident(run.pid).items():
                peaks[name] = max(peaks[name], found)
            time.sleep(_READ)
        said = run.stdout.read() if run.stdout else b""
    if run.returncode:
        raise SystemExit(f"the run on {pairs:,} pairs failed")
    return {"pairs": pairs} | peaks | json.loads(said)


def resident(process: int) -> dict[str, int]:
    """Bytes of resident memory by kind; empty where the process has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    said = dict(line.split(":", 1) for line in lines)
    anonymous, shared, file = (
        1024 * int(said.get(name, "0").split()[0]) for name in ("RssAnon", "RssShmem", "RssFile")
    )
    return {"private_bytes": anonymous + shared, "mapped_bytes": file}


PAGE = """# Memory of a training run

Private memory grows by {bytes_per_pair:.2f} bytes per pair; the limit is {limit}.

| pairs | private memory, peak (MB) | mapped pages, peak (MB) |
| ---: | ---: | ---: |
{rows}

Pairs of random tokens, 15 + 8 on average, in int16, not truncated at max_len {max_len}; size {size}, fp32,
{steps} steps of {batch} rows in the order of a whole epoch. Private memory is RssAnon and RssShmem, read
every two milliseconds by another process; mapped pages are RssFile, which includes libraries.

Made with {signed}.
"""


def page(result: dict[str, Any]) -> str:
    """The result in Markdown."""
    rows = [
        f"| {run['pairs']:,} | {run['private_bytes'] / 1e6:,.1f} | {run['mapped_bytes'] / 1e6:,.1f} |"
        for run in result["runs"]
    ]
    signed = ", ".join(f"{name} {value}" for name, value in result["signature"].items())
    shape = {"max_len": MAX_LEN, "size": SIZE, "batch": BATCH}
    return PAGE.format(rows="\n".join(rows), signed=signed, **shape, **{k: result[k] for k in _TOLD})


def main() -> None:
    """Measure, print and write the tables; exit with 1 where the growth is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs=2, default=[1_000_000, 10_000_000], help="of the two runs")
    parser.add_argument("--steps", type=int, default=50, help="of each run")
    parser.add_argument("--out", type=Path, help="folder for memory.json and memory.md")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        return train(asked.run, asked.steps)
    if not Path("/proc/self/status").exists():
        sys.exit("this system does not report the private memory of a process: /proc/PID/status is missing")
    runs = []
    for pairs in sorted(asked.pairs):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TRIMTAB_CACHE"] = folder
            runs.append(measure(pairs, asked.steps, Path(folder)))
    few, many = runs
    growth = (many["private_bytes"] - few["private_bytes"]) / (many["pairs"] - few["pairs"])
    signed = asdict(signature(Path(__file__).parent)) | {"processor": processor_name()}
    result = {
        "bytes_per_pair": growth,
        "limit": LIMIT,
        "steps": asked.steps,
        "runs": runs,
        "signature": signed,
    }
    print(page(result))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        write_json(asked.out / "memory.json", result)
        with atomic_write(asked.out / "memory.md") as temporary:
            temporary.write_text(page(result))
    sys.exit(growth > LIMIT)


if __name__ == "__main__":
    main()
