"""GPU measurements in one call: rates, arithmetic achieved, memory, numerics.

    python -m bench.gpu [--small] [--only WORDS]... [--without WORDS]... [--seconds N]

trimtab and its dependencies must be importable (PYTHONPATH=src where it is not installed). Figures go into a
JSON file named after the device, in the folder that the variable OUT names, else in results/bench; earlier
figures in that file stay, unless they are measured again. Without a GPU it says so and exits with 0; with
``--small`` every measurement runs in a tiny form on the CPU, whose figures mean nothing.

Measurements run in a worker process. One that dies, hangs or loses its GPU is replaced, so that a failure
costs no other measurement. Exit code 1 where a measurement failed, where the device's results differ from the
CPU's by more than the limits, or where the same seed gives different results twice.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from bench import RESULTS
from bench.gpu.judging import judged, wrong
from bench.gpu.measures import Figures
from bench.gpu.plan import measurements
from bench.gpu.rows import machine_file
from bench.gpu.scale import FULL, TINY
from trimtab.machine import available_cores, signature
from trimtab.run.ended import Ended
from trimtab.run.pool import Job, run_jobs
from trimtab.training.auto_precision import device_name

_SECONDS = 420.0  # after which no measurement is started
_SILENCE = 90.0  # seconds after which a measurement counts as hung


def run(
    jobs: Mapping[str, Job[Any, Figures]],
    path: Path,
    device: torch.device,
    seconds: float = _SECONDS,
    silence: float = _SILENCE,
) -> dict[str, Any]:
    """Make the measurements, one after another; the file is written after each."""
    record: dict[str, Any] = {
        "device": device_name(device),
        "date": datetime.now(UTC).date().isoformat(),
        "signature": asdict(signature(Path(__file__).parent)),
        "measurements": _earlier(path),
    }
    if device.type == "cuda":
        record["capability"] = torch.cuda.get_device_capability(device)
        record["memory_bytes"] = torch.cuda.get_device_properties(device).total_memory
        record["cuda"] = torch.version.cuda
    names, made, began = list(jobs), record["measurements"], time.perf_counter()
    started: dict[int, float] = {}

    def keep(name: str, figures: Figures) -> None:
        made[name] = _related(name, figures, made)
        print(_line(name, figures), flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record | {"limits": judged(made), "wrong": wrong(made)}, indent=1) + "\n")

    def on_start(number: int) -> bool:
        started[number] = time.perf_counter()
        if started[number] - began <= seconds:
            return True
        if names[number] not in made:
            keep(names[number], {"left_out": f"not started: {seconds:g} s had passed"})
        return False

    def on_end(number: int, ended: Ended[Figures]) -> None:
        took = time.perf_counter() - started[number]
        keep(names[number], _figures(ended) | {"took_seconds": took})

    run_jobs(
        list(jobs.values()),
        1,
        available_cores(),
        lambda number, news: None,
        on_end,
        on_start=on_start,
        silence=silence,
    )
    return record


def _earlier(path: Path) -> dict[str, Figures]:
    try:
        kept: dict[str, Figures] = json.loads(path.read_text())["measurements"]
        return kept
    except (OSError, ValueError, KeyError):
        return {}


def _figures(ended: Ended[Figures]) -> Figures:
    """What a measurement came to; where it failed, why, and the whole traceback."""
    if ended.traceback is not None:
        return {"failed": ended.traceback.splitlines()[-1], "traceback": ended.traceback}
    if ended.silent is not None:
        return {"failed": f"its process hung for {ended.silent:.0f} s"}
    if ended.value is None:
        return {"failed": f"its process died with exit code {ended.exit_code}"}
    return ended.value


def _related(name: str, figures: Figures, others: dict[str, Figures]) -> Figures:
    """The figures and what follows: their share of the matrix product's rate, or our speed-up over them."""
    ceiling = others.get("matrix product", {}).get("flops")
    if ceiling and "flops" in figures:
        figures["share"] = figures["flops"] / ceiling
    work = ", ".join(name.split(", ")[1:3]) if name.startswith("Trainer") else None
    rate = "examples_per_second"
    ours = [each[rate] for key, each in others.items() if work and key.startswith(work) and rate in each]
    if ours and rate in figures:
        figures["speed_up"] = max(ours) / figures[rate]
    return figures


def _line(name: str, figures: Figures) -> str:
    words = [
        f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in figures.items()
        if key in ("failed", "left_out", "flops", "share", "examples_per_second", "tokens_per_second")
        or key
        in (
            "bytes_per_second",
            "peak_bytes",
            "captured_sizes",
            "same_bits",
            "fp32",
            "bf16",
            "spread",
            "speed_up",
        )
    ]
    return f"{name}: {', '.join(words)}"


def main(arguments: list[str]) -> int:
    """Measure, write, print; 1 where a measurement failed or a result is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="every measurement in a tiny form, on the CPU")
    parser.add_argument("--only", action="append", default=[], help="those whose names hold the words")
    parser.add_argument("--without", action="append", default=[], help="none whose name holds the words")
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="after which none is started")
    wanted = parser.parse_args(arguments)
    if not wanted.small and not torch.cuda.is_available():
        print("No GPU found, nothing measured; --small runs every measurement in a tiny form on the CPU.")
        return 0
    device = torch.device("cpu") if wanted.small else torch.device("cuda", torch.cuda.current_device())
    folder = Path(os.environ.get("OUT") or RESULTS)
    path = machine_file(folder, device_name(device), wanted.small)
    jobs = {
        name: job
        for name, job in measurements(str(device), TINY if wanted.small else FULL).items()
        if any(words in name for words in wanted.only or [""])
        and not any(words in name for words in wanted.without)
    }
    record = run(jobs, path, device, wanted.seconds)
    for row in judged(record["measurements"]):
        reached = "not measured" if row["reached"] is None else f"{row['reached']:,.4g} ({row['by']})"
        print(f"{row['of']}, {row['figure']}: {reached}; at least {row['limit']:,}")
    print(path)
    faults = wrong({name: record["measurements"][name] for name in jobs if name in record["measurements"]})
    for fault in faults:
        print(f"wrong: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
