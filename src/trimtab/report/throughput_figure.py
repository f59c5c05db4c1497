"""The figure of a score against what it costs."""

import math
from collections.abc import Sequence
from typing import Literal

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
from trimtab.analysis.throughput import ThroughputRow
from trimtab.report.baseline_line import prior_baseline_line
from trimtab.report.drawing import (
    COLUMN,
    INK,
    PAGE,
    Colours,
    colours_of,
    entry,
    legend,
    markers_of,
    recommended_ring,
    ring,
    series_of,
    single_axes,
    style,
    text,
)
from trimtab.report.lengths import tokens_of
from trimtab.report.relevance import recommended, relevant_means
from trimtab.report.scale import scale_of

Cost = Literal["throughput", "tokens", "seconds"]
_COSTS: dict[Cost, str] = {
    "throughput": "training throughput, examples/s",
    "tokens": "tokens of a row of {test}, mean",
    "seconds": "training, seconds per trial",
}
_APART = 12  # variants, by colour and marker, that can be told apart
_OTHERS = "0.78"


def throughput_figure(
    test: SetAnalysis,
    speeds: Sequence[ThroughputRow],
    *,
    against: Cost = "throughput",
    width: float = PAGE,
    colours: Colours | None = None,
    axes: Axes | None = None,
) -> Figure:
    """The score against training throughput, tokens per row or seconds: what a point of it costs.

    Variants that share their trials are shown once; with more series than can be told apart the others are
    grey points. The recommended variant is ringed. width: of the figure, inches; colours: by series, by
    default in the order of ``test``; axes: where to draw, by default in a figure of its own.
    """
    scale, colours = scale_of(test), colours or colours_of(test.series)
    costs = _costs(test, speeds, against)
    shown = [row for row in test.means if row.same_as is None]
    own = {row.variant.number for row in shown}
    several = len(series_of(row.variant for row in shown)) > _APART
    named = (
        [row for row in relevant_means(test, _APART)[0] if row.variant.number in own] if several else shown
    )
    lengths = sorted({tokens_of(row.variant) for row in shown})
    markers = markers_of(lengths) if len(lengths) > 1 else {}
    series_markers, chosen = markers_of(test.series), recommended(test)
    with style(width):
        figure, drawn = single_axes(width, 2.6 if width > COLUMN else 2.1, axes)
        if several:
            places = [(costs[row.variant.number], scale.shown(row.estimate.mean)) for row in shown]
            drawn.plot(*zip(*places, strict=True), "o", color=_OTHERS, markersize=3, zorder=1.5)
        for row in named:
            marker = markers.get(tokens_of(row.variant), series_markers[row.variant.series])
            _point(drawn, costs[row.variant.number], row, test, colours[row.variant.series], marker)
            if chosen is not None and chosen.number == row.variant.number:
                mean = scale.shown(row.estimate.mean)
                drawn.plot(costs[row.variant.number], mean, linestyle="", zorder=4, **ring())
        drawn.margins(0.05, 0.09)
        letters = 80 if width > COLUMN else 38
        drawn.set_xlabel(text(_COSTS[against].format(test=test.name), letters))
        drawn.set_ylabel(text(scale.axis(test.name), letters // 2))
        drawn.xaxis.set_major_locator(MaxNLocator(8 if width > COLUMN else 5, steps=[1, 2, 5, 10]))
        handles = [
            entry(series, color=colours[series], marker="s" if markers else series_markers[series])
            for series in series_of(row.variant for row in named)
        ]
        handles += [entry(f"max_len {length}", color=INK, marker=markers[length]) for length in markers]
        if several:
            left = len(shown) - len(named)
            words = "one other variant" if left == 1 else f"{left} other variants"
            handles.append(entry(words, color=_OTHERS, marker="o"))
        handles += prior_baseline_line(drawn, test.prior_baseline, scale, "horizontal")
        if chosen is not None:
            handles.append(recommended_ring())
        legend(figure, drawn, handles, own=axes is None)
    return figure


def _costs(test: SetAnalysis, speeds: Sequence[ThroughputRow], against: Cost) -> dict[int, float]:
    """What each variant costs, by its number."""
    if against == "tokens":
        return {row.variant.number: row.variant.tokens[test.name] for row in speeds}
    if against == "seconds":
        return {row.variant.number: row.training_seconds for row in speeds}
    return {row.variant.number: row.examples_per_second for row in speeds}


def _point(axes: Axes, cost: float, row: MeanRow, test: SetAnalysis, colour: str, marker: str) -> None:
    scale = scale_of(test)
    below, above = scale.reaches(row.estimate)
    axes.errorbar(
        cost,
        scale.shown(row.estimate.mean),
        yerr=None if math.isnan(row.estimate.ci_low) else [[below], [above]],
        color=colour,
        marker=marker,
        markeredgecolor="white",
        markeredgewidth=0.5,
        markersize=plt.rcParams["lines.markersize"] + 1.5,
        elinewidth=1.0,
        capsize=1.5,
    )
