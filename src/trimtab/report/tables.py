"""Tables: rows of an analysis as Markdown, CSV and LaTeX."""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from trimtab.study.analysis import Row, TestSet
from trimtab.study.mismatch import Cross

MIB = 1 << 20
_NAMED = 4


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


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return "" if math.isnan(value) else f"{100 * value:+.2f}"


def p_value(value: float) -> str:
    """A p-value, never rounded to 0."""
    if math.isnan(value):
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _interval(show: Callable[[float], str]) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        low, high = row["ci_low"], row["ci_high"]
        if math.isnan(low):
            return "no variation" if row["se"] == 0 else "none: one seed or cluster"
        return f"{show(low)} to {show(high)}"

    return cell


def _text(key: str) -> Callable[[Row], str]:
    return lambda row: "" if row[key] is None else str(row[key])


def _number(key: str, form: str) -> Callable[[Row], str]:
    return lambda row: format(row[key], form)


def _share(key: str, digits: int = 2) -> Callable[[Row], str]:
    return lambda row: percent(row[key], digits)


def accuracy_table(test: TestSet) -> Table:
    """Accuracy of each variant with its interval, and its ceiling where one is known."""
    columns = [
        Column("variant", "name", _text("name")),
        Column("accuracy %", "mean", _share("mean")),
        Column("interval", "ci_low ci_high se df", _interval(percent)),
    ]
    if any(row["ceiling"] is not None for row in test.means):
        columns += [
            Column("ceiling %", "ceiling", _share("ceiling")),
            Column("above its ceiling?", "p_above_ceiling", _above),
        ]
    columns += [
        Column("each seed", "by_seed", lambda row: " ".join(map(percent, row["by_seed"]))),
        Column("same inputs as", "same_as", _text("same_as")),
    ]
    return Table(f"accuracy-{test.name}", columns, test.means)


def _above(row: Row) -> str:
    p = row["p_above_ceiling"]
    if p is None or math.isnan(p):
        return ""
    return f"YES (p {p_value(p)})" if p < 0.01 else "no"


def _difference() -> list[Column]:
    return [
        Column("difference, points", "delta", lambda row: points(row["delta"])),
        Column("interval", "ci_low ci_high se df", _interval(points)),
        Column("p", "p", lambda row: p_value(row["p"])),
        Column("adjusted p", "p_adjusted", lambda row: p_value(row["p_adjusted"])),
        Column("verdict", "verdict p_equivalence paired question", _text("verdict")),
    ]


def contrast_table(test: TestSet) -> Table:
    """Each declared contrast: the difference first, then how sure it is, then the verdict."""
    columns = [
        Column("variant", "name", _text("name")),
        Column("against", "baseline", _text("baseline")),
        *_difference(),
        Column("pairs cut differently %", "affected_share", _share("affected_share", 1)),
    ]
    return Table(f"contrasts-{test.name}", columns, test.contrasts)


def affected_table(test: TestSet) -> Table:
    """Each contrast on the pairs that its two variants cut differently."""
    columns = [
        Column("variant", "name", _text("name")),
        Column("against", "baseline", _text("baseline")),
        Column(
            "pairs cut differently",
            "pairs share",
            lambda row: f"{row['pairs']:,} ({percent(row['share'], 1)} %)",
        ),
        Column("accuracy % on those", "mean", _share("mean")),
        Column("of the other", "baseline_mean", _share("baseline_mean")),
        *_difference(),
    ]
    return Table(f"affected-{test.name}", columns, test.affected)


def is_named(cross: Cross) -> bool:
    """Whether the matrix heads its columns by name; by number where names would make it too wide."""
    return len(cross.inputs) <= _NAMED


def matrix_table(name: str, cross: Cross) -> Table:
    """Accuracy of each model on each of the inputs, in brackets on its own."""
    columns = [Column("trained with", "name", _text("name"))]
    if not is_named(cross):
        columns.append(Column("own", "own_number", lambda row: str(row["own"] + 1)))
    for number, names in enumerate(cross.inputs):
        head = names[0] if is_named(cross) else str(number + 1)
        columns.append(Column(head, f"inputs_{number + 1}", _cell(number)))
    rows = [
        row
        | {"own_number": row["own"] + 1}
        | {f"inputs_{number + 1}": mean for number, mean in enumerate(row["accuracies"])}
        for row in cross.rows
    ]
    return Table(f"cross-{name}", columns, rows)


def _cell(number: int) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        shown = percent(row["accuracies"][number])
        return f"[{shown}]" if row["own"] == number else shown

    return cell


def mismatch_table(name: str, cross: Cross) -> Table:
    """Each model on other inputs than its own: against itself on its own, and the model trained for them."""
    columns = [
        Column("trained with", "name", _text("name")),
        Column("evaluated with", "evaluated_with", _text("evaluated_with")),
        Column("accuracy %", "mean", _share("mean")),
        *_short_difference("to itself on its own", ""),
        *_short_difference("to the model trained for these", "matched_"),
    ]
    return Table(f"mismatches-{name}", columns, cross.mismatches)


def _short_difference(head: str, prefix: str) -> list[Column]:
    """A difference with its interval in one cell, and its verdict with the adjusted p."""
    keys = " ".join(f"{prefix}{key}" for key in ("delta", "ci_low", "ci_high", "se", "df"))

    def cell(row: Row) -> str:
        if math.isnan(row[f"{prefix}delta"]):
            return ""
        interval = {key: row[f"{prefix}{key}"] for key in ("ci_low", "ci_high", "se")}
        return f"{points(row[f'{prefix}delta'])} ({_interval(points)(interval)})"

    def verdict(row: Row) -> str:
        p = p_value(row[f"{prefix}p_adjusted"])
        return f"{row[f'{prefix}verdict']} ({p})" if p else row[f"{prefix}verdict"]

    return [
        Column(f"{head}, points", keys, cell),
        Column(
            "verdict (adjusted p)",
            f"{prefix}verdict {prefix}p {prefix}p_adjusted {prefix}p_equivalence",
            verdict,
        ),
    ]


def speed_table(rows: list[Row]) -> Table:
    """Throughput and memory of training, each variant's mean over its seeds."""
    columns = [
        Column("variant", "name", _text("name")),
        Column("examples/s", "examples_per_second", _number("examples_per_second", ",.0f")),
        Column(
            "range over seeds",
            "examples_per_second_low examples_per_second_high",
            lambda r: f"{r['examples_per_second_low']:,.0f} to {r['examples_per_second_high']:,.0f}",
        ),
        Column("real tokens/s", "tokens_per_second", _number("tokens_per_second", ",.0f")),
        Column("peak memory MiB", "peak_bytes", lambda r: f"{r['peak_bytes'] / MIB:,.0f}"),
        Column("training s", "training_seconds", _number("training_seconds", ",.1f")),
        Column("precision", "precision", _text("precision")),
        Column("threads", "threads", _text("threads")),
    ]
    return Table("throughput", columns, rows)


def audit_table(rows: list[Row], name: str = "audit") -> Table:
    """What each variant cuts of each split, or of each label of it."""
    columns = [
        Column("variant", "name", _text("name")),
        Column("split", "split", _text("split")),
        Column("pairs", "pairs", _number("pairs", ",")),
        Column("cut %", "cut", _share("cut", 1)),
        Column("only first %", "cut_only_first", _share("cut_only_first", 1)),
        Column("only second %", "cut_only_second", _share("cut_only_second", 1)),
        Column("both %", "cut_both", _share("cut_both", 1)),
        Column(
            "lost of first: mean, median, 90 %, most",
            "lost_first_mean lost_first_median lost_first_p90 lost_first_largest",
            _lost("first"),
        ),
        Column(
            "lost of second",
            "lost_second_mean lost_second_median lost_second_p90 lost_second_largest",
            _lost("second"),
        ),
        Column("tokens lost %", "lost_share", _share("lost_share", 1)),
    ]
    if all("tokens" in row for row in rows):
        columns.append(Column("tokens a row", "tokens", _number("tokens", ".1f")))
    return Table(name, columns, rows)


def _lost(side: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        mean, median, p90, most = (row[f"lost_{side}_{key}"] for key in ("mean", "median", "p90", "largest"))
        return f"{mean:.1f}, {median:g}, {p90:g}, {most}"

    return cell
