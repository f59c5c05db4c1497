"""What all figures share: their style, colours, legends, and how they are saved."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a report is written where there may be no screen

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Colour = tuple[float, float, float]

MARKERS = "osD^vPX*<>hdp"
_LINES = 6  # of a legend, for which there is room
_LINE, _SMALLEST, _WIDTH = 0.27, 1.1, 8.0  # inches: of a line of lined_axes, of its axes, of the figure


def style() -> AbstractContextManager[Any]:
    """How the axes of every figure look."""
    return plt.rc_context(sns.axes_style("whitegrid"))


def single_axes() -> tuple[Figure, Axes]:
    """A figure with one pair of axes."""
    with style():
        return plt.subplots(figsize=(7, 4.2), layout="constrained")


def colours_of(names: Sequence[str]) -> dict[str, Colour]:
    """A colour for each different name, in their order."""
    distinct = list(dict.fromkeys(names))
    return dict(zip(distinct, sns.color_palette("colorblind", len(distinct)), strict=True))


def legend_below(axes: Axes, below: float = -0.14, ncols: int = 2) -> None:
    """A legend below the axes, where it covers no point; the figure grows with it."""
    legend = axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, below), ncols=ncols)
    lines = math.ceil(len(legend.get_texts()) / ncols)
    figure = axes.get_figure(root=True)
    if figure is not None and lines > _LINES:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + 0.2 * (lines - _LINES))


def lined_axes(number: int, panels: int) -> tuple[Figure, list[Axes]]:
    """Panels side by side with a line for each of so many rows, the first one at the top."""
    height = max(_SMALLEST, _LINE * number) + 1.2
    with style():
        figure, grid = plt.subplots(
            1, panels, figsize=(_WIDTH + 2 * (panels - 1), height), layout="constrained", squeeze=False
        )
    for axes in grid[0]:
        axes.set_ylim(number - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    return figure, list(grid[0])


def label_lines(axes: Axes, names: Sequence[str]) -> None:
    """Name the lines of ``lined_axes`` from the top down, and rule between them."""
    axes.set_yticks(range(len(names)), names, fontsize="small")
    for place in range(1, len(names)):
        axes.axhline(place - 0.5, color="0.92", linewidth=0.6, zorder=0)


def legend_outside(figure: Figure) -> None:
    """A legend of all panels below the figure."""
    figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.svg and NAME.png, the same bytes for the same figure."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", bbox_inches="tight", dpi=144)
    plt.close(figure)
