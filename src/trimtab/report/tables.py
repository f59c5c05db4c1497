"""Tables: typed rows as Markdown, LaTeX, CSV and Parquet, and how numbers are written in them."""

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from tabulate import tabulate

from trimtab.report.escaping import in_markdown, plain
from trimtab.report.latex import latex_table
from trimtab.report.parquet import write_parquet
from trimtab.report.terminal import table_text
from trimtab.statistics import Contrast

RowT = TypeVar("RowT")

MIB = 1 << 20
_READ = 1_000  # rows that a person may be shown; more make pages that open slowly


@dataclass(frozen=True)
class Column(Generic[RowT]):
    """A column: its head, a row's cell as a person reads it, and the raw values that the CSV has instead.

    raw: by the heads that they have in the CSV, each computed from the row.
    """

    head: str
    show: Callable[[RowT], str]
    raw: Mapping[str, Callable[[RowT], Any]]


@dataclass(frozen=True)
class Table(Generic[RowT]):
    """A table under a name that is also its files' name."""

    name: str
    columns: Sequence[Column[RowT]]
    rows: Sequence[RowT]

    @property
    def heads(self) -> list[str]:
        """The head of each column, on one line of visible characters."""
        return [plain(column.head) for column in self.columns]

    @property
    def shown(self) -> Sequence[RowT]:
        """The rows that a person is shown: the first thousand."""
        return self.rows[:_READ]

    @property
    def left_out(self) -> str:
        """A sentence on the rows that a person is not shown; nothing where there are none."""
        if len(self.rows) <= _READ:
            return ""
        return f"The first {_READ:,} of {len(self.rows):,} rows; all of them are in {self.name}.csv."

    @cached_property
    def cells(self) -> list[list[str]]:
        """The cells of each row that is shown, on one line of visible characters each."""
        return [[plain(column.show(row)) for column in self.columns] for row in self.shown]

    @property
    def raw(self) -> dict[str, list[Any]]:
        """The raw values of each row, by the head that they have in CSV and Parquet."""
        values = [(head, value) for column in self.columns for head, value in column.raw.items()]
        return {head: [value(row) for row in self.rows] for head, value in values}

    def markdown(self) -> str:
        """The table as GitHub's Markdown."""
        cells = [[in_markdown(cell) for cell in row] for row in self.cells]
        # Everything is text by now; tabulate must not read numbers into it again.
        heads = [in_markdown(head) for head in self.heads]
        table = tabulate(cells, heads, "github", disable_numparse=True)
        return "\n\n".join(filter(None, (table, self.left_out)))

    def text(self) -> str:
        """The table as plain text, folded where the terminal is narrower."""
        return "\n".join(filter(None, (table_text(self.cells, self.heads), self.left_out)))

    def latex(self) -> str:
        """The table as LaTeX, for the package booktabs; columns of numbers are right-aligned."""
        note = f"% {self.left_out}\n" if self.left_out else ""
        return note + latex_table(self.heads, self.cells)

    def write(self, folder: Path) -> None:
        """NAME.md and NAME.tex as a person reads them, NAME.csv and NAME.parquet with the raw values.

        Parquet only where pyarrow is installed, see ``write_parquet``.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.md").write_text(self.markdown() + "\n", encoding="utf-8")
        (folder / f"{self.name}.tex").write_text(self.latex() + "\n", encoding="utf-8")
        raw = self.raw
        with (folder / f"{self.name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(raw)
            writer.writerows(_flat(values) for values in zip(*raw.values(), strict=True))
        write_parquet(raw, folder / f"{self.name}.parquet")


def _flat(values: Iterable[Any]) -> list[Any]:
    """A row of a CSV: several values stand in one cell, with spaces between them."""
    return [" ".join(map(str, value)) if isinstance(value, list | tuple) else value for value in values]


def text_column(head: str, name: str, value: Callable[[RowT], Any]) -> Column[RowT]:
    """A value as it is, nothing where it is None; ``name`` is its head in the CSV."""
    return Column(head, lambda row: _text(value(row)), {name: value})


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def number_column(head: str, name: str, value: Callable[[RowT], float], form: str) -> Column[RowT]:
    """A number in a format such as ``,.1f``."""
    return Column(head, lambda row: format(value(row), form), {name: value})


def share_column(
    head: str, name: str, value: Callable[[RowT], float | None], digits: int = 1
) -> Column[RowT]:
    """A share in percent, nothing where there is none; the CSV has it from 0 to 1."""
    return Column(head, lambda row: percent(value(row), digits), {name: value})


class Interval(Protocol):
    """An estimate's interval, its standard error and degrees of freedom."""

    @property
    def ci_low(self) -> float:
        """The lower end; nan where there is no interval, or it would not cover (then se is positive)."""

    @property
    def ci_high(self) -> float:
        """The upper end."""

    @property
    def se(self) -> float:
        """The standard error; 0 where nothing varies, nan with one seed or cluster."""

    @property
    def df(self) -> float:
        """The degrees of freedom of the t distribution."""


def interval_column(show: Callable[[float], str], interval: Callable[[RowT], Interval]) -> Column[RowT]:
    """An interval, its ends as ``show`` has them."""
    return Column(
        "interval",
        lambda row: interval_words(show, interval(row)),
        {
            "ci_low": lambda row: interval(row).ci_low,
            "ci_high": lambda row: interval(row).ci_high,
            "se": lambda row: interval(row).se,
            "df": lambda row: interval(row).df,
        },
    )


def interval_words(show: Callable[[float], str], interval: Interval) -> str:
    """An interval, its ends as ``show`` has them, or why there is none."""
    if math.isnan(interval.ci_low):
        if interval.se > 0:
            return "none: it would not cover"
        return "no variation" if interval.se == 0 else "none: one seed or cluster"
    return f"{show(interval.ci_low)} to {show(interval.ci_high)}"


def percent(value: float | None, digits: int = 2) -> str:
    """A share in percent; nothing where there is none."""
    return "" if value is None or math.isnan(value) else f"{100 * value:.{digits}f}"


def verdict_p(contrast: Contrast) -> str:
    """The adjusted p that a verdict rests on, named by its test; nothing where none was made."""
    if contrast.verdict == "equivalent":
        return f"two one-sided tests, p {p_value(contrast.p_equivalence)}"
    p = p_value(contrast.p_adjusted)
    return f"p {p}" if p else ""


def p_value(value: float) -> str:
    """A p-value, never rounded to 0."""
    if math.isnan(value):
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
