"""The figure of a score against the throughput of training."""

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.throughput import ThroughputRow
from trimtab.report.drawing import MARKERS, colours_of, legend_below, single_axes
from trimtab.report.scale import scale_of


def throughput_figure(test: SetAnalysis, speeds: Sequence[ThroughputRow]) -> Figure:
    """The score against training throughput: what a point of it costs.

    Variants that share their trials are shown once.
    """
    scale = scale_of(test)
    figure, axes = single_axes()
    rates = {row.variant.number: row.examples_per_second for row in speeds}
    colours = colours_of([row.variant.series for row in test.means])
    shown = [row for row in test.means if row.same_as is None]
    lengths = sorted({row.variant.max_len for row in shown})
    for row in shown:
        below, above = scale.reaches(row.estimate)
        axes.errorbar(
            rates[row.variant.number],
            scale.shown(row.estimate.mean),
            yerr=None if math.isnan(row.estimate.ci_low) else [[below], [above]],
            color=colours[row.variant.series],
            marker=MARKERS[lengths.index(row.variant.max_len) % len(MARKERS)],
            capsize=3,
        )
    for series in dict.fromkeys(row.variant.series for row in shown):
        axes.plot([], [], color=colours[series], linewidth=4, label=series)
    for number, length in enumerate(lengths):
        marker = MARKERS[number % len(MARKERS)]
        axes.plot([], [], color="0.3", marker=marker, linestyle="", label=f"max_len {length}")
    axes.set(xlabel="training throughput, examples/s", ylabel=scale.axis(test.name))
    legend_below(axes)
    return figure
