"""The figure of a score: over max_len where that varies, else variant by variant."""

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation, Transform

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
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
from trimtab.report.lengths import length_axis, tokens_of
from trimtab.report.relevance import recommended, relevant_means
from trimtab.report.rows import Label, row_axes
from trimtab.report.scale import Scale, scale_of

_LINES = 9  # series that can be told apart; more are shown row by row
_ASIDE = 2.4  # points between series at one max_len, where intervals would cover each other
_SPREAD = 0.15  # of the gap between two lengths: the most that series may be set apart
_CEILING: dict[str, Any] = {"linestyle": "", "markersize": 12, "markeredgewidth": 1.6, "alpha": 0.65}


def score_figure(
    test: SetAnalysis, *, width: float = PAGE, colours: Colours | None = None, axes: Axes | None = None
) -> Figure:
    """The score with intervals, ceilings where they are known, and the label-prior baseline.

    Over max_len, on a numeric axis that is logarithmic where lengths differ more than fourfold, with a line
    for each series; points of one length stand side by side within a few points of print. With one max_len,
    or too many series to tell apart, a row for each variant instead. The recommended variant is ringed.

    width: of the figure, inches; colours: by series, by default in the order of ``test``; axes: where to
    draw, by default in a figure of its own.
    """
    colours = colours or colours_of(test.series)
    lengths = {tokens_of(row.variant) for row in test.means}
    with style(width):
        if len(lengths) == 1 or len(series_of(row.variant for row in test.means)) > _LINES:
            return _by_row(test, width, colours, axes)
        return _by_length(test, width, colours, axes)


def _by_length(test: SetAnalysis, width: float, colours: Colours, given: Axes | None) -> Figure:
    scale, markers = scale_of(test), markers_of(test.series)
    figure, axes = single_axes(width, 2.7 if width > COLUMN else 2.2, given)
    by_series: dict[str, list[MeanRow]] = {}
    for row in sorted(test.means, key=lambda row: tokens_of(row.variant)):
        by_series.setdefault(row.variant.series, []).append(row)
    lengths = sorted({tokens_of(row.variant) for row in test.means})
    gap = length_axis(axes, lengths, width)
    step = min(_ASIDE, _SPREAD * gap / len(by_series))
    chosen = recommended(test)
    for number, series in enumerate(sorted(by_series, key=test.series.index)):
        rows = by_series[series]
        aside = _aside(figure, axes, step * (number - (len(by_series) - 1) / 2))
        at = [tokens_of(row.variant) for row in rows]
        axes.errorbar(
            at,
            [scale.shown(row.estimate.mean) for row in rows],
            yerr=list(zip(*(scale.reaches(row.estimate) for row in rows), strict=True)),
            color=colours[series],
            marker=markers[series],
            markeredgecolor="white",
            markeredgewidth=0.5,
            markersize=5.5,
            elinewidth=1.0,
            capsize=1.5,
            transform=aside,
        )
        known = [
            (tokens_of(row.variant), scale.shown(row.ceiling)) for row in rows if row.ceiling is not None
        ]
        if known:
            places, ceilings = zip(*known, strict=True)
            axes.plot(places, ceilings, "_", color=colours[series], transform=aside, zorder=1.8, **_CEILING)
        for row in rows:
            if chosen is not None and row.variant.number == chosen.number:
                mean = scale.shown(row.estimate.mean)
                axes.plot(tokens_of(row.variant), mean, linestyle="", transform=aside, zorder=4, **ring())
    _limits(axes, [value for row in test.means for value in _values(row, scale)])
    axes.set_ylabel(text(scale.axis(test.name), 40))
    handles = [
        entry(series, color=colours[series], marker=markers[series], linestyle="-") for series in by_series
    ]
    legend(figure, axes, [*handles, *_marks(test, axes, scale, "horizontal")], own=given is None)
    return figure


def _aside(figure: Figure, axes: Axes, points: float) -> Transform:
    """Data coordinates, moved to the right by so many points of print."""
    return axes.transData + ScaledTranslation(points / 72, 0, figure.dpi_scale_trans)


def _by_row(test: SetAnalysis, width: float, colours: Colours, given: Axes | None) -> Figure:
    scale, markers, chosen = scale_of(test), markers_of(test.series), recommended(test)
    shown, note = relevant_means(test)
    rows = sorted(shown, key=lambda row: tokens_of(row.variant))
    figure, [axes], places = row_axes(_labels(rows), width, axes=given)
    for place, row in zip(places, rows, strict=True):
        series, mean = row.variant.series, scale.shown(row.estimate.mean)
        if not math.isnan(row.estimate.ci_low):
            ends = [scale.shown(row.estimate.ci_low), scale.shown(row.estimate.ci_high)]
            axes.plot(ends, [place, place], color=colours[series], linewidth=1.4)
        look: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.5, "markersize": 6}
        axes.plot(mean, place, markers[series], color=colours[series], **look)
        if row.ceiling is not None:
            axes.plot(scale.shown(row.ceiling), place, "|", color=colours[series], **_CEILING)
        if chosen is not None and row.variant.number == chosen.number:
            axes.plot(mean, place, linestyle="", zorder=4, **ring())
    lengths = {tokens_of(row.variant) for row in test.means}
    at = f"; max_len {min(lengths)}" if len(lengths) == 1 and min(lengths) else ""
    axes.set_xlabel(text(scale.axis(test.name) + at, 80 if width > COLUMN else 38))
    if note:
        axes.set_title(text(note, 90 if width > COLUMN else 40), loc="left")
    legend(figure, axes, _marks(test, axes, scale, "vertical"), own=given is None)
    return figure


def _labels(rows: Sequence[MeanRow]) -> list[Label]:
    """Series by name, under a heading for each max_len where there are several."""
    lengths = {tokens_of(row.variant) for row in rows}
    labels: list[Label] = []
    for length in sorted(lengths):
        if len(lengths) > 1:
            labels.append(Label(f"max_len {length}", is_heading=True))
        labels += [Label(row.variant.series) for row in rows if tokens_of(row.variant) == length]
    return labels


def _values(row: MeanRow, scale: Scale) -> list[float]:
    estimate = row.estimate
    known = [estimate.mean, estimate.ci_low, estimate.ci_high, row.ceiling]
    return [scale.shown(value) for value in known if value is not None and not math.isnan(value)]


def _limits(axes: Axes, values: Sequence[float]) -> None:
    """From the lowest to the highest value, as points that are set aside do not count by themselves."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 1.0
    axes.set_ylim(low - room, high + room)


def _marks(test: SetAnalysis, axes: Axes, scale: Scale, direction: str) -> list[Line2D]:
    """The legend's entries beside the series; the line of the label-prior baseline is drawn on the way."""
    marks = []
    if any(row.ceiling is not None for row in test.means):
        marks.append(
            entry("ceiling", marker="_" if direction == "horizontal" else "|", color=INK, **_CEILING)
        )
    marks += prior_baseline_line(axes, test.prior_baseline, scale, direction)
    if any(not math.isnan(row.estimate.ci_low) for row in test.means):
        words = f"{100 * (1 - test.alpha):g} % interval over seeds and {test.units}"
        marks.append(entry(words, color=INK, linestyle="-", linewidth=1.0))
    return marks + ([recommended_ring()] if recommended(test) else [])
