"""The figure of the declared contrasts of a test set (a forest plot)."""

import math
from collections.abc import Sequence
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.drawing import label_lines, legend_outside, lined_axes
from trimtab.report.scale import Scale, scale_of
from trimtab.study.definition import Compare

_BLUE, _ORANGE, _GREEN, *_ = sns.color_palette("colorblind")
# How a verdict is drawn; worse and better differ in more than colour, for who sees none.
_VERDICTS: dict[str, tuple[str, Any]] = {
    "better": ("^", _GREEN),
    "worse": ("v", _ORANGE),
    "equivalent": ("s", _BLUE),
    "inconclusive": ("o", "0.45"),
    "identical": ("D", "0.45"),
}


def forest_figure(test: SetAnalysis, settings: Compare) -> Figure:
    """Each declared contrast from the top down: difference, interval, verdict; the margin is shaded.

    A contrast without an interval has an empty marker.
    """
    scale = scale_of(test)
    figure, [axes] = lined_axes(len(test.contrasts), 1)
    margin = scale.shown(settings.margin)
    axes.axvspan(-margin, margin, color="0.9", zorder=0)
    axes.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    for place, row in enumerate(test.contrasts):
        _point(axes, place, row, scale)
    label_lines(axes, _names(test.contrasts))
    for verdict, (marker, colour) in _VERDICTS.items():
        if any(row.contrast.verdict == verdict for row in test.contrasts):
            fill = "white" if verdict == "identical" else colour
            axes.plot([], [], marker, color=colour, markerfacecolor=fill, label=verdict)
    axes.fill_between([], [], [], color="0.9", label=f"margin, {scale.amount(settings.margin)} either way")
    level = f"{100 * (1 - settings.alpha):g} %"
    unit = scale.difference_end
    axes.set_xlabel(f"difference in {scale.name} on {test.name}{unit}; {level} intervals, unadjusted")
    legend_outside(figure)
    return figure


def _point(axes: Axes, place: int, row: ContrastRow, scale: Scale) -> None:
    contrast = row.contrast
    marker, colour = _VERDICTS[contrast.verdict]
    known = not math.isnan(contrast.ci_low) and contrast.verdict != "identical"
    if known:
        ends = [scale.shown(contrast.ci_low), scale.shown(contrast.ci_high)]
        axes.plot(ends, [place, place], color=colour, linewidth=1.6)
    fill = colour if known else "white"
    axes.plot(scale.shown(contrast.delta), place, marker, color=colour, markerfacecolor=fill, markersize=6.5)


def _names(contrasts: Sequence[ContrastRow]) -> list[str]:
    """What each line is, short where all have one baseline."""
    if len({row.baseline.number for row in contrasts}) == 1:
        return [row.variant.name for row in contrasts]
    return [f"{row.variant.name}  against  {row.baseline.name}" for row in contrasts]
