"""The figure of each seed's score, variant by variant."""

import math
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
from trimtab.report.drawing import label_lines, legend_outside, lined_axes
from trimtab.report.scale import Scale, scale_of

_BLUE, _ORANGE, *_ = sns.color_palette("colorblind")
_SEED: dict[str, Any] = {"markersize": 5, "alpha": 0.55, "markeredgewidth": 0}


def seed_figure(test: SetAnalysis) -> Figure:
    """Each variant's seeds, their mean with its interval, and its ceiling; on the right as far from the mean.

    The left panel tells variants apart, the right one shows how far seeds spread where those are far apart.
    """
    scale = scale_of(test)
    figure, (left, right) = lined_axes(len(test.means), 2)
    for place, row in enumerate(test.means):
        _seeds(left, place, row, 0.0, scale)
        _seeds(right, place, row, row.estimate.mean, scale)
        if row.ceiling is not None:
            left.vlines(scale.shown(row.ceiling), place - 0.4, place + 0.4, color=_ORANGE, linewidth=2)
    label_lines(left, [row.variant.name for row in test.means])
    label_lines(right, [""] * len(test.means))
    right.axvline(0, color="0.3", linewidth=0.8, zorder=1)
    left.plot([], [], "o", color=_BLUE, **_SEED, label="a seed")
    left.plot([], [], "|-", color="0.15", linewidth=1.4, markersize=9, label="mean and interval")
    if any(row.ceiling is not None for row in test.means):
        left.plot([], [], "|", color=_ORANGE, markersize=11, markeredgewidth=2, label="ceiling")
    left.set_xlabel(scale.axis(test.name))
    right.set_xlabel(f"from the variant's own mean{scale.difference_end}")
    legend_outside(figure)
    return figure


def _seeds(axes: Axes, place: int, row: MeanRow, origin: float, scale: Scale) -> None:
    """Seeds above, mean and interval below the line of a row; ``origin`` is where 0 lies."""
    scores = [scale.shown(score - origin) for score in row.by_seed]
    axes.plot(scores, [place - 0.16] * len(scores), "o", color=_BLUE, **_SEED)
    estimate = row.estimate
    if not math.isnan(estimate.ci_low):
        ends = [scale.shown(estimate.ci_low - origin), scale.shown(estimate.ci_high - origin)]
        axes.plot(ends, [place + 0.18] * 2, color="0.15", linewidth=1.4)
    mean = scale.shown(estimate.mean - origin)
    axes.plot(mean, place + 0.18, "|", color="0.15", markersize=8, markeredgewidth=2)
