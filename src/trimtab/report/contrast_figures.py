"""Figures of seeds and contrasts: computed rows as they are, nothing is computed here."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.analysis import Row, TestSet
from trimtab.report.figures import style
from trimtab.report.scale import Scale, scale_of

_BLUE, _ORANGE, _GREEN, *_ = sns.color_palette("colorblind")
# How a verdict is drawn; worse and better differ in more than colour, for who sees none.
_VERDICTS: dict[str, tuple[str, Any]] = {
    "better": ("^", _GREEN),
    "worse": ("v", _ORANGE),
    "equivalent": ("s", _BLUE),
    "inconclusive": ("o", "0.45"),
    "identical": ("D", "0.45"),
}
_SEED: dict[str, Any] = {"markersize": 5, "alpha": 0.55, "markeredgewidth": 0}
_ROW, _SMALLEST, _WIDTH = 0.27, 1.1, 8.0  # inches: of a row, of the axes, of the figure


def forest_figure(test: TestSet, settings: Row) -> Figure:
    """Each declared contrast from the top down: difference, interval, verdict; the margin is shaded.

    settings: [compare]. A contrast without an interval has an empty marker.
    """
    scale = scale_of(test)
    figure, [axes] = _rows(len(test.contrasts), 1)
    margin = scale.shown(settings["margin"])
    axes.axvspan(-margin, margin, color="0.9", zorder=0)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    for place, row in enumerate(test.contrasts):
        _point(axes, place, row, scale)
    _labels(axes, _names(test.contrasts))
    for verdict, (marker, colour) in _VERDICTS.items():
        if any(row["verdict"] == verdict for row in test.contrasts):
            fill = "white" if verdict == "identical" else colour
            axes.plot([], [], marker, color=colour, markerfacecolor=fill, label=verdict)
    axes.fill_between([], [], [], color="0.9", label=f"margin, {scale.amount(settings['margin'])} either way")
    level = f"{100 * (1 - settings['alpha']):g} %"
    unit = scale.difference_end
    axes.set_xlabel(f"difference in {scale.name} on {test.name}{unit}; {level} intervals, unadjusted")
    _legend(figure)
    return figure


def seed_figure(test: TestSet) -> Figure:
    """Each variant's seeds, their mean with its interval, and its ceiling; on the right as far from the mean.

    The left panel tells variants apart, the right one shows how far seeds spread where those are far apart.
    """
    scale = scale_of(test)
    figure, (left, right) = _rows(len(test.means), 2)
    for place, row in enumerate(test.means):
        _seeds(left, place, row, 0.0, scale)
        _seeds(right, place, row, row["mean"], scale)
        if row["ceiling"] is not None:
            left.vlines(scale.shown(row["ceiling"]), place - 0.4, place + 0.4, color=_ORANGE, linewidth=2)
    _labels(left, [row["name"] for row in test.means])
    _labels(right, [""] * len(test.means))
    right.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    left.plot([], [], "o", color=_BLUE, **_SEED, label="a seed")
    left.plot([], [], "|-", color="0.15", linewidth=1.4, markersize=9, label="mean and interval")
    if any(row["ceiling"] is not None for row in test.means):
        left.plot([], [], "|", color=_ORANGE, markersize=11, markeredgewidth=2, label="ceiling")
    left.set_xlabel(scale.axis(test.name))
    right.set_xlabel(f"from the variant's own mean{scale.difference_end}")
    _legend(figure)
    return figure


def _seeds(axes: Axes, place: int, row: Row, origin: float, scale: Scale) -> None:
    """Seeds above, mean and interval below the line of a row; ``origin`` is where 0 lies."""
    scores = [scale.shown(score - origin) for score in row["by_seed"]]
    axes.plot(scores, [place - 0.16] * len(scores), "o", color=_BLUE, **_SEED)
    if not math.isnan(row["ci_low"]):
        ends = [scale.shown(row[key] - origin) for key in ("ci_low", "ci_high")]
        axes.plot(ends, [place + 0.18] * 2, color="0.15", linewidth=1.4)
    mean = scale.shown(row["mean"] - origin)
    axes.plot(mean, place + 0.18, "|", color="0.15", markersize=8, markeredgewidth=2)


def _point(axes: Axes, place: int, row: Row, scale: Scale) -> None:
    marker, colour = _VERDICTS[row["verdict"]]
    known = not math.isnan(row["ci_low"]) and row["verdict"] != "identical"
    if known:
        ends = [scale.shown(row[key]) for key in ("ci_low", "ci_high")]
        axes.plot(ends, [place, place], color=colour, linewidth=1.6)
    fill = colour if known else "white"
    axes.plot(scale.shown(row["delta"]), place, marker, color=colour, markerfacecolor=fill, markersize=6.5)


def _names(contrasts: Sequence[Row]) -> list[str]:
    """What each row is, short where all have one baseline."""
    bases = {row["baseline"] for row in contrasts}
    if len(bases) == 1:
        return [row["name"] for row in contrasts]
    return [f"{row['name']}  against  {row['baseline']}" for row in contrasts]


def _rows(number: int, panels: int) -> tuple[Figure, list[Axes]]:
    """Panels side by side with a line for each of so many rows, the first one at the top."""
    height = max(_SMALLEST, _ROW * number) + 1.2
    with style():
        figure, grid = plt.subplots(
            1, panels, figsize=(_WIDTH + 2 * (panels - 1), height), layout="constrained", squeeze=False
        )
    for axes in grid[0]:
        axes.set_ylim(number - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10]))
    return figure, list(grid[0])


def _labels(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names, fontsize="small")
    for place in range(1, len(names)):
        axes.axhline(place - 0.5, color="0.92", linewidth=0.6, zorder=0)


def _legend(figure: Figure) -> None:
    figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
