"""The command line. Each command imports what it needs when it runs, so that help and errors come at once."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from trimtab.config import InputError

if TYPE_CHECKING:
    from trimtab.study.plan import Plan

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

# What click raises for a wrong command line. Older versions of typer use the click that is installed,
# newer ones a click of their own, so it is taken from what typer offers.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

app = typer.Typer(
    help="trimtab measures what truncating a text pair costs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A study file, such as studies/quickstart.toml.")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where the data lies (or TRIMTAB_DATA).")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The ledger's folder [results/<study>].")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Trials at a time [as many as the cores allow].")
]
Device = Annotated[Literal["cpu", "cuda", "auto"], typer.Option("--device", help="Where to train.")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 some trials failed, 2 the input is wrong."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(args=given or ["--help"], prog_name="trimtab", standalone_mode=False)
    except InputError as error:
        return _complain(str(error))
    except UsageError as error:
        words = error.format_message().replace("Value error, ", "").removesuffix(".")
        return _complain(f"{words}; see trimtab --help")
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED  # which typer itself returns in newer versions
    if code == INTERRUPTED:
        print(
            "trimtab: stopped; what is finished is kept, and the same command goes on there", file=sys.stderr
        )
    return code or DONE


def entry() -> None:
    """The console script."""
    sys.exit(main())


def _complain(sentence: str) -> int:
    print(f"trimtab: {sentence}", file=sys.stderr)
    return WRONG_INPUT


@app.command()
def run(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """Do what is left of STUDY, with progress, then report."""
    from trimtab.study.definition import load

    definition = load(study)  # before torch: a mistake in the file is told at once
    from trimtab import report
    from trimtab.progress import Display

    with Display() as display:
        outcome = definition.run(data=data, out=out, jobs=jobs, device=device, watcher=display)
        display.stage("writing the report")
        written = report.write(outcome.folder)
    print(f"{outcome.done_now} trials done now, {outcome.done_before} before")
    for failure in outcome.failures:
        names = " = ".join(failure.variants)
        print(f"trimtab: failed: {names}, seed {failure.seed}: {failure.reason}", file=sys.stderr)
    _print_report(written)
    return SOME_FAILED if outcome.failures else DONE


@app.command()
def plan(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """What would run: variants, identical inputs, what each cuts, ceilings, time. Trains nothing."""
    from trimtab.report.plan import plan_text
    from trimtab.study.estimate import estimate
    from trimtab.study.ledger import Ledger

    made = _planned(study, data)
    ledger = Ledger(out or Path("results") / made.study.name)
    ledger.check(made.study.name)
    times = estimate(made, ledger, jobs, device)
    print(plan_text(made, ledger, times.seconds, times.processes))
    return DONE


@app.command()
def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A ledger's folder.")]) -> int:
    """Write tables, figures and report.md from the ledger in DIR alone."""
    from trimtab import report

    _print_report(report.write(folder))
    return DONE


@app.command()
def audit(study: StudyFile, data: Data = None) -> int:
    """What each variant of STUDY cuts of each split."""
    from trimtab.report.plan import audit_text

    print(audit_text(_planned(study, data)))
    return DONE


@app.command()
def strategies() -> int:
    """The splits and selections there are, with their options; the first value is the default."""
    from trimtab.truncation import describe

    return _print_rows(describe())


@app.command()
def sizes() -> int:
    """The model sizes there are."""
    from trimtab.model.sizes import describe

    return _print_rows(describe())


@app.command()
def datasets() -> int:
    """The data sets and file formats that can be read, with their options."""
    from trimtab.data.readers import describe, option_meanings

    for row in describe():
        print(row["name"])
        for key, value in row.items():
            if key not in ("name", "options"):
                print(f"  {key}: {value}")
        for option, meaning in option_meanings(row["name"]).items():
            print(f"  option {option}: {meaning}")
    return DONE


def _planned(study: Path, data: Path | None) -> "Plan":
    from trimtab.data.dataset import prepare
    from trimtab.study.definition import load
    from trimtab.study.plan import make_plan

    definition = load(study)
    return make_plan(definition, prepare(definition.data, data))


def _print_report(written: Any) -> None:
    for line in written.summary:
        print(line)
    print(written.path)


def _print_rows(rows: Sequence[dict[str, Any]]) -> int:
    from tabulate import tabulate

    print(tabulate(rows, headers="keys", disable_numparse=True))
    return DONE


if __name__ == "__main__":
    entry()
