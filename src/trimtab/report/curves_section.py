"""What a report says of training: a table of epochs, a figure, and where a variant begins to over-fit."""

import math
from collections.abc import Callable, Sequence

from trimtab.analysis.analysis import Analysis
from trimtab.analysis.curves import CurvePoint, EpochRow, OverfittedRow, Spread
from trimtab.ledger.records import StudyRecord
from trimtab.report.blocks import Block, Section, bullets
from trimtab.report.curves_figure import SEEDS, curves_figure
from trimtab.report.drawing import colours_of, series_of
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output
from trimtab.report.tables import Column, Table, percent, text_column

_WORDS = (
    "Thick lines are means over seeds, thin lines {seeds}. Training loss and accuracy are "
    "measured while the weights change, with dropout where there is any. Variants that share their trials "
    "are shown once."
)
_EACH_TRIAL = "Each trial's epochs: [tables/epochs-by-trial.csv](tables/epochs-by-trial.csv)."
_WEIGHTED = (
    " With class_weights = balanced, training loss weighs all classes alike and validation loss all rows, so "
    "their levels cannot be compared, but their trends can."
)
_MEANING = (
    "Over-fitting is said to begin at the first epoch after the lowest mean validation loss from which on, "
    "to the end, mean training loss falls at every epoch and validation loss stands above that lowest one by "
    "more than two standard errors of the rise over seeds. This describes the curves and is not a test."
)


def curves_section(analysis: Analysis, study: StudyRecord, output: Output) -> Section:
    """What training went through; without blocks where no trial is finished."""
    title = "Learning curves"
    if not analysis.curves:
        return Section("curves", title, [bullets(_unknown(analysis))] if analysis.unknown_curves else [])
    output.table(trial_table(analysis.curves))
    weighted = any(one.recipe.class_weights == "balanced" for one in study.variants)
    colours = colours_of(series_of(study.variants))
    figure = curves_figure(analysis.curves, analysis.overfitted, colours=colours)
    blocks: list[Block] = [
        bullets(_remarks(analysis)),
        output.table(epoch_table(analysis.epochs)),
        f"{_WORDS.format(seeds=_seeds(study))}{_WEIGHTED if weighted else ''} {_EACH_TRIAL}",
        output.figure(figure, "curves", "Loss and accuracy over epochs"),
        _MEANING if analysis.overfitted else "",
    ]
    return Section("curves", title, blocks, folded=True)


def _seeds(study: StudyRecord) -> str:
    """Which seeds the figure shows."""
    several = len(study.seeds)
    return "single seeds" if several <= SEEDS else f"the first {SEEDS} of {several:,} seeds"


def _remarks(analysis: Analysis) -> list[str]:
    """One line per variant that over-fits, or that none does; nothing where no variant has two epochs."""
    lines = [_remark(row) for row in analysis.overfitted]
    if not lines and any(row.epoch > 1 for row in analysis.epochs):
        lines = ["No variant over-fits: validation loss never rises to the end while training loss falls."]
    return lines + _unknown(analysis)


def _unknown(analysis: Analysis) -> list[str]:
    """One line per trial whose records of epochs are damaged."""
    return [
        f"{as_markdown(one.variant.name)}, seed {one.seed}: its records of epochs are damaged, so it is left "
        "out of the curves; its predictions are whole, and `trimtab doctor` says more."
        for one in analysis.unknown_curves
    ]


def _remark(row: OverfittedRow) -> str:
    found = row.overfitting
    error = (
        "one seed, so it may be chance"
        if math.isnan(found.se)
        else f"standard error {found.se:.3f}, {found.seeds} seeds"
    )
    return (
        f"**{as_markdown(row.variant.name)}** over-fits from epoch {found.epoch} on: validation loss is "
        f"lowest after epoch {found.best} and ends {found.rise:.3f} nats higher ({error}), while training "
        f"loss falls from {found.training_best:.3f} to {found.training_last:.3f}."
    )


def epoch_table(rows: Sequence[EpochRow]) -> Table[EpochRow]:
    """Each variant's epochs: means over seeds, the range in brackets."""
    columns: list[Column[EpochRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("epoch", "epoch", lambda row: row.epoch),
        _spread("training loss", "loss", lambda row: row.loss, _nats),
        _spread("validation loss", "validation_loss", lambda row: row.validation_loss, _nats),
        *_accuracy_columns(rows),
        _spread("training s", "seconds", lambda row: row.seconds, _seconds),
        _spread("validation s", "validation_seconds", lambda row: row.validation_seconds, _seconds),
        Column(
            "evaluated on the test sets",
            _evaluated,
            {"seeds": lambda row: row.seeds, "evaluated": lambda row: row.evaluated},
        ),
    ]
    return Table("epochs", columns, rows)


def _accuracy_columns(rows: Sequence[EpochRow]) -> list[Column[EpochRow]]:
    """None where labels are no classes."""
    known = [row.validation_accuracy for row in rows if row.validation_accuracy is not None]
    if len(known) < len(rows):
        return []

    def accuracy(row: EpochRow) -> Spread:
        assert row.validation_accuracy is not None
        return row.validation_accuracy

    return [_spread("validation accuracy %", "validation_accuracy", accuracy, percent)]


def trial_table(curves: Sequence[CurvePoint]) -> Table[CurvePoint]:
    """Every epoch of every trial."""
    known = all(row.epoch.validation_accuracy is not None for row in curves)  # as of classes alone
    training = _one("training accuracy %", "accuracy", lambda row: row.epoch.accuracy, percent)
    validation = _one(
        "validation accuracy %", "validation_accuracy", lambda row: row.epoch.validation_accuracy, percent
    )
    columns: list[Column[CurvePoint]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("seed", "seed", lambda row: row.seed),
        text_column("epoch", "epoch", lambda row: row.epoch.epoch),
        _one("training loss", "loss", lambda row: row.epoch.loss, _nats),
        *([training] if known else []),
        _one("validation loss", "validation_loss", lambda row: row.epoch.validation_loss, _nats),
        *([validation] if known else []),
        _one("training s", "seconds", lambda row: row.epoch.seconds, _seconds),
        _one("validation s", "validation_seconds", lambda row: row.epoch.validation_seconds, _seconds),
        Column(
            "evaluated", lambda row: "yes" if row.evaluated else "", {"evaluated": lambda row: row.evaluated}
        ),
    ]
    return Table("epochs-by-trial", columns, curves)


def _spread(
    head: str, name: str, value: Callable[[EpochRow], Spread], show: Callable[[float], str]
) -> Column[EpochRow]:
    def cell(row: EpochRow) -> str:
        spread = value(row)
        if len(row.seeds) == 1:
            return show(spread.mean)
        return f"{show(spread.mean)} ({show(spread.low)} to {show(spread.high)})"

    raw = {
        name: lambda row: value(row).mean,
        f"{name}_low": lambda row: value(row).low,
        f"{name}_high": lambda row: value(row).high,
    }
    return Column(head, cell, raw)


def _one(
    head: str, name: str, value: Callable[[CurvePoint], float | None], show: Callable[[float], str]
) -> Column[CurvePoint]:
    def cell(row: CurvePoint) -> str:
        found = value(row)
        return "" if found is None else show(found)

    return Column(head, cell, {name: value})


def _evaluated(row: EpochRow) -> str:
    return f"{len(row.evaluated)} of {len(row.seeds)} seeds" if row.evaluated else ""


def _nats(value: float) -> str:
    return f"{value:.4f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
