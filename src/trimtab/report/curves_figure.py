"""The figure of learning curves: loss and accuracy over epochs."""

from collections.abc import Callable, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.curves import CurvePoint
from trimtab.report.drawing import colours_of, style
from trimtab.training.epoch import Epoch

# What is drawn of an epoch: the panel, the line's split, and the value.
_MEASURES: tuple[tuple[str, str, Callable[[Epoch], float]], ...] = (
    ("loss", "training", lambda epoch: epoch.loss),
    ("loss", "validation", lambda epoch: epoch.validation_loss),
    ("accuracy", "training", lambda epoch: 100 * epoch.accuracy),
    ("accuracy", "validation", lambda epoch: 100 * epoch.validation_accuracy),
)


def curves_figure(curves: Sequence[CurvePoint]) -> Figure:
    """Loss and accuracy over epochs, training (dashed, with dropout) and validation; a column per max_len."""
    with style():
        grid = sns.relplot(
            _frame(curves),
            x="epoch",
            y="value",
            hue="series",
            style="split",
            style_order=["validation", "training"],
            row="score",
            col="max_len",
            kind="line",
            markers=["o", "o"],
            dashes=["", (4, 2)],
            palette=colours_of([point.variant.series for point in curves]),
            errorbar=("pi", 100),
            height=2.4,
            aspect=1.4,
            facet_kws={"sharey": "row"},
        )
    grid.set_titles("max_len {col_name}")
    for axes, label in zip(grid.axes[:, 0], ("loss, nats", "accuracy, %"), strict=True):
        axes.set_ylabel(label)
    for axes in grid.axes.flat:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    figure: Figure = grid.figure
    return figure


def _frame(curves: Sequence[CurvePoint]) -> pd.DataFrame:
    """One row per point and measure; of variants with the same series and max_len the first."""
    points: dict[tuple[str, int, int, int], Epoch] = {}
    for point in curves:
        place = point.variant.series, point.variant.max_len, point.seed, point.epoch.epoch
        points.setdefault(place, point.epoch)
    rows = [
        (series, max_len, epoch.epoch, value(epoch), split, score)
        for score, split, value in _MEASURES
        for (series, max_len, *_), epoch in points.items()
    ]
    return pd.DataFrame(rows, columns=["series", "max_len", "epoch", "value", "split", "score"])
