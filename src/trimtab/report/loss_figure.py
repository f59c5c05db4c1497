"""The figure of both losses: one panel per variant, each seed thin, their mean thick."""

import textwrap
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.curves import CurvePoint, OverfittedRow
from trimtab.report.drawing import style
from trimtab.training.epoch import Epoch

_ACROSS = 3  # panels side by side
_WIDTH, _HEIGHT = 3.6, 2.7  # inches of a panel
_LOSSES: tuple[tuple[Callable[[Epoch], float], str, tuple[int, ...]], ...] = (
    (lambda epoch: epoch.loss, "training, with dropout", (4, 2)),
    (lambda epoch: epoch.validation_loss, "validation", ()),
)


def loss_figure(curves: Sequence[CurvePoint], overfitted: Sequence[OverfittedRow]) -> Figure:
    """Training loss (dashed) and validation loss over epochs; a dotted line where over-fitting begins."""
    begins = {row.variant.number: row.overfitting.epoch for row in overfitted}
    by_variant: dict[int, list[CurvePoint]] = {}
    for point in curves:
        by_variant.setdefault(point.variant.number, []).append(point)
    across = min(_ACROSS, len(by_variant))
    down = -(-len(by_variant) // across)
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
    for axes, (number, points) in zip(grid.flat, by_variant.items(), strict=False):
        _panel(axes, points, begins.get(number))
    for axes in grid.flat[len(by_variant) :]:
        axes.remove()
    for axes in grid[:, 0]:
        axes.set_ylabel("loss, nats")
    for axes in grid.flat[max(0, len(by_variant) - across) : len(by_variant)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)  # also where the row below is not full
    _legend(figure, grid[0, 0], bool(begins))
    return figure


def _panel(axes: Axes, points: Sequence[CurvePoint], begins: int | None) -> None:
    seeds: dict[int, list[Epoch]] = {}
    epochs: dict[int, list[Epoch]] = {}
    for point in points:
        seeds.setdefault(point.seed, []).append(point.epoch)
        epochs.setdefault(point.epoch.epoch, []).append(point.epoch)
    colours = sns.color_palette("colorblind", len(_LOSSES))
    for (loss, label, dashes), colour in zip(_LOSSES, colours, strict=True):
        for _, each in sorted(seeds.items()):
            axes.plot(
                [epoch.epoch for epoch in each],
                [loss(epoch) for epoch in each],
                color=colour,
                linewidth=0.7,
                alpha=0.4,
                dashes=dashes,
            )
        means = [float(np.mean([loss(epoch) for epoch in same])) for same in epochs.values()]
        marker = "o" if len(means) == 1 else None  # a line of one epoch cannot be seen
        axes.plot(list(epochs), means, color=colour, linewidth=2, dashes=dashes, marker=marker, label=label)
    if begins is not None:
        axes.axvline(begins, color="0.2", linewidth=1, linestyle=(0, (1, 1.5)))
    axes.set_title(textwrap.fill(points[0].variant.name, 42), fontsize="small", loc="left")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _legend(figure: Figure, axes: Axes, with_begin: bool) -> None:
    handles, _ = axes.get_legend_handles_labels()
    if with_begin:
        [begin] = axes.plot(
            [], [], color="0.2", linewidth=1, linestyle=(0, (1, 1.5)), label="over-fitting begins"
        )
        handles.append(begin)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize="small")
