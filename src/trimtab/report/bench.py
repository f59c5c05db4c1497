"""What `trimtab bench` measured, as a person reads it on a terminal, and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.atomic import write_json
from trimtab.config import InputError
from trimtab.machine import Signature
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.report.plan import time_words
from trimtab.report.tables import MIB
from trimtab.report.terminal import table_text

if TYPE_CHECKING:
    from trimtab.run.bench import StudyTime
    from trimtab.run.speed import SpeedRow, SpeedTable, Synthetic


def sizes_text(bench: "SpeedTable", rows: "Synthetic", signature: Signature) -> str:
    """Rates of sizes on synthetic rows."""
    lengths = " + ".join(f"{length:g}" for length in rows.lengths)
    about = (
        f"Synthetic rows of {lengths} tokens (means), max_len {rows.max_len}, vocabulary "
        f"{rows.vocabulary:,}, batches of {rows.batch_size}."
    )
    parts = [about, _speed_table(bench.rows, "size"), *_notes(bench), _signature(bench, signature)]
    return "\n\n".join(parts)


def study_text(plan: Plan, bench: "SpeedTable", time: "StudyTime", signature: Signature) -> str:
    """Rates of a study's kinds of trials, and what all its trials would take."""
    parts = [
        plan.study.question,
        _speed_table(bench.rows, "trials of"),
        *_notes(bench),
        _trial_table(plan, time),
    ]
    words = time_words(
        time.trials, time.seconds, bench.processes, "in the whole study", "training and evaluation"
    )
    if plan.study.compare.cross:
        words += "; cross evaluations are not counted"
    return "\n\n".join([*parts, _signature(bench, signature), words])


def write(path: Path, bench: "SpeedTable", time: "StudyTime | None", signature: Signature) -> None:
    """The same as JSON: ``signature``, ``device``, ``threads``, ``processes``, ``rows`` and ``study``.

    InputError where the file cannot be written.
    """
    figures = {
        "signature": asdict(signature),
        "device": bench.device,
        "threads": bench.threads,
        "processes": bench.processes,
        "rows": [_flat(row) for row in bench.rows],
        "study": time and asdict(time),
    }
    try:
        write_json(path, figures)
    except OSError as error:
        raise _closed(path, error) from error


def claim(path: Path) -> None:
    """See to it, before any work, that a file can be written there; InputError where it cannot."""
    there = path.exists()
    try:
        with path.open("a"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise _closed(path, error) from error


def _closed(path: Path, error: OSError) -> InputError:
    return InputError(f"--json: {path} cannot be written ({error.strerror}); name another file")


def _flat(row: "SpeedRow") -> dict[str, Any]:
    """A row as JSON has it: what was measured, the machine, and the rates or the failure."""
    found = asdict(row)
    measured = found.pop("measured")
    return {**found, **{key: measured[key] for key in ("machine", "failure")}, **(measured["speed"] or {})}


def _speed_table(rows: Sequence["SpeedRow"], what: str) -> str:
    heads = [
        what,
        "precision",
        "examples/s",
        "interquartile range",
        "tokens/s",
        "rows",
        "ms per step",
        "evaluated/s",
    ]
    heads.append("peak MiB")
    cells = [_cells(row) for row in rows]
    if any(row.measured.failure for row in rows):
        heads.append("reason not measured")
        cells = [[*line, row.measured.failure or ""] for line, row in zip(cells, rows, strict=True)]
    return table_text(cells, heads)


def _cells(row: "SpeedRow") -> list[str]:
    speed = row.measured.speed
    if speed is None:
        return [row.name, row.precision, *[""] * 7]
    low, high = _number(speed.examples_per_second_low), _number(speed.examples_per_second_high)
    return [
        row.name,
        row.precision,
        _number(speed.examples_per_second),
        f"{low} to {high}",
        _number(speed.tokens_per_second),
        _number(speed.rows),
        _number(1e3 * speed.step_seconds),
        _number(speed.evaluation_examples_per_second),
        _number(speed.peak_bytes / MIB),
    ]


def _number(value: float) -> str:
    """With a digit after the point where there are few before it; whole numbers as they are."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{1 if value < 100 else 0}f}"


def _notes(bench: "SpeedTable") -> list[str]:
    together = f"while {bench.processes} run at a time" if bench.processes > 1 else "while it runs alone"
    threads = f"{bench.threads} {'thread' if bench.threads == 1 else 'threads'}"
    words = (
        f"Of one trial on {threads}, {together}: examples/s with their interquartile range over steps of the "
        "given rows, real tokens/s (no padding), examples/s of evaluation, and its process's peak memory."
    )
    speeds = [row.measured.speed for row in bench.rows]
    if any(speed and speed.rows < speed.whole_batch for speed in speeds):
        words += (
            " Where a whole batch takes too long, a step has fewer rows: the optimiser then weighs more, so "
            "that a whole batch would be somewhat faster."
        )
    return [words]


def _trial_table(plan: Plan, time: "StudyTime") -> str:
    def cells(variant: PlannedVariant) -> list[str]:
        seconds, number = time.seconds[variant.number], variant.number
        start = [variant.name, time.precisions[number]]
        if not variant.is_first:
            return [*start, "", "", plan.variants[variant.same_as].name]
        return [*start, f"{time.trials[number]}", "" if seconds is None else f"{seconds:,.1f}", ""]

    heads = ["variant", "precision", "trials", "s per trial", "same inputs as"]
    return table_text([cells(variant) for variant in plan.variants], heads)


def _signature(bench: "SpeedTable", signature: Signature) -> str:
    machines = (row.measured.machine for row in bench.rows)
    machine = next(filter(None, machines), "unknown machine")
    return f"measured on: {machine} ({bench.device}), {signature}"
