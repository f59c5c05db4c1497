"""The figure of learning curves: loss and accuracy over epochs, each seed thin, their mean thick."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.curves import CurvePoint, OverfittedRow
from trimtab.report.drawing import INK, PAGE, Colours, colours_of, entry, legend, series_of, style, text
from trimtab.training.epoch import Epoch

_ACROSS, _MOST = 4, 12  # variants side by side, and in all
SEEDS = 20  # of a variant, that are drawn
_HEIGHT = 1.1  # inches of a panel
Value = Callable[[Epoch], float]
Measure = tuple[str, Value, Value]  # what a panel shows, of training (dashed) and of validation
_LOSS: Measure = ("loss, nats", lambda epoch: epoch.loss, lambda epoch: epoch.validation_loss)
_ACCURACY: Measure = (
    "accuracy, %",
    lambda epoch: 100 * (epoch.accuracy or 0.0),
    lambda epoch: 100 * (epoch.validation_accuracy or 0.0),
)
_TRAINING: dict[str, Any] = {"linestyle": (0, (4, 2))}
_VALIDATION: dict[str, Any] = {"linestyle": "-"}
_BEGINS: dict[str, Any] = {"color": INK, "linewidth": 1, "linestyle": (0, (1, 1.5))}


def curves_figure(
    curves: Sequence[CurvePoint],
    overfitted: Sequence[OverfittedRow] = (),
    *,
    width: float = PAGE,
    colours: Colours | None = None,
) -> Figure:
    """Loss above accuracy for each variant; a dotted line where over-fitting begins.

    Where labels are no classes there is the loss alone.

    Of more than twelve variants those that over-fit are shown, then the first ones. width: of the figure,
    inches; colours: by series, by default in the order of ``curves``.
    """
    colours = colours or colours_of(series_of(point.variant for point in curves))
    begins = {row.variant.number: row.overfitting.epoch for row in overfitted}
    by_variant: dict[int, list[CurvePoint]] = {}
    for point in curves:
        by_variant.setdefault(point.variant.number, []).append(point)
    shown = sorted(sorted(by_variant, key=lambda number: number not in begins)[:_MOST])
    has_accuracy = all(point.epoch.validation_accuracy is not None for point in curves)
    measures = (_LOSS, _ACCURACY) if has_accuracy else (("loss", *_LOSS[1:]),)
    high = len(measures)
    blocks = math.ceil(len(shown) / _ACROSS)
    across = math.ceil(len(shown) / blocks)
    with style(width):
        figure, grid = plt.subplots(
            high * blocks,
            across,
            figsize=(width * min(1, (across + 1) / _ACROSS), high * _HEIGHT * blocks + 0.2),
            layout="constrained",
            squeeze=False,
            sharex=True,
        )
        for place, number in enumerate(shown):
            block, column = divmod(place, across)
            points = by_variant[number]
            panels = grid[high * block : high * block + high, column]
            for axes, (_, training, validation) in zip(panels, measures, strict=True):
                _panel(axes, points, training, validation, colours[points[0].variant.series])
                if number in begins:
                    axes.axvline(begins[number], **_BEGINS)
            panels[0].set_title(text(points[0].variant.name, 26), loc="left", linespacing=1.0)
            panels[-1].set_xlabel("epoch")
            panels[-1].tick_params(labelbottom=True)  # also where the block below is not full
        _share_axes(grid, [name for name, _, _ in measures], len(shown), across)
        if len(shown) < len(by_variant):
            figure.suptitle(f"{len(shown)} of {len(by_variant)} variants", size="medium")
        handles = [
            entry("training, with dropout", color=INK, **_TRAINING),
            entry("validation", color=INK, **_VALIDATION),
        ]
        handles += [entry("over-fitting begins", **_BEGINS)] if begins else []
        legend(figure, grid[0, 0], handles, own=True)
    return figure


def _panel(axes: Axes, points: Sequence[CurvePoint], training: Value, validation: Value, colour: str) -> None:
    seeds: dict[int, list[Epoch]] = {}
    epochs: dict[int, list[Epoch]] = {}
    for point in points:
        seeds.setdefault(point.seed, []).append(point.epoch)
        epochs.setdefault(point.epoch.epoch, []).append(point.epoch)
    for value, look in ((training, _TRAINING), (validation, _VALIDATION)):
        for _, each in sorted(seeds.items())[:SEEDS]:
            at = [epoch.epoch for epoch in each]
            axes.plot(at, [value(epoch) for epoch in each], color=colour, linewidth=0.6, alpha=0.4, **look)
        means = [float(np.mean([value(epoch) for epoch in same])) for same in epochs.values()]
        marker = "o" if len(means) == 1 else None  # a line of one epoch cannot be seen
        filled = "full" if value is validation else "none"
        axes.plot(list(epochs), means, color=colour, linewidth=1.6, marker=marker, fillstyle=filled, **look)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _share_axes(grid: Any, names: Sequence[str], shown: int, across: int) -> None:
    """One range for all losses and one for all accuracies, with numbers at the left; no empty panels."""
    number = len(names)
    for row, panels in enumerate(grid):
        label = names[row % number]
        block = row // number
        there = list(panels[: min(across, shown - block * across)])
        for axes in panels[len(there) :]:
            axes.remove()
        there[0].set_ylabel(label)
        for axes in there[1:]:
            axes.tick_params(labelleft=False)
    for first in range(number):
        every = [axes for row in grid[first::number] for axes in row if axes.figure is not None]
        low = min(axes.get_ylim()[0] for axes in every)
        high = max(axes.get_ylim()[1] for axes in every)
        for axes in every:
            axes.set_ylim(low, high)
