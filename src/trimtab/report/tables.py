"""Tables: rows of an analysis as Markdown, CSV and LaTeX."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from trimtab.analysis.analysis import Row, TestSet
from trimtab.report.scale import scale_of

MIB = 1 << 20


@dataclass(frozen=True)
class Column:
    """A column: its head, the key of its raw value (for CSV), and how a person reads it."""

    head: str
    key: str
    show: Callable[[Row], str]


@dataclass(frozen=True)
class Table:
    """A table under a name that is also its files' name."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Row]

    def markdown(self) -> str:
        """The table as GitHub's Markdown."""
        return self._tabulated("github")

    def text(self) -> str:
        """The table as plain text for a terminal."""
        return self._tabulated("simple")

    def write(self, folder: Path) -> None:
        """NAME.md and NAME.tex as a person reads them, NAME.csv with the raw values."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(self.markdown() + "\n", encoding="utf-8")
        latex = self._tabulated("latex_booktabs")
        (folder / f"{self.name}.tex").write_text(latex + "\n", encoding="utf-8")
        with (folder / f"{self.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(key for key, _ in self._raw({}))
            writer.writerows([value for _, value in self._raw(row)] for row in self.rows)

    def _tabulated(self, style: str) -> str:
        cells = [[column.show(row) for column in self.columns] for row in self.rows]
        # Everything is text by now; tabulate must not read numbers into it again.
        return tabulate(cells, [column.head for column in self.columns], style, disable_numparse=True)

    def _raw(self, row: Row) -> list[tuple[str, Any]]:
        return [(key, _flat(row.get(key))) for column in self.columns for key in column.key.split()]


def _flat(value: Any) -> Any:
    """A value as a cell of a CSV: several stand in one cell, with spaces between them."""
    return " ".join(map(str, value)) if isinstance(value, list) else value


def percent(value: float | None, digits: int = 2) -> str:
    """A share in percent; nothing where there is none."""
    return "" if value is None or math.isnan(value) else f"{100 * value:.{digits}f}"


def p_value(value: float) -> str:
    """A p-value, never rounded to 0."""
    if math.isnan(value):
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def interval_cell(show: Callable[[float], str]) -> Callable[[Row], str]:
    """An interval, its ends as ``show`` has them, or why there is none."""

    def cell(row: Row) -> str:
        low, high = row["ci_low"], row["ci_high"]
        if math.isnan(low):
            return "no variation" if row["se"] == 0 else "none: one seed or cluster"
        return f"{show(low)} to {show(high)}"

    return cell


def text_cell(key: str) -> Callable[[Row], str]:
    """A value as it is; nothing where it is None."""
    return lambda row: "" if row[key] is None else str(row[key])


def _number(key: str, form: str) -> Callable[[Row], str]:
    return lambda row: format(row[key], form)


def share_cell(key: str, digits: int = 2) -> Callable[[Row], str]:
    """A share in percent."""
    return lambda row: percent(row[key], digits)


def score_table(test: TestSet) -> Table:
    """The score of each variant with its interval, and its ceiling where one is known."""
    scale = scale_of(test)
    columns = [
        Column("variant", "name", text_cell("name")),
        Column(scale.head, "mean", lambda row: scale.level(row["mean"])),
        Column("interval", "ci_low ci_high se df", interval_cell(scale.level)),
    ]
    if any(row["ceiling"] is not None for row in test.means):
        columns += [
            Column("ceiling %", "ceiling", share_cell("ceiling")),
            Column("above its ceiling?", "p_above_ceiling", _above),
        ]
    columns += [
        Column("each seed", "seeds by_seed", _each_seed(test)),
        Column("same inputs as", "same_as", text_cell("same_as")),
    ]
    return Table(f"{test.score}-{test.name}", columns, test.means)


def _each_seed(test: TestSet) -> Callable[[Row], str]:
    """The mean of each seed, and a dash for one that other variants have finished."""
    every, show = sorted({seed for row in test.means for seed in row["seeds"]}), scale_of(test).level

    def cell(row: Row) -> str:
        found = dict(zip(row["seeds"], row["by_seed"], strict=True))
        return " ".join(show(found[seed]) if seed in found else "-" for seed in every)

    return cell


def _above(row: Row) -> str:
    p = row["p_above_ceiling"]
    if p is None or math.isnan(p):
        return ""
    return f"YES (p {p_value(p)})" if p < 0.01 else "no"


def speed_table(rows: list[Row]) -> Table:
    """Throughput and memory of training, each variant's mean over its seeds."""
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("examples/s", "examples_per_second", _number("examples_per_second", ",.0f")),
        Column(
            "range over seeds",
            "examples_per_second_low examples_per_second_high",
            lambda r: f"{r['examples_per_second_low']:,.0f} to {r['examples_per_second_high']:,.0f}",
        ),
        Column("real tokens/s", "tokens_per_second", _number("tokens_per_second", ",.0f")),
        Column("peak memory MiB", "peak_bytes", lambda r: f"{r['peak_bytes'] / MIB:,.0f}"),
        Column("training s", "training_seconds", _number("training_seconds", ",.1f")),
        Column("precision", "precision", text_cell("precision")),
        Column("threads", "threads", text_cell("threads")),
    ]
    return Table("throughput", columns, rows)


def of_single_texts(profiles: Mapping[str, Row]) -> bool:
    """Whether the profiles of an audit are of rows of one text each; not where there are none."""
    return bool(profiles) and not any(profile["splits"] for profile in profiles.values())


def audit_table(rows: list[Row], name: str = "audit", *, single: bool = False) -> Table:
    """What each variant cuts of each split, or of each label of it; ``single``: of rows of one text each."""
    lost = "lost_first_mean lost_first_median lost_first_p90 lost_first_largest"
    four = "mean, median, 90 %, most"
    sides = [
        Column("only first %", "cut_only_first", share_cell("cut_only_first", 1)),
        Column("only second %", "cut_only_second", share_cell("cut_only_second", 1)),
        Column("both %", "cut_both", share_cell("cut_both", 1)),
        Column(f"lost of first: {four}", lost, _lost("first")),
        Column("lost of second", lost.replace("first", "second"), _lost("second")),
    ]
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("split", "split", text_cell("split")),
        Column("rows", "pairs", _number("pairs", ",")),
        Column("cut %", "cut", share_cell("cut", 1)),
        *([Column(f"tokens lost: {four}", lost, _lost("first"))] if single else sides),
        Column("tokens lost %", "lost_share", share_cell("lost_share", 1)),
    ]
    if all("tokens" in row for row in rows):
        columns.append(Column("tokens a row", "tokens", _number("tokens", ".1f")))
    return Table(name, columns, rows)


def _lost(side: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        mean, median, p90, most = (row[f"lost_{side}_{key}"] for key in ("mean", "median", "p90", "largest"))
        return f"{mean:.1f}, {median:g}, {p90:g}, {most}"

    return cell
