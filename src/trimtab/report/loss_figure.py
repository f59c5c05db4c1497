"""The figure of both losses: a panel a variant, each seed thin, their mean thick."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.analysis import Row
from trimtab.report.figures import style

_ACROSS = 3  # panels side by side
_WIDTH, _HEIGHT = 3.6, 2.7  # inches of a panel
_LINES = (("loss", "training, with dropout", (4, 2)), ("validation_loss", "validation", ()))


def loss_figure(curves: Sequence[Row], overfits: Sequence[Row]) -> Figure:
    """Training loss (dashed) and validation loss over epochs; a dotted line where over-fitting begins.

    curves: a row a variant, seed and epoch; overfits: a row a variant that over-fits.
    """
    frame = pd.DataFrame(curves)
    begins = {row["variant"]: row["epoch"] for row in overfits}
    variants = list(dict.fromkeys(frame["variant"]))
    across = min(_ACROSS, len(variants))
    down = -(-len(variants) // across)
    with style():
        figure, grid = plt.subplots(
            down,
            across,
            figsize=(max(5.0, _WIDTH * across), _HEIGHT * down + 0.5),
            layout="constrained",
            squeeze=False,
            sharex=True,
            sharey=True,
        )
    for axes, variant in zip(grid.flat, variants, strict=False):
        _panel(axes, frame[frame["variant"] == variant], begins.get(variant))
    for axes in grid.flat[len(variants) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("loss, nats")
    for axes in grid.flat[max(0, len(variants) - across) : len(variants)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)  # also where the row below is not full
    _legend(figure, grid[0, 0], bool(begins))
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, begins: int | None) -> None:
    colours = sns.color_palette("colorblind", len(_LINES))
    for (key, label, dashes), colour in zip(_LINES, colours, strict=True):
        for _, seed in rows.groupby("seed"):
            axes.plot(seed["epoch"], seed[key], color=colour, linewidth=0.7, alpha=0.4, dashes=dashes)
        mean = rows.groupby("epoch")[key].mean()
        marker = "o" if len(mean) == 1 else None  # a line of one epoch cannot be seen
        axes.plot(mean.index, mean, color=colour, linewidth=2, dashes=dashes, marker=marker, label=label)
    if begins is not None:
        axes.axvline(begins, color="0.2", linewidth=1, linestyle=(0, (1, 1.5)))
    axes.set_title(textwrap.fill(rows["name"].iloc[0], 42), fontsize="small", loc="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _legend(figure: Figure, axes: Axes, with_begin: bool) -> None:
    handles, _ = axes.get_legend_handles_labels()
    if with_begin:
        [begin] = axes.plot(
            [], [], color="0.2", linewidth=1, linestyle=(0, (1, 1.5)), label="over-fitting begins"
        )
        handles.append(begin)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small")
