"""The commands that train: run, and plan and report, which stand before and after it."""

import sys
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
    Out,
    StudyFile,
    stages,
)

if TYPE_CHECKING:
    from trimtab.plan.plan import Plan
    from trimtab.report.page import Written


def run(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """Run the study's missing trials, with progress, then report."""
    from trimtab.study.definition import load

    definition = load(study)  # before torch: a mistake in the file is told at once
    from trimtab import report
    from trimtab.cli.progress import Display
    from trimtab.run.runner import run as run_study

    with Display() as display:
        outcome = run_study(definition, data=data, out=out, jobs=jobs, device=device, progress=display)
        display.stage("writing the report")
        written = report.write(outcome.folder)
    print(f"{outcome.done_now} trials done now, {outcome.done_before} before")
    if outcome.crossed_now:
        print(f"{outcome.crossed_now} models evaluated on the inputs of other variants")
    for failure in outcome.failures:
        names = " = ".join(failure.variants)
        print(f"trimtab: failed: {names}, seed {failure.seed}: {failure.reason}", file=sys.stderr)
    _print_report(written)
    return SOME_FAILED if outcome.failures else DONE


def plan(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """What would run: variants, what each cuts, the smallest effect it could see, time. Trains nothing."""
    from trimtab.ledger.ledger import Ledger
    from trimtab.report.plan import plan_text
    from trimtab.run.estimate import estimate

    made = planned(study, data)
    ledger = Ledger(out or Path("results") / made.study.name)
    ledger.check(made.study.name)
    times = estimate(made, ledger, jobs, device)
    print(plan_text(made, ledger, times.seconds, times.processes))
    return DONE


def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A ledger's folder.")]) -> int:
    """Write tables, figures and report.md from the ledger in DIR alone, of a study or a pretraining."""
    from trimtab import report
    from trimtab.ledger.pretraining_folder import PretrainingFolder
    from trimtab.report import pretraining

    write = pretraining.write if PretrainingFolder(folder).is_begun else report.write
    _print_report(write(folder))
    return DONE


def planned(study: Path, data: Path | None) -> "Plan":
    """The study with its data read, tokenised and truncated, with what is being done on a terminal."""
    from trimtab.plan.plan import make_plan
    from trimtab.plan.prepare import prepare
    from trimtab.study.definition import load

    definition = load(study)
    with stages() as stage:
        stage(READING)
        prepared = prepare(definition, data)
        stage(TRUNCATING)
        return make_plan(prepared)


def _print_report(written: "Written") -> None:
    for line in written.summary:
        print(line)
    print(written.path)
