"""A run of the benchmarks against the committed run on the same kind of machine: ratios with intervals.

    python -m bench.regression.baseline [--write] .benchmarks/last.json     (`make bench` does it)

pytest-benchmark can compare runs by itself, but it files them by operating system and Python rather than by
processor and compares single statistics without an interval; so only its record is used.
"""

import argparse
import json
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from tabulate import tabulate

from bench import RESULTS
from trimtab.atomic import write_json
from trimtab.machine import available_cores, signature

TOLERANCE = 0.25  # how far apart medians of two runs of the same commit were on a virtual machine
CONFIDENCE = 0.95
KEPT = 50  # times per benchmark; where there are more, as many quantiles of them
INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")  # the widest first
VENDORS = {"AuthenticAMD": "amd", "GenuineIntel": "intel"}
NOTE = f"""\
A ratio is the median of this run over that of the baseline. A benchmark is slower or faster where the
{CONFIDENCE:.0%} interval lies beyond {TOLERANCE:.0%}. Two runs never find a machine in the same state, so
this table only informs; the guards are what can fail."""
Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Median time now over median time then, with its interval; ratios above 1 are slower."""

    then: float
    now: float
    low: float
    high: float

    @property
    def ratio(self) -> float:
        """Below 1 where the benchmark has become faster."""
        return self.now / self.then

    @property
    def verdict(self) -> str:
        """'slower', 'faster' or 'same', by the interval and the tolerance."""
        if self.low > 1 + TOLERANCE:
            return "slower"
        return "faster" if self.high < 1 / (1 + TOLERANCE) else "same"


def kind_of(cpuinfo: str, machine: str, cores: int, torch: str) -> str:
    """The kind of machine within which times are comparable, as part of a file name.

    cpuinfo: the text of /proc/cpuinfo, '' where there is none; machine: as platform.machine() says.
    Vendor, family and model, the widest vector instructions, cores that may be used, torch's major and minor.
    """
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    vendor = fields.get("vendor_id", machine)
    numbers = [fields[key] for key in ("cpu family", "model", "CPU implementer", "CPU part") if key in fields]
    flags = fields.get("flags", fields.get("Features", "")).split()
    widest = [flag for flag in INSTRUCTIONS if flag in flags][:1]
    minor = ".".join(torch.split(".")[:2])
    parts = [VENDORS.get(vendor, vendor.lower()), *numbers, *widest, f"{cores}-cores", f"torch-{minor}"]
    return "-".join(parts)


def this_kind() -> str:
    """The kind of the machine that this runs on."""
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text()
    except OSError:
        cpuinfo = ""
    return kind_of(cpuinfo, platform.machine(), available_cores(), version("torch"))


def times(record: dict[str, Any]) -> dict[str, list[float]]:
    """Seconds of each benchmark's rounds in a record of pytest-benchmark, at most KEPT of each, ascending."""
    found = {}
    for benchmark in record["benchmarks"]:
        data = np.sort(benchmark["stats"]["data"])
        if len(data) > KEPT:
            data = np.quantile(data, (np.arange(KEPT) + 0.5) / KEPT)
        found[benchmark["fullname"]] = [float(f"{seconds:.4g}") for seconds in data]
    return found


def compare(then: Seconds, now: Seconds) -> Comparison:
    """The ratio of medians of two runs' times, with a bootstrap interval over their rounds, two or more."""

    def ratio(now: Seconds, then: Seconds, axis: int = -1) -> Seconds:
        return np.asarray(np.median(now, axis=axis) / np.median(then, axis=axis))

    drawn = stats.bootstrap(
        (now, then),
        ratio,
        n_resamples=4_000,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = drawn.confidence_interval
    return Comparison(float(np.median(then)), float(np.median(now)), float(low), float(high))


def table(then: dict[str, list[float]], now: dict[str, list[float]]) -> str:
    """One row per benchmark, the most slowed first; then those that are in only one of the runs."""
    both = {name: compare(np.array(then[name]), np.array(now[name])) for name in now if name in then}
    rows = [
        (
            name,
            _median(then[name]),
            _median(now[name]),
            f"{found.ratio:.2f}",
            f"{found.low:.2f} to {found.high:.2f}",
            found.verdict,
        )
        for name, found in sorted(both.items(), key=lambda item: -item[1].ratio)
    ]
    rows += [(name, "", _median(now[name]), "", "", "new") for name in now if name not in then]
    rows += [(name, _median(then[name]), "", "", "", "not run") for name in then if name not in now]
    heads = ("benchmark", "then, ms", "now, ms", "ratio", "interval", "verdict")
    return tabulate(rows, heads, disable_numparse=True, tablefmt="github")


def _median(seconds: list[float]) -> str:
    return f"{1e3 * np.median(seconds):.4g}"


def write(path: Path, kind: str, found: dict[str, list[float]]) -> None:
    """Write a baseline: the kind of machine, what it was made with, and each benchmark's times in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = asdict(signature(Path(__file__).parent))
    write_json(path, {"kind": kind, "signature": made, "seconds": found})


def against(path: Path, found: dict[str, list[float]]) -> str:
    """The comparison with the baseline at ``path`` in words, or how to make one where there is none."""
    if not path.is_file():
        return f"No baseline for this kind of machine ({path.name}); `make bench-baseline` writes one."
    baseline = json.loads(path.read_text())
    made = ", ".join(f"{name} {value}" for name, value in baseline["signature"].items())
    return f"Against {path.name}, made with {made}.\n\n{table(baseline['seconds'], found)}\n\n{NOTE}"


def main(arguments: list[str] | None = None) -> None:
    """Compare a record of pytest-benchmark with the baseline of this kind of machine, or replace that."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record", type=Path, help="what --benchmark-json wrote")
    parser.add_argument("--write", action="store_true", help="make it the baseline instead")
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where baselines lie [results/bench]")
    asked = parser.parse_args(arguments)
    found, kind = times(json.loads(asked.record.read_text())), this_kind()
    path = asked.folder / f"baseline-{kind}.json"
    if asked.write:
        write(path, kind, found)
        print(f"{path} holds {len(found)} benchmarks.")
    else:
        print(against(path, found))


if __name__ == "__main__":
    main()
