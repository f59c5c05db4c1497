"""Figures: rows of an analysis as SVG and PNG. Means and ranges of curves apart, they compute nothing."""

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

from trimtab.study.analysis import Row, TestSet

_MARKERS = "osD^vPX*<>hdp"


def accuracy_figure(test: TestSet) -> Figure:
    """Accuracy over max_len, a line a strategy, with intervals; the ceiling dashed where one is known."""
    frame = _percent(pd.DataFrame(test.means), "mean", "ci_low", "ci_high", "ceiling")
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
    axes.set(xlabel="max_len, tokens", ylabel=f"accuracy on {test.name}, %")
    axes.set_xticks(range(len(lengths)), [str(length) for length in lengths])
    _legend(axes)
    return figure


def throughput_figure(test: TestSet, speeds: list[Row]) -> Figure:
    """Accuracy against training throughput: what a point of accuracy costs."""
    frame = pd.DataFrame(test.means).merge(pd.DataFrame(speeds)[["variant", "examples_per_second"]])
    frame = _percent(frame[frame["same_as"].isna()], "mean", "ci_low", "ci_high")
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
    axes.set(xlabel="training throughput, examples/s", ylabel=f"accuracy on {test.name}, %")
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
    with _style():
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


def save(figure: Figure, folder: Path, name: str) -> None:
    """Write NAME.svg and NAME.png, the same bytes for the same figure."""
    folder.mkdir(parents=True, exist_ok=True)
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", bbox_inches="tight", dpi=144)
    plt.close(figure)


def _axes() -> tuple[Figure, Axes]:
    with _style():
        return plt.subplots(figsize=(7, 4.2), layout="constrained")


def _legend(axes: Axes) -> None:
    """Below the axes, where it covers no point however long the specs are."""
    axes.legend(fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2)


def _style() -> AbstractContextManager[Any]:
    return plt.rc_context(sns.axes_style("whitegrid"))


def _colours(frame: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    series = list(dict.fromkeys(frame["series"]))
    return dict(zip(series, sns.color_palette("colorblind", len(series)), strict=True))


def _percent(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.assign(**{column: 100 * frame[column].astype(float) for column in columns})
