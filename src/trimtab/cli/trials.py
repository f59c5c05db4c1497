"""The commands run, plan (before it) and report (after it)."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import (
    DONE,
    READING,
    SOME_FAILED,
    TRUNCATING,
    Data,
    Device,
    Jobs,
    Log,
    Out,
    Reuse,
    StudyFile,
    stages,
    warn,
)
from trimtab.config import InputError

Compare = Annotated[
    Path | None,
    typer.Option(
        "--compare", metavar="DIR2", help="Compare DIR with these results: scores, speed, memory; no report."
    ),
]

if TYPE_CHECKING:
    from trimtab.plan.plan import Plan
    from trimtab.report import Written
    from trimtab.study.definition import Study


def run(
    study: StudyFile,
    data: Data = None,
    out: Out = None,
    jobs: Jobs = None,
    device: Device = "auto",
    log: Log = None,
    reuse: Reuse = None,
) -> int:
    """Run the study's missing trials, then write the report.

    An interrupted run resumes with the same command.
    """
    from trimtab.study.definition import load

    definition = load(study)  # before importing torch: mistakes in the file are reported at once
    for sentence in definition.warnings:
        warn(sentence)
    from trimtab.cli.progress import Display
    from trimtab.ledger.ledger import Ledger
    from trimtab.run.runner import run as run_study
    from trimtab.trackers import TrackerLog

    ledger = Ledger(out or Path("results") / definition.name)
    trackers = TrackerLog(
        ledger, definition.name, log or (), warn
    )  # before training: a package may be missing
    with Display() as display:
        outcome = run_study(
            definition,
            data=data,
            out=out,
            jobs=jobs,
            device=device,
            progress=display,
            on_trial=trackers.trial,
            reuse=reuse or (),
        )
        display.stage("writing the report")
        from trimtab import report  # takes seconds, for its figures

        written = report.write(outcome.folder)
        logged = trackers.everything()
    print(f"{outcome.done_now} trials done now, {outcome.done_before} before")
    if reuse:
        print(f"{outcome.taken_over} trials taken over from other results")
    if outcome.crossed_now:
        print(f"{outcome.crossed_now} models evaluated on the inputs of other variants")
    for failure in outcome.failures:
        names = " = ".join(failure.variants)
        print(f"trimtab: failed: {names}, seed {failure.seed}: {failure.reason}", file=sys.stderr)
    _print_lines(logged)
    _print_report(written)
    return SOME_FAILED if outcome.failures else DONE


def plan(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """Show what a study would run and what it could detect.

    Lists the variants, what each cuts, the smallest detectable effect and the remaining time. Trains nothing.
    """
    from trimtab.ledger.ledger import Ledger
    from trimtab.study.definition import load

    definition = load(study)
    for sentence in definition.warnings:
        warn(sentence)
    ledger = Ledger(out or Path("results") / definition.name)
    ledger.check(definition.name)
    made = planned(definition, data)
    from trimtab.report.plan import plan_text
    from trimtab.run.estimate import estimate

    times = estimate(made, ledger, jobs, device)
    print(plan_text(made, ledger, times.seconds, times.processes))
    return DONE


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results.")],
    compare: Compare = None,
    log: Log = None,
) -> int:
    """Write the report of finished results.

    Tables, figures and report.md are made from DIR alone: the results of a study, or of pretraining.
    With --compare, two folders are compared instead.
    """
    if compare is not None:
        _compare(folder, compare)
        return DONE
    from trimtab import report
    from trimtab.ledger.pretraining_folder import PretrainingFolder
    from trimtab.report import pretraining

    if PretrainingFolder(folder).is_begun:
        if log:
            raise InputError(f"--log: {folder} is a pretraining's, which has no trials; leave --log out")
        _print_report(pretraining.write(folder))
        return DONE
    from trimtab.ledger.ledger import Ledger
    from trimtab.trackers import TrackerLog

    ledger = Ledger(folder)
    logged = TrackerLog(ledger, ledger.study.name, log or (), warn).everything()
    written = report.write(folder)
    _print_lines(logged)
    _print_report(written)
    return DONE


def _compare(folder: Path, other: Path) -> None:
    from trimtab.analysis.two_ledgers import compare_ledgers
    from trimtab.ledger.ledger import Ledger
    from trimtab.report.comparison import comparison_text, write_comparison

    found = compare_ledgers(Ledger(folder), Ledger(other))
    print("\n\n".join(comparison_text(found)))
    print()
    _print_lines(list(map(str, write_comparison(folder, found))))


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def planned(study: "Study", data: Path | None) -> "Plan":
    """Plan the study: read, tokenise and truncate its data, showing the stage on a terminal."""
    from trimtab.plan.plan import make_plan
    from trimtab.plan.prepare import prepare

    with stages() as stage:
        stage(READING)
        prepared = prepare(study, data)
        stage(TRUNCATING)
        return make_plan(prepared)


def _print_report(written: "Written") -> None:
    for line in written.summary:
        print(line)
    print(written.path)
