"""All GPU measurements in one call of under eight minutes: rates, arithmetic achieved, memory, numerics.

    python -m bench.gpu [--small]

trimtab and its dependencies must be importable (PYTHONPATH=src where it is not installed). Figures go into a
JSON file named after the device, in the folder that the variable OUT names, else in results/bench. Without a
GPU it says so and exits with 0; with ``--small`` every measurement runs in a tiny form on the CPU, whose
figures mean nothing. Exit code 1 where the device's results differ from the CPU's by more than the limits, or
the same seed gives different results twice.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench import RESULTS
from bench.gpu.measures import Bench, Figures
from bench.gpu.rows import machine_file
from bench.gpu.scale import FULL, TINY
from trimtab.machine import signature
from trimtab.training.auto_precision import device_name
from trimtab.training.memory import give_back

_SECONDS = 420  # after which no measurement is started
_FULL_LENGTH = 128

# What must be reached: how the names of the measurements start, of which the best counts; figure; limit.
LIMITS = (
    ("small", "examples_per_second", 400_000),
    ("base", "examples_per_second", 25_000),
    ("base", "share", 0.45),
    ("large", "share", 0.45),
    (f"base at {_FULL_LENGTH}", "share", 0.55),
    (f"large at {_FULL_LENGTH}", "share", 0.55),
)

# Largest error against fp32 on the CPU: relative, of the logits; in nats, of the losses of some steps.
NUMERICS = {"fp32": (1e-3, 1e-3), "bf16": (0.05, 0.05)}


def measurements(bench: Bench) -> dict[str, Callable[[], Figures]]:
    """Every measurement by its name; the most important first, the likeliest to fail last."""
    train, found = bench.training, dict[str, Callable[[], Figures]]()
    found["matrix product"], found["copy"] = bench.matrix_rate, bench.copy_rate
    found["numerics"] = bench.numerics
    found["repeats, eager"] = partial(bench.repeats, False)
    plain: dict[str, Any] = {"graphs": False, "compiled": False}
    batches = {name: several[0] for name, several in bench.scale.batches.items()}
    for name, batch in batches.items():
        found[f"{name}, batch {batch}, eager"] = partial(train, name, batch, **plain)
    found["repeats, graphs"] = partial(bench.repeats, True)
    for name, several in bench.scale.batches.items():
        for batch in several:
            found[f"{name}, batch {batch}"] = partial(train, name, batch)
    for name, batch in batches.items():
        found[f"{name} at {_FULL_LENGTH}, batch {batch}"] = partial(train, name, batch, length=_FULL_LENGTH)
    for name in ("small", "base"):
        found[f"padded {name}, batch {batches[name]}"] = partial(bench.padded, name)
    found["small, streamed"] = partial(train, "small", batches["small"], streamed=True, **plain)
    found["small, fp32"] = partial(train, "small", batches["small"], precision="fp32")
    found["small, compiled"] = partial(train, "small", batches["small"], graphs=False, compiled=True)
    return found


def run(bench: Bench, path: Path, seconds: float = _SECONDS) -> dict[str, Any]:
    """Make every measurement. The file is written after each, so that a crash loses only the current one."""
    record: dict[str, Any] = {
        "device": device_name(bench.device),
        "date": datetime.now(UTC).date().isoformat(),
        "signature": asdict(signature(Path(__file__).parent)),
        "measurements": {},
    }
    if bench.device.type == "cuda":
        record["capability"] = torch.cuda.get_device_capability(bench.device)
        record["memory_bytes"] = torch.cuda.get_device_properties(bench.device).total_memory
        record["cuda"] = torch.version.cuda
    began = time.perf_counter()
    for name, measure in measurements(bench).items():
        late = time.perf_counter() - began > seconds
        figures = {"failed": f"not started: {seconds} s had passed"} if late else _guarded(measure)
        record["measurements"][name] = _with_share(figures, record["measurements"])
        print(_line(name, figures), flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = record["measurements"]
        path.write_text(json.dumps(record | {"limits": judged(made), "wrong": wrong(made)}, indent=1) + "\n")
    return record


def _guarded(measure: Callable[[], Figures]) -> Figures:
    try:
        began = time.perf_counter()
        return measure() | {"took_seconds": time.perf_counter() - began}
    except Exception as error:  # of any kind: the other measurements are still made
        return {"failed": f"{type(error).__name__}: {error}"}
    finally:
        give_back()


def _with_share(figures: Figures, others: dict[str, Figures]) -> Figures:
    """The figures, with their arithmetic as a share of the matrix product's."""
    ceiling = others.get("matrix product", {}).get("flops")
    if ceiling and "flops" in figures:
        figures["share"] = figures["flops"] / ceiling
    return figures


def judged(found: dict[str, Figures]) -> list[Figures]:
    """For each limit the value reached (None where nothing was measured), and by which measurement."""
    rows = []
    for start, figure, limit in LIMITS:
        reached = {
            name: figures[figure]
            for name, figures in found.items()
            if name.startswith(f"{start}, batch") and figure in figures
        }
        best = max(reached, key=lambda name: reached[name], default=None)
        value = None if best is None else reached[best]
        rows.append({"of": start, "figure": figure, "limit": limit, "reached": value, "by": best})
    return rows


def wrong(found: dict[str, Figures]) -> list[str]:
    """A sentence for each result of the device that is wrong, among those measured so far."""
    sentences = []
    for precision, (of_logits, of_losses) in NUMERICS.items():
        figures = found.get("numerics", {}).get(precision, {})
        for figure, limit in (("relative_error_of_logits", of_logits), ("largest_error_of_loss", of_losses)):
            if not figures.get(figure, 0.0) <= limit:  # written so that nan is wrong
                sentences.append(
                    f"numerics in {precision}: {figure} {figures[figure]:.2g}, at most {limit:g}"
                )
    repeats = [name for name, figures in found.items() if figures.get("same_bits") is False]
    return sentences + [f"{name}: the same seed gave different weights" for name in repeats]


def _line(name: str, figures: Figures) -> str:
    words = [
        f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
        if key in ("failed", "flops", "share", "examples_per_second", "tokens_per_second", "spread")
        or key in ("bytes_per_second", "peak_bytes", "captured_sizes", "same_bits", "fp32", "bf16")
    ]
    return f"{name}: {', '.join(words)}"


def main(arguments: list[str]) -> int:
    """Measure, write, print; 1 where a result is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="every measurement in a tiny form, on the CPU")
    small = parser.parse_args(arguments).small
    if not small and not torch.cuda.is_available():
        print("No GPU found, nothing measured; --small runs every measurement in a tiny form on the CPU.")
        return 0
    device = torch.device("cpu") if small else torch.device("cuda", torch.cuda.current_device())
    folder = Path(os.environ.get("OUT") or RESULTS)
    path = machine_file(folder, device_name(device), small)
    record = run(Bench(device, TINY if small else FULL), path)
    for row in judged(record["measurements"]):
        reached = "not measured" if row["reached"] is None else f"{row['reached']:,.4g} ({row['by']})"
        print(f"{row['of']}, {row['figure']}: {reached}; at least {row['limit']:,}")
    print(path)
    faults = wrong(record["measurements"])
    for fault in faults:
        print(f"wrong: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
