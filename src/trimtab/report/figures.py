"""Figures: rows of an analysis as SVG and PNG. Means and ranges of curves apart, they compute nothing."""

import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # a report is written where there may be no screen

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.analysis.analysis import Row, TestSet
from trimtab.report.scale import Scale, scale_of

_LINES = 6  # of a legend, for which there is room
_MARKERS = "osD^vPX*<>hdp"


def score_figure(test: TestSet) -> Figure:
    """The score over max_len, a line a strategy, with intervals; the ceiling dashed where one is known."""
    scale = scale_of(test)
    frame = _shown(scale, pd.DataFrame(test.means), "mean", "ci_low", "ci_high", "ceiling")
    figure, axes = _axes()
    colours = _colours(frame)
    lengths = sorted(frame["max_len"].unique())
    for number, (series, rows) in enumerate(frame.groupby("series", sort=False)):
        rows = rows.sort_values("max_len")
        # Lengths are even steps, and each series stands a little aside, so that intervals can be told apart.
        aside = 0.12 * (number - (frame["series"].nunique() - 1) / 2)
        place = [lengths.index(length) + aside for length in rows["max_len"]]
        below, above = rows["mean"] - rows["ci_low"], rows["ci_high"] - rows["mean"]
        axes.errorbar(
            place,
            rows["mean"],
            yerr=[below.fillna(0), above.fillna(0)],
            color=colours[str(series)],
            marker=_MARKERS[number % len(_MARKERS)],
            capsize=3,
            label=series,
        )
        if rows["ceiling"].notna().any():
            axes.hlines(
                rows["ceiling"],
                [x - 0.05 for x in place],
                [x + 0.05 for x in place],
                color=colours[str(series)],
                linestyle=(0, (2, 1)),
                linewidth=2,
            )
    if frame["ceiling"].notna().any():
        axes.plot([], [], color="0.3", linestyle=(0, (2, 1)), linewidth=2, label="ceiling")
    axes.set(xlabel="max_len, tokens", ylabel=scale.axis(test.name))
    axes.set_xticks(range(len(lengths)), [str(length) for length in lengths])
    _legend(axes)
    return figure


def throughput_figure(test: TestSet, speeds: list[Row]) -> Figure:
    """The score against training throughput: what a point of it costs."""
    scale = scale_of(test)
    frame = pd.DataFrame(test.means).merge(pd.DataFrame(speeds)[["variant", "examples_per_second"]])
    frame = _shown(scale, frame[frame["same_as"].isna()], "mean", "ci_low", "ci_high")
    figure, axes = _axes()
    colours = _colours(pd.DataFrame(test.means))
    lengths = sorted(frame["max_len"].unique())
    for _, row in frame.iterrows():
        interval = [[row["mean"] - row["ci_low"]], [row["ci_high"] - row["mean"]]]
        axes.errorbar(
            row["examples_per_second"],
            row["mean"],
            yerr=None if pd.isna(row["ci_low"]) else interval,
            color=colours[row["series"]],
            marker=_MARKERS[lengths.index(row["max_len"]) % len(_MARKERS)],
            capsize=3,
        )
    for series in frame["series"].unique():
        axes.plot([], [], color=colours[series], linewidth=4, label=series)
    for number, length in enumerate(lengths):
        marker = _MARKERS[number % len(_MARKERS)]
        axes.plot([], [], color="0.3", marker=marker, linestyle="", label=f"max_len {length}")
    axes.set(xlabel="training throughput, examples/s", ylabel=scale.axis(test.name))
    _legend(axes)
    return figure


def curves_figure(curves: list[Row]) -> Figure:
    """Loss and accuracy over epochs on training (dashed, with dropout) and validation, a panel a length."""
    frame = pd.DataFrame(curves)
    frame = frame.drop_duplicates(["series", "max_len", "seed", "epoch"])
    long = frame.melt(
        ["series", "max_len", "seed", "epoch"],
        ["loss", "validation_loss", "accuracy", "validation_accuracy"],
        var_name="measure",
    )
    long["split"] = long["measure"].str.startswith("validation").map({True: "validation", False: "training"})
    long["score"] = long["measure"].str.removeprefix("validation_")
    long.loc[long["score"] == "accuracy", "value"] *= 100
    with style():
        grid = sns.relplot(
            long,
            x="epoch",
            y="value",
            hue="series",
            style="split",
            style_order=["validation", "training"],
            row="score",
            col="max_len",
            kind="line",
            markers=["o", "o"],
            dashes=["", (4, 2)],
            palette=_colours(frame),
            errorbar=("pi", 100),
            height=2.4,
            aspect=1.4,
            facet_kws={"sharey": "row"},
        )
    grid.set_titles("max_len {col_name}")
    for axes, label in zip(grid.axes[:, 0], ("loss, nats", "accuracy, %"), strict=True):
        axes.set_ylabel(label)
    for axes in grid.axes.flat:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return grid.figure


def audit_figure(profiles: dict[str, Row]) -> Figure:
    """How long texts are, and what is cut at any max_len: two panels for each split of the data.

    profiles: by split, as ``truncation.profile.length_profile`` gives them.
    """
    with style():
        figure, grid = plt.subplots(
            len(profiles), 2, figsize=(11, 3.4 * len(profiles) + 0.8), layout="constrained", squeeze=False
        )
    names = list(dict.fromkeys(row["split"] for profile in profiles.values() for row in profile["splits"]))
    colours = dict(zip(names, sns.color_palette("colorblind", len(names)), strict=True))
    for (left, right), (name, profile) in zip(grid, profiles.items(), strict=True):
        _lengths_panel(left, profile)
        _cuts_panel(right, profile, colours)
        what = "pairs" if len(profile["distributions"]) > 1 else "texts"
        left.set_title(f"{name}: {profile['pairs']:,} {what}", loc="left", fontsize="medium", pad=22)
        for axes in (left, right):
            _length_axis(axes, profile)
    _legend(grid[-1, 0], -0.2, ncols=1)
    _legend(grid[-1, 1], -0.2, ncols=1)
    return figure


_SIDES = (("first", "-"), ("second", (0, (3, 1.5))))  # of a pair, and how each is drawn in both panels


def _lengths_panel(axes: Axes, profile: Row) -> None:
    *texts, whole = profile["distributions"]
    for rows, (_, style) in zip(texts, _SIDES, strict=False):
        axes.stairs(
            _shares(rows), rows["edges"], color="0.3", linestyle=style, linewidth=1.6, label=rows["what"]
        )
    axes.stairs(_shares(whole), whole["edges"], color="C3", alpha=0.2, fill=True)
    axes.stairs(_shares(whole), whole["edges"], color="C3", linewidth=1.6, label=whole["what"])
    width = whole["edges"][1] - whole["edges"][0]
    words = "share of texts, %" + (f", in bins of {width} tokens" if width > 1 else "")
    axes.set(xlabel=_length_words(profile), ylabel=words, ylim=(0, None))
    if profile["log"]:  # where shares of a doubling could be read as shares
        axes.set_ylabel("share of texts (equal areas are equal shares)")
        axes.set_yticklabels([])


def _shares(rows: Row) -> list[float]:
    return [100 * share for share in rows["shares"]]


def _cuts_panel(axes: Axes, profile: Row, colours: dict[str, Any]) -> None:
    lengths = profile["max_len"]
    cut = [100 * share for share in profile["cut"]]
    axes.plot(lengths, cut, color="0.3", linewidth=5, alpha=0.3, label="cut at all, by whatever split")
    for number, row in enumerate(reversed(profile["splits"])):
        for side, style in _SIDES:
            shares = [math.nan if share is None else 100 * share for share in row[side]]
            # The first is the thickest and lowest, so that lines which coincide can all be seen.
            axes.plot(
                lengths,
                shares,
                color=colours[row["split"]],
                linestyle=style,
                linewidth=1.4 + 0.7 * number,
                zorder=3 - 0.1 * number,
            )
    for row in profile["splits"]:
        refused = row["first"].count(None)
        where = "everywhere" if refused == len(lengths) else "where it has no line"
        words = f"{row['split']}: refuses pairs {where}" if refused else row["split"]
        axes.plot([], [], color=colours[row["split"]], label=words)
    for side, style in _SIDES if profile["splits"] else ():
        axes.plot([], [], color="0.3", linestyle=style, label=f"the {side} text loses tokens")
    what = "pairs" if profile["splits"] else "texts"
    axes.set(xlabel="max_len, tokens", ylabel=f"share of {what}, %", ylim=(-3, 103))


def _length_axis(axes: Axes, profile: Row) -> None:
    """The axis that both panels share, with a line at each max_len that is asked about."""
    if profile["log"]:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    # Up to the end of the last bin.
    last = max(rows["edges"][-1] for rows in profile["distributions"])
    axes.set_xlim(profile["low"], max(last, profile["high"] * (1.04 if profile["log"] else 1.02)))
    for number, mark in enumerate(profile["marks"]):
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


def _length_words(profile: Row) -> str:
    words = "tokens; dotted: max_len"
    if profile["beyond"]:
        words += f" ({100 * profile['beyond']:.2g} % are longer, up to {profile['longest']:,})"
    return words


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.svg and NAME.png, the same bytes for the same figure."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", bbox_inches="tight", dpi=144)
    plt.close(figure)


def _axes() -> tuple[Figure, Axes]:
    with style():
        return plt.subplots(figsize=(7, 4.2), layout="constrained")


def _legend(axes: Axes, below: float = -0.14, ncols: int = 2) -> None:
    """Below the axes, where it covers no point however long the specs are; the figure grows with it."""
    legend = axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, below), ncols=ncols)
    lines = math.ceil(len(legend.get_texts()) / ncols)
    figure = axes.get_figure(root=True)
    if figure is not None and lines > _LINES:
        width, height = figure.get_size_inches()
        figure.set_size_inches(width, height + 0.2 * (lines - _LINES))


def style() -> AbstractContextManager[Any]:
    """How the axes of every figure look."""
    return plt.rc_context(sns.axes_style("whitegrid"))


def _colours(frame: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    series = list(dict.fromkeys(frame["series"]))
    return dict(zip(series, sns.color_palette("colorblind", len(series)), strict=True))


def _shown(scale: Scale, frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.assign(**{column: scale.shown(frame[column].astype(float)) for column in columns})
