"""How much of its own memory a training run takes more for each pair: two runs of different numbers of pairs.

A run is a worker's, in a process of its own: it maps the cached tokens, cuts and packs them, checks their
fingerprint, shuffles an epoch and takes a few steps. Private memory is RssAnon of /proc/PID/status: resident
pages that no file backs; and RssShmem, in case the folder of temporary files lies in memory. Pages of mapped
files are not in it, which the system takes back when it needs them. The parent reads it every two
milliseconds, so that no lock of the run can hide a peak from it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trimtab.atomic import atomic_write, write_json
from trimtab.data.batches import training_order
from trimtab.data.growing import Growing, GrowingRagged
from trimtab.data.pairs import make_pairs
from trimtab.data.tokens import load
from trimtab.machine import signature
from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.precision import processor_name
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse
from workload import CLASSES, SPECIAL, VOCABULARY

LIMIT = 16  # bytes of private memory a pair
LENGTHS = {"first": 15, "second": 8}  # mean tokens, as SNLI's
MAX_LEN, TRUNCATION, SIZE, BATCH = 128, "longest_first", "2x32/64/2", 512
_MADE = 100_000  # pairs made at a time
_TOLD = ("bytes_a_pair", "limit", "steps")
_READ = 0.002  # seconds from one look at a run to the next


def make_tokens(folder: Path, pairs: int) -> None:
    """Write random pairs into ``folder`` as tokenising leaves them, int16, a piece at a time."""
    random = np.random.default_rng(0)
    sides = {name: GrowingRagged(np.int16) for name in LENGTHS}
    labels, clusters = Growing(np.int64), Growing(np.int64)
    for start in range(0, pairs, _MADE):
        rows = min(_MADE, pairs - start)
        for name, side in sides.items():
            lengths = random.poisson(LENGTHS[name], rows)
            side.append(random.integers(5, VOCABULARY, lengths.sum()), lengths)
        labels.append(random.integers(0, CLASSES, rows))
        clusters.append(np.arange(start, start + rows))
    for name, side in sides.items():
        whole = side.mapped()
        np.save(folder / f"{name}_values.npy", whole.values)
        np.save(folder / f"{name}_offsets.npy", whole.offsets)
    np.save(folder / "labels.npy", labels.mapped())
    np.save(folder / "clusters.npy", clusters.mapped())


def train(folder: Path, steps: int) -> None:
    """What a worker does with the tokens in ``folder``, up to ``steps`` steps of the first epoch."""
    pairs = make_pairs(load(folder), parse(TRUNCATION), MAX_LEN, SPECIAL)
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
    """The peaks of a run on so many pairs, in bytes; ``folder`` is for what it needs."""
    make_tokens(folder, pairs)
    command = [sys.executable, __file__, "--run", str(folder), "--steps", str(steps)]
    peaks = {"private_bytes": 0, "mapped_bytes": 0}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        while run.poll() is None:
            for name, resident in _resident(run.pid).items():
                peaks[name] = max(peaks[name], resident)
            time.sleep(_READ)
        said = run.stdout.read() if run.stdout else b""
    if run.returncode:
        raise SystemExit(f"the run on {pairs:,} pairs failed")
    return {"pairs": pairs} | peaks | json.loads(said)


def _resident(process: int) -> dict[str, int]:
    """Bytes of resident memory by kind; nothing where the process is gone."""
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

Private memory grows by {bytes_a_pair:.2f} bytes a pair; the limit is {limit}.

| pairs | private memory, peak (MB) | mapped pages, peak (MB) |
| ---: | ---: | ---: |
{rows}

Pairs of random tokens, 15 + 8 on average, in int16, uncut at max_len {max_len}; size {size}, fp32,
{steps} steps of {batch} rows in the order of a whole epoch. Private memory is RssAnon and RssShmem, read
every two milliseconds by another process; mapped pages are RssFile, libraries among them.

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
    parser.add_argument("--pairs", type=int, nargs=2, default=[1_000_000, 10_000_000])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--out", type=Path, help="folder for memory.json and memory.md")
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.run:
        return train(asked.run, asked.steps)
    if not Path("/proc/self/status").exists():
        sys.exit(
            "this system does not say how much private memory a process has: /proc/PID/status is missing"
        )
    runs = []
    for pairs in sorted(asked.pairs):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["TRIMTAB_CACHE"] = folder
            runs.append(measure(pairs, asked.steps, Path(folder)))
    few, many = runs
    growth = (many["private_bytes"] - few["private_bytes"]) / (many["pairs"] - few["pairs"])
    signed = signature(Path(__file__).parent) | {"processor": processor_name()}
    result = {"bytes_a_pair": growth, "limit": LIMIT, "steps": asked.steps, "runs": runs, "signature": signed}
    print(page(result))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        write_json(asked.out / "memory.json", result)
        with atomic_write(asked.out / "memory.md") as aside:
            aside.write_text(page(result))
    sys.exit(growth > LIMIT)


if __name__ == "__main__":
    main()
