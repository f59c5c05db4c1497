"""The figure of an audit: how long texts are, and what is cut of them at any max_len."""

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trimtab.report.drawing import Colour, colours_of, legend_below, style
from trimtab.truncation.profile import Distribution, LengthProfile

_SIDES = (("first", "-"), ("second", (0, (3, 1.5))))  # of a pair, and how each is drawn in both panels


def audit_figure(profiles: Mapping[str, LengthProfile]) -> Figure:
    """How long texts are, and what is cut at any max_len: two panels for each split of the data."""
    with style():
        figure, grid = plt.subplots(
            len(profiles), 2, figsize=(11, 3.4 * len(profiles) + 0.8), layout="constrained", squeeze=False
        )
    colours = colours_of([row.split for profile in profiles.values() for row in profile.splits])
    # One legend for all panels: tokenisers may differ in how many special tokens a row has.
    special = " or ".join(map(str, sorted({profile.special for profile in profiles.values()})))
    for (left, right), (name, profile) in zip(grid, profiles.items(), strict=True):
        _lengths_panel(left, profile, special)
        _cuts_panel(right, profile, colours)
        what = "pairs" if len(profile.distributions) > 1 else "texts"
        left.set_title(f"{name}: {profile.pairs:,} {what}", loc="left", fontsize="medium", pad=22)
        for axes in (left, right):
            _length_axis(axes, profile)
    legend_below(grid[-1, 0], -0.2, ncols=1)
    legend_below(grid[-1, 1], -0.2, ncols=1)
    return figure


def _lengths_panel(axes: Axes, profile: LengthProfile, special: str) -> None:
    *texts, whole = profile.distributions
    what = f"{'pair' if texts else 'text'}, with its {special} special tokens"
    for rows, (_, dashes) in zip(texts, _SIDES, strict=False):
        axes.stairs(_shares(rows), rows.edges, color="0.3", linestyle=dashes, linewidth=1.6, label=rows.what)
    axes.stairs(_shares(whole), whole.edges, color="C3", alpha=0.2, fill=True)
    axes.stairs(_shares(whole), whole.edges, color="C3", linewidth=1.6, label=what)
    width = whole.edges[1] - whole.edges[0]
    words = "share of texts, %" + (f", in bins of {width} tokens" if width > 1 else "")
    axes.set(xlabel=_length_words(profile), ylabel=words, ylim=(0, None))
    if profile.log:  # where shares of a doubling could be read as shares
        axes.set_ylabel("share of texts (equal areas are equal shares)")
        axes.set_yticklabels([])


def _shares(rows: Distribution) -> list[float]:
    return [100 * share for share in rows.shares]


def _cuts_panel(axes: Axes, profile: LengthProfile, colours: Mapping[str, Colour]) -> None:
    lengths = profile.max_len
    cut = [100 * share for share in profile.cut]
    axes.plot(lengths, cut, color="0.3", linewidth=5, alpha=0.3, label="cut at all, by whatever split")
    for number, row in enumerate(reversed(profile.splits)):
        for side, dashes in _SIDES:
            shares = [
                math.nan if share is None else 100 * share
                for share in (row.first if side == "first" else row.second)
            ]
            # The first is the thickest and lowest, so that lines which coincide can all be seen.
            axes.plot(
                lengths,
                shares,
                color=colours[row.split],
                linestyle=dashes,
                linewidth=1.4 + 0.7 * number,
                zorder=3 - 0.1 * number,
            )
    for row in profile.splits:
        refused = row.first.count(None)
        where = "everywhere" if refused == len(lengths) else "where it has no line"
        words = f"{row.split}: refuses pairs {where}" if refused else row.split
        axes.plot([], [], color=colours[row.split], label=words)
    for side, dashes in _SIDES if profile.splits else ():
        axes.plot([], [], color="0.3", linestyle=dashes, label=f"the {side} text loses tokens")
    what = "pairs" if profile.splits else "texts"
    axes.set(xlabel="max_len, tokens", ylabel=f"share of {what}, %", ylim=(-3, 103))


def _length_axis(axes: Axes, profile: LengthProfile) -> None:
    """The axis that both panels share, with a line at each max_len that is asked about."""
    if profile.log:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    # Up to the end of the last bin.
    last = max(rows.edges[-1] for rows in profile.distributions)
    axes.set_xlim(profile.low, max(last, profile.high * (1.04 if profile.log else 1.02)))
    for number, mark in enumerate(profile.marks):
        axes.axvline(mark, color="0.2", linewidth=0.9, linestyle=(0, (1, 1.5)))
        axes.annotate(
            str(mark),
            (mark, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2 + 8 * (number % 2)),  # in two rows, as lengths may stand close together
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize="x-small",
        )


def _length_words(profile: LengthProfile) -> str:
    words = "tokens; dotted: max_len"
    if profile.beyond:
        words += f" ({100 * profile.beyond:.2g} % are longer, up to {profile.longest:,})"
    return words
