"""The figure of a score over max_len."""

from matplotlib.figure import Figure

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
from trimtab.report.drawing import MARKERS, colours_of, legend_below, single_axes
from trimtab.report.scale import scale_of

_DASHES = (0, (2, 1))


def score_figure(test: SetAnalysis) -> Figure:
    """The score over max_len, one line per series, with intervals; ceilings dashed where they are known."""
    scale = scale_of(test)
    figure, axes = single_axes()
    by_series: dict[str, list[MeanRow]] = {}
    for row in test.means:
        by_series.setdefault(row.variant.series, []).append(row)
    colours = colours_of(list(by_series))
    lengths = sorted({row.variant.max_len for row in test.means})
    for number, (series, rows) in enumerate(by_series.items()):
        rows = sorted(rows, key=lambda row: row.variant.max_len)
        # Lengths are even steps, and each series stands a little aside, so that intervals can be told apart.
        aside = 0.12 * (number - (len(by_series) - 1) / 2)
        places = [lengths.index(row.variant.max_len) + aside for row in rows]
        axes.errorbar(
            places,
            [scale.shown(row.estimate.mean) for row in rows],
            yerr=list(zip(*(scale.reaches(row.estimate) for row in rows), strict=True)),
            color=colours[series],
            marker=MARKERS[number % len(MARKERS)],
            capsize=3,
            label=series,
        )
        known = [(x, row.ceiling) for x, row in zip(places, rows, strict=True) if row.ceiling is not None]
        if known:
            axes.hlines(
                [scale.shown(ceiling) for _, ceiling in known],
                [x - 0.05 for x, _ in known],
                [x + 0.05 for x, _ in known],
                color=colours[series],
                linestyle=_DASHES,
                linewidth=2,
            )
    if any(row.ceiling is not None for row in test.means):
        axes.plot([], [], color="0.3", linestyle=_DASHES, linewidth=2, label="ceiling")
    axes.set(xlabel="max_len, tokens", ylabel=scale.axis(test.name))
    axes.set_xticks(range(len(lengths)), [str(length) for length in lengths])
    legend_below(axes)
    return figure
