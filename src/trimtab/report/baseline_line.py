"""The line of the label-prior baseline in figures of a score."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trimtab.report.drawing import FAINT, entry
from trimtab.report.scale import Scale

_LOOK: dict[str, Any] = {"color": FAINT, "linestyle": (0, (1, 1.5)), "linewidth": 1.2}


def prior_baseline_line(axes: Axes, prior: float | None, scale: Scale, direction: str) -> list[Line2D]:
    """Draw what a model scores that ignores the text, and return the legend's entry; none where unknown.

    direction: of the line, "horizontal" or "vertical". Where the axis would have to grow to more than twice
    its range there is no line, and the entry says so: what is drawn would be too small to be read.
    """
    if prior is None:
        return []
    value, words = scale.shown(prior), f"label-prior baseline, {scale.level_with_unit(prior)}"
    low, high = axes.get_ylim() if direction == "horizontal" else axes.get_xlim()
    reach = 1.06 * (high - value) if value < low else 1.06 * (value - low)
    if reach > 2 * (high - low):
        return [entry(f"{words} ({'below' if value < low else 'above'} this axis)", color=FAINT)]
    if not low < value < high:
        room = 0.05 * reach  # as points near the other end need more of it now
        low, high = (high - reach, high + room) if value < low else (low - room, low + reach)
    if direction == "horizontal":
        axes.set_ylim(low, high)
        axes.axhline(value, zorder=1.2, **_LOOK)
    else:
        axes.set_xlim(low, high)
        axes.axvline(value, zorder=1.2, **_LOOK)
    return [entry(words, **_LOOK)]
