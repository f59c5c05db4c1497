"""The figure of each seed's score, variant by variant."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
from trimtab.report.drawing import INK, PAGE, Colours, colours_of, entry, legend, style, text
from trimtab.report.relevance import relevant_means
from trimtab.report.rows import Label, row_axes
from trimtab.report.scale import Scale, scale_of

_SEED: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 4, "alpha": 0.6, "markeredgewidth": 0}
_INTERVAL: dict[str, Any] = {"color": INK, "linewidth": 1.1}
_ASIDE = 0.035  # inches: seeds above the line of a row, its mean below


def seed_figure(test: SetAnalysis, *, width: float = PAGE, colours: Colours | None = None) -> Figure:
    """Each variant's seeds, their mean with its interval, and its ceiling; on the right as far from the mean.

    The left panel tells variants apart, the right one shows how far seeds spread where those are far apart.
    width: of the figure, inches; colours: by series, by default in the order of ``test``.
    """
    scale, colours = scale_of(test), colours or colours_of(test.series)
    rows, note = relevant_means(test)
    with style(width):
        figure, [left, right], places = row_axes([Label(row.variant.name) for row in rows], width, panels=2)
        for place, row in zip(places, rows, strict=True):
            colour = colours[row.variant.series]
            _seeds(left, place, row, 0.0, scale, colour)
            _seeds(right, place, row, row.estimate.mean, scale, colour)
            if row.ceiling is not None:
                ends = place - 2.4 * _ASIDE, place + 2.4 * _ASIDE
                left.vlines(scale.shown(row.ceiling), *ends, color=colour, linewidth=2)
        right.axvline(0, color=INK, linewidth=0.8, zorder=1)
        left.set_xlabel(text(scale.axis(test.name), 40))
        right.set_xlabel(text(f"from the variant's own mean{scale.difference_end}", 40))
        if note:
            left.set_title(text(note, 90), loc="left")
        level = f"{100 * (1 - test.alpha):g} %"
        handles = [
            entry("a seed", color=INK, **_SEED),
            entry(f"mean and {level} interval", marker="|", markersize=7, linestyle="-", **_INTERVAL),
        ]
        if any(row.ceiling is not None for row in rows):
            handles.append(entry("ceiling", marker="|", markersize=9, markeredgewidth=2, color=INK))
        legend(figure, left, handles, own=True)
    return figure


def _seeds(axes: Axes, place: float, row: MeanRow, origin: float, scale: Scale, colour: str) -> None:
    """Seeds above, mean and interval below the line of a row; ``origin`` is where 0 lies."""
    scores = [scale.shown(score - origin) for score in row.by_seed]
    axes.plot(scores, [place - _ASIDE] * len(scores), color=colour, **_SEED)
    estimate, below = row.estimate, place + _ASIDE
    if not math.isnan(estimate.ci_low):
        ends = [scale.shown(estimate.ci_low - origin), scale.shown(estimate.ci_high - origin)]
        axes.plot(ends, [below] * 2, **_INTERVAL)
    mean = scale.shown(estimate.mean - origin)
    axes.plot(mean, below, "|", color=INK, markersize=6, markeredgewidth=1.6)
