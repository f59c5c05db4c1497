"""The learning curves of a report: a table of epochs, two figures, and where a variant begins to over-fit."""

import math
from collections.abc import Callable
from typing import Any

from trimtab.analysis.analysis import Analysis, Row
from trimtab.report import figures
from trimtab.report.loss_figure import loss_figure
from trimtab.report.tables import Column, Table, percent, text_cell

ShowTable = Callable[[Table], str]
ShowFigure = Callable[[Any, str, str], str]

_WORDS = (
    "Lines are means over seeds, bands their range, thin lines a seed each. Training figures are taken while "
    "weights move, with dropout where there is any. Variants that share their trials are shown once."
)
_EACH_TRIAL = "Each trial's epochs: [tables/epochs-by-trial.csv](tables/epochs-by-trial.csv)."
_WEIGHTED = (
    " With class_weights = balanced training loss counts each class alike and validation loss each row, so "
    "that their levels cannot be compared, but their courses can."
)
_MEANING = (
    "Over-fitting is said to begin at the first epoch after the lowest mean validation loss from which on, "
    "to the end, mean training loss falls at every epoch and validation loss stands above that lowest one by "
    "more than two standard errors of the rise over seeds. It is a remark on these curves and no test."
)


def curves_section(
    analysis: Analysis, show_table: ShowTable, show_figure: ShowFigure, *, weighted: bool = False
) -> list[str]:
    """What training went through; nothing where no trial is finished. weighted: a variant's loss by class."""
    if not analysis.curves:
        return []
    show_table(trial_table(analysis.curves))
    losses = loss_figure(analysis.curves, analysis.overfits)
    return [
        "## Learning curves",
        "\n".join(f"* {line}" for line in remarks(analysis)),
        show_table(epoch_table(analysis.epochs)),
        f"{_WORDS}{_WEIGHTED if weighted else ''} {_EACH_TRIAL}",
        show_figure(losses, "losses", "Training and validation loss"),
        show_figure(figures.curves_figure(analysis.curves), "curves", "Learning curves"),
        _MEANING if analysis.overfits else "",
    ]


def remarks(analysis: Analysis) -> list[str]:
    """A line a variant that over-fits, or that none does; nothing where no variant has two epochs."""
    lines = [_remark(row) for row in analysis.overfits]
    if not lines and any(row["epoch"] > 1 for row in analysis.epochs):
        lines = [
            "No variant over-fits: of none does validation loss rise for good while training loss falls."
        ]
    return lines


def _remark(row: Row) -> str:
    error = (
        "one seed, so that it may be chance"
        if math.isnan(row["se"])
        else f"standard error {row['se']:.3f}, {row['seeds']} seeds"
    )
    return (
        f"**{row['name']}** over-fits from epoch {row['epoch']} on: validation loss is lowest after epoch "
        f"{row['best']} and ends {row['rise']:.3f} nats higher ({error}), while training loss falls from "
        f"{row['training_best']:.3f} to {row['training_last']:.3f}."
    )


def epoch_table(rows: list[Row]) -> Table:
    """Each variant's epochs: means over seeds, the range in brackets."""
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("epoch", "epoch", text_cell("epoch")),
        _measure("training loss", "loss", _nats),
        _measure("validation loss", "validation_loss", _nats),
        _measure("validation accuracy %", "validation_accuracy", percent),
        _measure("training s", "seconds", _seconds),
        _measure("validation s", "validation_seconds", _seconds),
        Column("evaluated on the test sets", "seeds evaluated", _evaluated),
    ]
    return Table("epochs", columns, rows)


def trial_table(curves: list[Row]) -> Table:
    """Every epoch of every trial."""
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("seed", "seed", text_cell("seed")),
        Column("epoch", "epoch", text_cell("epoch")),
        Column("training loss", "loss", _one("loss", _nats)),
        Column("training accuracy %", "accuracy", _one("accuracy", percent)),
        Column("validation loss", "validation_loss", _one("validation_loss", _nats)),
        Column("validation accuracy %", "validation_accuracy", _one("validation_accuracy", percent)),
        Column("training s", "seconds", _one("seconds", _seconds)),
        Column("validation s", "validation_seconds", _one("validation_seconds", _seconds)),
        Column("evaluated", "evaluated", lambda row: "yes" if row["evaluated"] else ""),
    ]
    return Table("epochs-by-trial", columns, curves)


def _measure(head: str, key: str, show: Callable[[float], str]) -> Column:
    def cell(row: Row) -> str:
        mean, low, high = row[key], row[f"{key}_low"], row[f"{key}_high"]
        if mean is None:
            return ""
        return show(mean) if len(row["seeds"]) == 1 else f"{show(mean)} ({show(low)} to {show(high)})"

    return Column(head, f"{key} {key}_low {key}_high", cell)


def _one(key: str, show: Callable[[float], str]) -> Callable[[Row], str]:
    return lambda row: "" if row.get(key) is None else show(row[key])


def _evaluated(row: Row) -> str:
    return f"{len(row['evaluated'])} of {len(row['seeds'])} seeds" if row["evaluated"] else ""


def _nats(value: float) -> str:
    return f"{value:.4f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 else f"{value:.2g}"
