"""What `trimtab bench` measured, as a person reads it on a terminal, and as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.atomic import write_json
from trimtab.config import InputError
from trimtab.plan.plan import Plan
from trimtab.report.plan import time_words
from trimtab.report.tables import MIB, Column, Table

if TYPE_CHECKING:
    from trimtab.run.bench import StudyTime
    from trimtab.run.speed import Bench, Row, Synthetic

Signature = dict[str, str]


def sizes_text(bench: "Bench", rows: "Synthetic", signature: Signature) -> str:
    """Rates of sizes on synthetic rows."""
    lengths = " + ".join(f"{length:g}" for length in rows.lengths)
    about = (
        f"Synthetic rows of {lengths} tokens (means), max_len {rows.max_len}, vocabulary "
        f"{rows.vocabulary:,}, batches of {rows.batch_size}."
    )
    parts = [about, _speed_table(bench.rows, "size").text(), *_notes(bench), _signature(bench, signature)]
    return "\n\n".join(parts)


def study_text(plan: Plan, bench: "Bench", time: "StudyTime", signature: Signature) -> str:
    """Rates of a study's kinds of work, and what all its trials would take."""
    parts = [
        plan.study.question,
        _speed_table(bench.rows, "work").text(),
        *_notes(bench),
        _trial_table(plan, time).text(),
    ]
    words = time_words(
        time.trials, time.seconds, bench.processes, "in the whole study", "training and evaluation"
    )
    if plan.study.compare.cross:
        words += "; cross evaluations are not counted"
    return "\n\n".join([*parts, _signature(bench, signature), words])


def write(path: Path, bench: "Bench", time: "StudyTime | None", signature: Signature) -> None:
    """The same as JSON: ``signature``, ``device``, ``threads``, ``processes``, ``rows`` and ``study``.

    InputError where the file cannot be written.
    """
    try:
        write_json(path, {"signature": signature, **asdict(bench), "study": time and asdict(time)})
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


def _speed_table(rows: Sequence["Row"], name: str) -> Table:
    columns = [
        Column(name, "name", lambda row: row["name"]),
        Column("precision", "precision", lambda row: row["precision"]),
        Column("examples/s", "examples_per_second", _cell("examples_per_second")),
        Column("middle half", "", _range),
        Column("tokens/s", "tokens_per_second", _cell("tokens_per_second")),
        Column("rows", "rows", _cell("rows")),
        Column("ms a step", "step_seconds", _cell("step_seconds", 1e3)),
        Column("evaluated/s", "", _cell("evaluation_examples_per_second")),
        Column("peak MiB", "peak_bytes", _cell("peak_bytes", 1 / MIB)),
    ]
    if any(row["failure"] for row in rows):
        columns.append(Column("why not", "failure", lambda row: row["failure"] or ""))
    return Table("bench", columns, rows)


def _cell(key: str, factor: float = 1) -> Callable[["Row"], str]:
    """A number, with a digit after the point where it has few before it."""

    def cell(row: "Row") -> str:
        if row["failure"]:
            return ""
        value = factor * row[key]
        return f"{value:,}" if isinstance(value, int) else f"{value:,.{1 if value < 100 else 0}f}"

    return cell


def _range(row: "Row") -> str:
    low, high = _cell("examples_per_second_low")(row), _cell("examples_per_second_high")(row)
    return low and f"{low} to {high}"


def _notes(bench: "Bench") -> list[str]:
    together = f"while {bench.processes} run at a time" if bench.processes > 1 else "while it runs alone"
    threads = f"{bench.threads} {'thread' if bench.threads == 1 else 'threads'}"
    words = (
        f"Of one trial on {threads}, {together}: examples/s and their middle half over steps of so many "
        "rows, real tokens/s (no padding), examples/s of evaluation, and the most memory of its process."
    )
    if any(not row["failure"] and row["rows"] < row["whole_batch"] for row in bench.rows):
        words += (
            " Where a whole batch takes too long, a step has fewer rows: the optimiser then weighs more, so "
            "that a whole batch would be somewhat quicker."
        )
    return [words]


def _trial_table(plan: Plan, time: "StudyTime") -> Table:
    def row(number: int) -> dict[str, Any]:
        seconds, variants = time.seconds[number], plan.study.variants
        same = plan.same_inputs(number)
        return {
            "name": variants[number].name,
            "precision": time.precisions[number],
            "trials": f"{time.trials[number]}" if same == number else "",
            "seconds": "" if seconds is None or same != number else f"{seconds:,.1f}",
            "same": "" if same == number else variants[same].name,
        }

    heads = {"name": "variant", "precision": "precision", "trials": "trials"}
    heads |= {"seconds": "s a trial", "same": "same inputs as"}
    columns = [Column(head, key, itemgetter(key)) for key, head in heads.items()]
    return Table("trials", columns, [row(number) for number in range(len(time.trials))])


def _signature(bench: "Bench", signature: Signature) -> str:
    machine = next((row["machine"] for row in bench.rows if "machine" in row), "unknown machine")
    words = ", ".join(f"{name} {value}" for name, value in signature.items())
    return f"measured on: {machine} ({bench.device}), {words}"
