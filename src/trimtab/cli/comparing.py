"""The command that compares predictions made by anything: compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trimtab.cli.options import DONE, stages, warn
from trimtab.config import InputError
from trimtab.report.terminal import say

if TYPE_CHECKING:
    from trimtab.analysis.analysis import Analysis

WORSE = 3  # exit code of --fail-if worse
_FEW = 30  # examples under which means of scores are far from normal

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Tables of predictions (CSV, JSON lines, Parquet), samples of lm-evaluation-harness, logs of "
        "Inspect, or folders of transformers' Trainer; VARIANT=FILE or VARIANT@SEED=FILE names one.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option("--baseline", metavar="VARIANT", help="Compare with this.", show_default="the first"),
]
Margin = Annotated[
    str | None,
    typer.Option(
        "--margin",
        metavar="X",
        help="The largest difference that does not matter, in the score's units or as '0.5 points'.",
        show_default="0.005 for accuracy and scores from 0 to 1",
    ),
]
Alpha = Annotated[float, typer.Option("--alpha", metavar="A", help="Level of tests and intervals.")]
ScoreName = Annotated[
    str | None,
    typer.Option(
        "--score",
        metavar="NAME",
        help="Such as matthews, macro_f1 or log_loss; of a log with several metrics, which one.",
        show_default="accuracy, or the only score",
    ),
]
Paired = Annotated[
    bool,
    typer.Option(
        "--paired/--unpaired", help="Whether a seed means the same start and order of rows in all variants."
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="FILE", help="Table of example and label, for predictions without labels."
    ),
]
ReportOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Also write the report to this folder.")
]
FailIf = Annotated[
    Literal["worse"] | None,
    typer.Option("--fail-if", help="worse: exit code 3 where a variant is shown to be worse."),
]


def compare(
    files: Files,
    baseline: Baseline = None,
    margin: Margin = None,
    alpha: Alpha = 0.05,
    score: ScoreName = None,
    paired: Paired = True,
    labels: Labels = None,
    out: ReportOut = None,
    fail_if: FailIf = None,
) -> int:
    """Compare predictions made by anything, with verdicts.

    Tables have the columns variant, seed, example and either score (more is better), or label with prediction
    or probability; cluster and test are optional. Prints the contrasts; with --out, also writes a report. To
    compare two folders of trimtab's own results, use: trimtab report DIR --compare DIR2.
    """
    from trimtab.predictions.reading import read_predictions

    with stages() as stage:
        stage("reading the predictions")
        predictions = read_predictions(files, score=score, labels=labels)
        from trimtab.analysis.of_predictions import analyse_predictions
        from trimtab.predictions.study import predicted_study

        study = predicted_study(
            predictions,
            _title(files, out),
            baseline=baseline,
            score=score,
            margin=margin,
            alpha=alpha,
            paired=paired,
        )
        stage("comparing")
        analysis = analyse_predictions(predictions, study)
    _check(analysis, fail_if)
    from trimtab.report.predicted import text

    path = None
    if out is not None:  # first, as a terminal may be closed or full
        from trimtab.report.predicted import write  # takes seconds, for its figures

        with stages() as stage:
            stage("writing the report")
            path = write(out, analysis)
    say(text(analysis))
    if path is not None:
        say()
        say(str(path))
    worse = [row for test in analysis.tests for row in test.contrasts if row.contrast.verdict == "worse"]
    if not (fail_if and worse):
        return DONE
    from trimtab.report.escaping import plain

    names = ", ".join(dict.fromkeys(plain(row.variant.name) for row in worse))
    warn(f"--fail-if worse: shown to be worse: {names}; the exit code is {WORSE}")
    return WORSE


def _title(files: list[str], out: Path | None) -> str:
    """What the report is called: the folder's name, else the only file's."""
    if out is not None:
        return out.resolve().name
    return Path(files[0]).stem if len(files) == 1 else "predictions"


def _check(analysis: "Analysis", fail_if: str | None) -> None:
    """Warnings; InputError where no contrast can be drawn at all."""
    if not any(test.contrasts for test in analysis.tests):
        raise InputError(
            "no variant shares a seed with the baseline, so nothing can be paired; number their seeds alike, "
            "or give --unpaired"
        )
    for test in analysis.tests:
        if test.effective_clusters < _FEW:
            warn(
                f"{test.name}: {test.effective_clusters:.0f} independent examples are few for intervals that "
                "take means to be normal"
            )
    one_seed = len(analysis.study.seeds) == 1
    if fail_if and one_seed:
        warn(f"--fail-if {fail_if}: with one seed no verdict is given, so this cannot fail; give several")
