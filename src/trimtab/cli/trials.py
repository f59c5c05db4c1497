"""The commands run, plan (before it) and report (after it)."""

import sys
import threading
import time
from collections.abc import Sequence
from functools import cache
from importlib import import_module
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
    EngineName,
    Jobs,
    Log,
    Out,
    Quiet,
    Reuse,
    SlurmOption,
    StudyFile,
    resumable,
    stages,
    warn,
)
from trimtab.config import InputError
from trimtab.report.terminal import say

Paper = Annotated[
    bool, typer.Option("--paper", help="Also write figures as PNG of 300 dpi, and for one column of a paper.")
]
Compare = Annotated[
    Path | None,
    typer.Option(
        "--compare", metavar="DIR2", help="Compare DIR with these results: scores, speed, memory; no report."
    ),
]

if TYPE_CHECKING:
    from trimtab.ledger.ledger import Ledger
    from trimtab.plan.plan import Plan
    from trimtab.report import Written
    from trimtab.run.estimate import TimeEstimate
    from trimtab.study.definition import Study

PATIENCE = 20.0  # seconds that a plan may take to measure training steps
MEASURING = f"measuring training steps, at most {PATIENCE:.0f} s (--no-time leaves that out)"

NoTime = Annotated[bool, typer.Option("--no-time", help="Do not estimate how long the trials take.")]


@resumable
def run(
    study: StudyFile,
    data: Data = None,
    out: Out = None,
    jobs: Jobs = None,
    device: Device = "auto",
    quiet: Quiet = False,
    log: Log = None,
    reuse: Reuse = None,
    engine: EngineName = "local",
    slurm_option: SlurmOption = None,
) -> int:
    """Run the study's missing trials, then write the report.

    An interrupted run resumes with the same command. Progress goes to stderr: a live display on a terminal,
    elsewhere one line for each finished trial.
    """
    from trimtab.study.definition import load

    definition = load(study)  # before importing torch: mistakes in the file are reported at once
    for sentence in definition.warnings:
        warn(sentence)
    from trimtab.cli.progress import shown_progress
    from trimtab.ledger.ledger import Ledger
    from trimtab.trackers import TrackerLog

    ledger = Ledger(out or Path("results") / definition.name)
    # Before training: a package may be missing.
    trackers = TrackerLog(ledger, definition.name, log or (), warn)

    def on_trial(key: str) -> None:
        trackers.trial(key)
        _load_report()

    with shown_progress(quiet=quiet) as progress:
        from trimtab.run.runner import run as run_study

        outcome = run_study(
            definition,
            data=data,
            out=out,
            jobs=jobs,
            device=device,
            progress=progress,
            engine=engine,
            slurm_options=slurm_option or (),
            on_trial=on_trial,
            reuse=reuse or (),
        )
        progress.stage("writing the report")
        from trimtab import report  # takes seconds, for its figures

        written = report.write(outcome.folder)
        logged = trackers.everything()
    stopped = f", {outcome.stopped} not needed" * bool(outcome.stopped)
    say(f"{outcome.done_now} trials done now, {outcome.done_before} before{stopped}")
    if outcome.done_by_others:
        say(f"{outcome.done_by_others} trials done by other runs in this folder")
    if reuse:
        say(f"{outcome.taken_over} trials taken over from other results")
    if outcome.crossed_now:
        say(f"{outcome.crossed_now} models evaluated on the inputs of other variants")
    for failure in outcome.failures:
        names = " = ".join(failure.variants)
        print(f"trimtab: failed: {names}, seed {failure.seed}: {failure.reason}", file=sys.stderr)
    _print_lines(logged)
    _print_report(written)
    return SOME_FAILED if outcome.failures else DONE


@cache
def _load_report() -> None:
    """Begin to import what the report needs, which takes seconds, while other trials still train."""
    threading.Thread(target=import_module, args=("trimtab.report.page",), daemon=True).start()


def plan(
    study: StudyFile,
    data: Data = None,
    out: Out = None,
    jobs: Jobs = None,
    device: Device = "auto",
    no_time: NoTime = False,
) -> int:
    """Show what a study would run and what it could detect.

    Lists the variants, what each cuts, the contrasts and the smallest difference and margin they could show;
    then the remaining time, for which some training steps are measured, for 20 seconds at most.
    """
    from trimtab.ledger.ledger import Ledger
    from trimtab.study.definition import load

    definition = load(study)
    for sentence in definition.warnings:
        warn(sentence)
    ledger = Ledger(out or Path("results") / definition.name)
    ledger.check(definition.name)
    made = planned(definition, data)
    from trimtab.report.plan import plan_text, time_text, trial_counts, trials_left

    counts = trial_counts(made, ledger)
    say(plan_text(made, ledger, counts))
    left = trials_left(counts)
    times = _estimated(made, ledger, jobs, device) if sum(left) and not no_time else None
    say()
    say(time_text(made, left, times))
    return DONE


def _estimated(made: "Plan", ledger: "Ledger", jobs: int | None, device: Device) -> "TimeEstimate":
    """Estimate the time of trials, and say so: it may have to be measured, which takes a while."""
    with stages(MEASURING) as stage:
        began = time.monotonic()
        from trimtab.run.pool import prepare_workers

        prepare_workers()  # side by side with what follows
        from trimtab.run.estimate import estimate  # takes seconds, for torch

        patience = PATIENCE - (time.monotonic() - began)
        return estimate(made, ledger, jobs, device, patience, lambda what: stage(f"{MEASURING}: {what}"))


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results.")],
    compare: Compare = None,
    log: Log = None,
    paper: Paper = False,
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
    written = report.write(folder, paper=paper)
    _print_lines(logged)
    _print_report(written)
    return DONE


def _compare(folder: Path, other: Path) -> None:
    from trimtab.analysis.two_ledgers import compare_ledgers
    from trimtab.ledger.ledger import Ledger
    from trimtab.report.comparison import comparison_text, write_comparison

    found = compare_ledgers(Ledger(folder), Ledger(other))
    say("\n\n".join(comparison_text(found)))
    say()
    _print_lines(list(map(str, write_comparison(folder, found))))


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)


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
        say(line)
    say(str(written.path))
