"""The figure of the declared contrasts of a test set (a forest plot)."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.drawing import COLUMN, INK, PAGE, Colours, colours_of, entry, legend, ring, style, text
from trimtab.report.relevance import recommended, relevant_contrasts
from trimtab.report.rows import Label, row_axes
from trimtab.report.scale import Scale, scale_of
from trimtab.statistics import adjusted_interval, equivalence_interval
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.compare_section import Compare
from trimtab.study.grid import place_words

# A verdict is drawn by its shape; colours are the strategies'.
_VERDICTS = {"better": "^", "worse": "v", "equivalent": "s", "inconclusive": "o", "identical": "D"}
_PLAIN: dict[str, Any] = {"linewidth": 3.0, "solid_capstyle": "butt", "alpha": 0.55}
_ADJUSTED: dict[str, Any] = {"linewidth": 0.9}
_BOUND: dict[str, Any] = {"marker": "|", "markersize": 9, "markeredgewidth": 1.1, "color": INK}


def forest_figure(
    test: SetAnalysis,
    settings: Compare,
    *,
    width: float = PAGE,
    colours: Colours | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Each declared contrast from the top down, under the name of its baseline; the margin is shaded.

    The thick line is the plain interval, the thin one the adjusted: it excludes 0 exactly where the adjusted
    verdict is better or worse (see ``statistics.adjusted_interval``). Ticks on an equivalent contrast are
    the bounds of the tests of equivalence, which lie within the margin. Shapes are verdicts, empty ones have
    no interval; colours are those of the variant's series. The recommended variant is ringed.

    width: of the figure, inches; colours: by series, by default in the order of ``test``; axes: where to
    draw, by default in a figure of its own.
    """
    scale, colours = scale_of(test), colours or colours_of(test.series)
    rows, note = relevant_contrasts(test)
    rows, labels = _grouped(rows)
    tested = test.family.tested
    chosen = recommended(test)
    with style(width):
        figure, [drawn], places = row_axes(labels, width, axes=axes)
        margin = scale.shown(settings.margin)
        drawn.axvspan(-margin, margin, color="0.86", linewidth=0, zorder=0.5)
        drawn.axvline(0, color=INK, linewidth=0.8, zorder=1)
        for place, row in zip(places, rows, strict=True):
            _row(drawn, place, row, scale, settings, tested, colours[row.variant.series])
            if chosen is not None and chosen.number == row.variant.number:
                drawn.plot(scale.shown(row.contrast.delta), place, linestyle="", zorder=4, **ring())
        words = f"difference in {scale.name} on {test.name}{scale.difference_end}"
        drawn.set_xlabel(text(words, 80 if width > COLUMN else 38))
        if note:
            drawn.set_title(text(note, 80 if width > COLUMN else 38), loc="left")
        ringed = chosen is not None and any(row.variant.number == chosen.number for row in rows)
        legend(figure, drawn, _entries(rows, scale, settings, tested, ringed), own=axes is None)
    return figure


def _row(
    axes: Axes, place: float, row: ContrastRow, scale: Scale, settings: Compare, tested: int, colour: str
) -> None:
    contrast = row.contrast
    delta, marker = scale.shown(contrast.delta), _VERDICTS[contrast.verdict]
    known = not math.isnan(contrast.ci_low) and contrast.verdict != "identical"
    if known:
        low, high = adjusted_interval(contrast, settings.alpha, tested)
        axes.plot([scale.shown(low), scale.shown(high)], [place, place], color=colour, **_ADJUSTED)
        ends = [scale.shown(contrast.ci_low), scale.shown(contrast.ci_high)]
        axes.plot(ends, [place, place], color=colour, **_PLAIN)
    if contrast.verdict == "equivalent":
        bounds = equivalence_interval(contrast, settings.alpha, tested)
        axes.plot([scale.shown(end) for end in bounds], [place, place], linestyle="", **_BOUND)
    look: dict[str, Any] = {"color": colour, "markerfacecolor": colour if known else "white"}
    look |= {"markeredgecolor": "white" if known else colour, "markeredgewidth": 0.6}
    size = plt.rcParams["lines.markersize"] + 1.2
    axes.plot(delta, place, marker, markersize=size, zorder=3, **look)


def _grouped(rows: Sequence[ContrastRow]) -> tuple[list[ContrastRow], list[Label]]:
    """Contrasts with one baseline stand together under its name, each by what it has of its own."""
    groups: dict[int, list[ContrastRow]] = {}
    for row in rows:
        groups.setdefault(row.baseline.number, []).append(row)
    labels: list[Label] = []
    for group in groups.values():
        labels.append(Label(f"against {group[0].baseline.name}", is_heading=True))
        labels += [Label(_difference(row)) for row in group]
    return [row for group in groups.values() for row in group], labels


def _difference(row: ContrastRow) -> str:
    """The coordinates in which a variant differs from its baseline, else its name."""
    others = row.baseline.coordinates
    own = {k: value for k, value in row.variant.coordinates.items() if k not in others or others[k] != value}
    return place_words(own, row.variant.aliases) or row.variant.name


def _entries(
    rows: Sequence[ContrastRow], scale: Scale, settings: Compare, tested: int, ringed: bool
) -> list[Line2D | Patch]:
    there = {row.contrast.verdict for row in rows}
    marks: list[Line2D | Patch] = []
    for verdict, marker in _VERDICTS.items():
        if verdict in there:
            fill = "white" if verdict == "identical" else INK
            marks.append(entry(verdict, marker=marker, color=INK, markerfacecolor=fill, markersize=6))
    if any(not math.isnan(row.contrast.ci_low) and row.contrast.verdict != "identical" for row in rows):
        level = f"{100 * (1 - settings.alpha):g} % interval" + ", at every look" * bool(settings.looks)
        marks.append(entry(level, color=INK, linestyle="-", **_PLAIN))
        if tested > 1:
            how = CORRECTIONS[settings.correction].words
            marks.append(
                entry(f"adjusted ({how}, {tested} contrasts)", color=INK, linestyle="-", **_ADJUSTED)
            )
    if "equivalent" in there:
        marks.append(entry("bounds of equivalence tests", **_BOUND))
    marks.append(Patch(color="0.86", label=f"margin, {scale.amount(settings.margin)} either way"))
    return [*marks, entry("recommended", **ring())] if ringed else marks
