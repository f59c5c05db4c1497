"""The figure of an audit: how long texts are, and what is cut of them at any max_len."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trimtab.ledger.records import VariantRecord
from trimtab.report.drawing import INK, PAGE, Colours, colours_of, entry, legend, series_of, style, text
from trimtab.truncation.profile import Distribution, LengthProfile

_SIDES = (("first", "-"), ("second", (0, (3, 1.5))))  # of a pair, and how each is drawn in both panels
_WHOLE = "#b2182b"
_ANY: dict[str, Any] = {"color": "0.3", "linewidth": 4, "alpha": 0.3, "linestyle": "-"}
_HEIGHT = 1.75  # inches of a split's panels


def audit_figure(
    profiles: Mapping[str, LengthProfile],
    *,
    width: float = PAGE,
    variants: Sequence[VariantRecord] = (),
) -> Figure:
    """How long texts are, and what is cut at any max_len: two panels for each split of the data.

    width: of the figure, inches; variants: of the study, whose colours and labels truncations then have.
    """
    own = colours_of(row.split for profile in profiles.values() for row in profile.splits)
    colours, aliases = own | _split_colours(variants), _aliases(variants)
    with style(width):
        figure, grid = plt.subplots(
            len(profiles),
            2,
            figsize=(width, _HEIGHT * len(profiles) + 0.2),
            layout="constrained",
            squeeze=False,
        )
        for (left, right), (name, profile) in zip(grid, profiles.items(), strict=True):
            _lengths_panel(left, profile)
            _cuts_panel(right, profile, colours)
            what = "pairs" if len(profile.distributions) > 1 else "texts"
            left.set_title(text(f"{name}: {profile.pairs:,} {what}", 60), loc="left", pad=14)
            for axes in (left, right):
                _length_axis(axes, profile)
        legend(figure, grid[-1, 0], _entries(list(profiles.values()), colours, aliases), own=True)
    return figure


def _split_colours(variants: Sequence[VariantRecord]) -> dict[str, str]:
    """The colour of each split: that of the first series which cuts by it."""
    colours = colours_of(series_of(variants))
    # A selection follows after a plus sign.
    return {
        variant.truncation.split("+", 1)[0]: colours[variant.series] for variant in reversed(list(variants))
    }


def _aliases(variants: Sequence[VariantRecord]) -> dict[str, str]:
    return {words: label for variant in variants for words, label in variant.aliases.items()}


def _entries(profiles: Sequence[LengthProfile], colours: Colours, aliases: Mapping[str, str]) -> list[Line2D]:
    """One legend for all panels: tokenisers may differ in how many special tokens a row has."""
    first = profiles[0]
    special = " or ".join(map(str, sorted({profile.special for profile in profiles})))
    *texts, _ = first.distributions
    found = [
        entry(
            rows.what + (": its length, and where it loses tokens" if first.splits else ""),
            color="0.3",
            linestyle=dashes,
        )
        for rows, (_, dashes) in zip(texts, _SIDES, strict=False)
    ]
    what = f"{'pair' if texts else 'text'}, with its {special} special tokens"
    found += [
        entry(what, color=_WHOLE, linestyle="-"),
        entry("cut at all, by whatever split", **_ANY),
    ]
    for row in {row.split: row for profile in profiles for row in profile.splits}.values():
        refused = row.first.count(None)
        where = "everywhere" if refused == len(row.first) else "where it has no line"
        words = aliases.get(row.split, row.split)
        label = f"{words}: refuses pairs {where}" if refused else words
        found.append(entry(label, color=colours[row.split], linestyle="-"))
    return found


def _lengths_panel(axes: Axes, profile: LengthProfile) -> None:
    *texts, whole = profile.distributions
    for rows, (_, dashes) in zip(texts, _SIDES, strict=False):
        axes.stairs(_shares(rows), rows.edges, color="0.3", linestyle=dashes, linewidth=1.1)
    axes.stairs(_shares(whole), whole.edges, color=_WHOLE, alpha=0.2, fill=True)
    axes.stairs(_shares(whole), whole.edges, color=_WHOLE, linewidth=1.1)
    width = whole.edges[1] - whole.edges[0]
    words = "share of texts, %" + (f", in\nbins of {width} tokens" if width > 1 else "")
    axes.set(xlabel=_length_words(profile), ylabel=words, ylim=(0, None))
    if profile.log:  # where shares of a doubling could be read as shares
        axes.set_ylabel("share of texts (equal\nareas are equal shares)")
        axes.set_yticklabels([])


def _shares(rows: Distribution) -> list[float]:
    return [100 * share for share in rows.shares]


def _cuts_panel(axes: Axes, profile: LengthProfile, colours: Colours) -> None:
    lengths = profile.max_len
    cut = [100 * share for share in profile.cut]
    axes.plot(lengths, cut, **_ANY)
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
                linewidth=1.1 + 0.5 * number,
                zorder=3 - 0.1 * number,
            )
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
        axes.axvline(mark, color=INK, linewidth=0.8, linestyle=(0, (1, 1.5)))
        axes.annotate(
            str(mark),
            (mark, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 1 + 7 * (number % 2)),  # in two rows, as lengths may stand close together
            textcoords="offset points",
            ha="center",
            va="bottom",
            size=7,
        )


def _length_words(profile: LengthProfile) -> str:
    words = "tokens; dotted: max_len"
    if profile.beyond:
        words += f"\n({100 * profile.beyond:.2g} % are longer, up to {profile.longest:,})"
    return words
