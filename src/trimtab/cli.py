"""The command line. Each command imports what it needs when it runs, so that help and errors come at once."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from trimtab.config import InputError

if TYPE_CHECKING:
    from trimtab.study.audit import Audited
    from trimtab.study.plan import Plan

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

# What a FILE is audited with where nothing else is asked for.
_TRUNCATIONS, _LENGTHS = ("longest_first",), (32, 64, 128, 256)
_READING, _CUTTING = "reading and tokenising the data", "cutting the inputs of every variant"

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
AuditOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write the tables and the figure there.")
]
First = Annotated[str | None, typer.Option("--first", metavar="COLUMN", help="FILE: the first text.")]
Second = Annotated[
    str | None, typer.Option("--second", metavar="COLUMN", help="FILE: the second text, if there is one.")
]
Label = Annotated[
    str | None, typer.Option("--label", metavar="COLUMN", help="FILE: the label, to count each apart.")
]
TokenizerName = Annotated[
    str | None,
    typer.Option(
        "--tokenizer", metavar="NAME|FILE", help="FILE: whitespace, words, vocab.txt, tokenizer.json [words]."
    ),
]
Truncations = Annotated[
    list[str] | None,
    typer.Option("--truncation", metavar="SPEC", help="FILE: a way to cut, any number [longest_first]."),
]
Lengths = Annotated[
    list[int] | None,
    typer.Option("--max-len", metavar="N", max=2**30, help="FILE: a length, any number [32, 64, 128, 256]."),
]
RowNumber = Annotated[int, typer.Option("--row", min=0, metavar="N", help="Which row, counted from 0.")]
SplitName = Annotated[
    str | None,
    typer.Option("--split", metavar="NAME", help="train, validation or a test set [the first test set]."),
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
    if outcome.crossed_now:
        print(f"{outcome.crossed_now} models evaluated on the inputs of other variants")
    for failure in outcome.failures:
        names = " = ".join(failure.variants)
        print(f"trimtab: failed: {names}, seed {failure.seed}: {failure.reason}", file=sys.stderr)
    _print_report(written)
    return SOME_FAILED if outcome.failures else DONE


@app.command()
def plan(
    study: StudyFile, data: Data = None, out: Out = None, jobs: Jobs = None, device: Device = "auto"
) -> int:
    """What would run: variants, what each cuts, the smallest effect it could see, time. Trains nothing."""
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
def audit(
    what: Annotated[Path, typer.Argument(metavar="STUDY|FILE", help="A study (.toml), or a table of texts.")],
    data: Data = None,
    out: AuditOut = None,
    first: First = None,
    second: Second = None,
    label: Label = None,
    tokenizer: TokenizerName = None,
    truncation: Truncations = None,
    max_len: Lengths = None,
) -> int:
    """What each variant of STUDY cuts of each split, or what some ways to cut do to the texts of FILE."""
    columns = {"first": first, "second": second, "label": label, "tokenizer": tokenizer}
    if what.suffix.lower() == ".toml":
        _only_for_files(what, columns | {"truncation": truncation, "max-len": max_len})
        about, audited = _audit_of_study(what, data, out)
    else:
        about, audited = _audit_of_file(what, data, out, columns, truncation, max_len)
    from trimtab.report import audit as document

    print(document.audit_text(about, audited))
    written = [] if out is None else document.write(out, audited)
    print()
    print("\n".join(map(str, written)) or "The figure, and the tables as files: --out DIR")
    return DONE


@app.command()
def show(study: StudyFile, row: RowNumber = 0, split: SplitName = None, data: Data = None) -> int:
    """One row of the data as each variant of STUDY sees it, what is cut being marked."""
    from trimtab.study.definition import load

    definition = load(study)
    from trimtab.report.show import print_shown
    from trimtab.study.show import show_row

    with _stages() as stage:
        stage("reading the data")
        shown = show_row(definition, row, split, data)
    print_shown(shown)
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
    with _stages() as stage:
        stage(_READING)
        dataset = prepare(definition.data, data)
        stage(_CUTTING)
        return make_plan(definition, dataset)


def _audit_of_study(study: Path, data: Path | None, out: Path | None) -> "tuple[list[str], Audited]":
    from trimtab.study.definition import load

    definition = load(study)
    from trimtab.data.dataset import prepare
    from trimtab.report.audit import claim, counts_words
    from trimtab.study.audit import audit_study

    if out is not None:
        claim(out)
    with _stages() as stage:
        stage(_READING)
        dataset = prepare(definition.data, data)
        stage(_CUTTING)
        audited = audit_study(definition, dataset)
    words = [counts_words(counts) for counts in dataset.counts]
    return [*words, f"vocabulary: {dataset.vocabulary:,} tokens"], audited


def _audit_of_file(
    file: Path,
    data: Path | None,
    out: Path | None,
    columns: dict[str, str | None],
    truncation: Sequence[str] | None,
    max_len: Sequence[int] | None,
) -> "tuple[list[str], Audited]":
    from trimtab.truncation import parse

    truncations = [parse(spec) for spec in truncation or _TRUNCATIONS]
    from trimtab.data.dataset import prepare_texts
    from trimtab.report.audit import claim
    from trimtab.study.audit import audit_texts

    if out is not None:
        claim(out)
    tokenizer = columns.pop("tokenizer") or "words"
    with _stages() as stage:
        stage(_READING)
        texts = prepare_texts(str(file), data, **columns, tokenizer=tokenizer)
        stage(_CUTTING)
        audited = audit_texts(texts, truncations, max_len or _LENGTHS)
    return [f"{texts.counts.source}: {texts.counts.rows:,} rows", f"tokens by {tokenizer}"], audited


def _only_for_files(study: Path, given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value:
            raise InputError(
                f"--{name}: is for a table of texts, but a study such as {study} names its own; leave it out"
            )


@contextmanager
def _stages() -> Iterator[Callable[[str], None]]:
    """Says on a terminal what is being done, for as long as it takes; off a terminal, nothing."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("") as status:
        yield status.update


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
