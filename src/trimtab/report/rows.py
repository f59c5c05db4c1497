"""Axes with a row for each variant or contrast, for figures whose categories have long names."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.report.drawing import COLUMN, text

_LEADING, _AIR = 1.2, 0.085  # of a line of a label in its font's size; inches between rows
_HEAD = 0.5  # inches for the axis below


@dataclass(frozen=True)
class Label:
    """What a row is called; a heading stands alone above the rows of its group."""

    words: str
    is_heading: bool = False


def row_axes(
    labels: Sequence[Label], width: float, panels: int = 1, axes: Axes | None = None
) -> tuple[Figure, list[Axes], list[float]]:
    """Panels side by side with a row for each label, the first one at the top, in ``axes`` where given.

    The figure, its axes, and the place of each row that is no heading on their y axes, in inches. Labels are
    wrapped, and leave more than half of the width to what is drawn.
    """
    size = plt.rcParams["ytick.labelsize"]
    letters = _letters(width)
    shown = [text(label.words, 2 * letters if label.is_heading else letters) for label in labels]
    heights = [_LEADING * size / 72 * (1 + words.count("\n")) + _AIR for words in shown]
    ends = [sum(heights[: number + 1]) for number in range(len(heights))]
    middles = [end - height / 2 for end, height in zip(ends, heights, strict=True)]
    figure, every = _panels(width, ends[-1] + _HEAD, panels, axes)
    rows = [number for number, label in enumerate(labels) if not label.is_heading]
    for number, each in enumerate(every):
        each.set_ylim(ends[-1], 0)
        names = [shown[row] if number == 0 else "" for row in rows]
        each.set_yticks([middles[row] for row in rows], names, linespacing=1.0)
        each.tick_params(axis="y", length=0)
        each.grid(visible=False, axis="y")
        each.xaxis.set_major_locator(MaxNLocator(7 if width > COLUMN else 5, steps=[1, 2, 5, 10]))
        for end in ends[:-1]:
            each.axhline(end, color="0.9", linewidth=0.5, zorder=0.6)
        for row, label in enumerate(labels):
            if label.is_heading:
                _heading(each, shown[row] if number == 0 else "", ends[row] - heights[row], ends[row])
    return figure, every, [middles[row] for row in rows]


def _letters(width: float) -> int:
    """How many letters a line of a label may have."""
    return 36 if width > COLUMN else 22


def _panels(width: float, height: float, number: int, axes: Axes | None) -> tuple[Figure, list[Axes]]:
    if axes is not None:
        figure = axes.get_figure(root=True)
        assert figure is not None
        return figure, [axes]
    figure, grid = plt.subplots(1, number, figsize=(width, height), layout="constrained", squeeze=False)
    return figure, list(grid[0])


def _heading(axes: Axes, words: str, top: float, bottom: float) -> None:
    axes.axhspan(top, bottom, facecolor="0.93", edgecolor="none", zorder=1.5)
    middle = (top + bottom) / 2
    place = axes.get_yaxis_transform()
    axes.text(0.01, middle, words, transform=place, va="center", size=plt.rcParams["ytick.labelsize"])
