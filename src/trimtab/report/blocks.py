"""What a report is made of: sections of words, tables, figures and charts, whatever they are shown as."""

import re
from dataclasses import dataclass, field
from typing import Any

from trimtab.analysis.shown_rows import ShownRow
from trimtab.report.tables import Table


@dataclass(frozen=True)
class TableBlock:
    """A table; its files are written."""

    table: Table[Any]


@dataclass(frozen=True)
class FigureBlock:
    """A figure in ``figures/NAME.*``; words: what it shows, for those who cannot see it."""

    name: str
    words: str


@dataclass(frozen=True)
class ChartBlock:
    """A chart of the page that answers to its selectors: scores, contrasts or lengths. No file has it."""

    kind: str
    words: str


@dataclass(frozen=True)
class RowsBlock:
    """Rows of a test set with what each cut leaves of them; labels: their names."""

    rows: list[ShownRow]
    labels: tuple[str, ...]


# Words are Markdown, in which names are ``as_markdown``.
Block = str | TableBlock | FigureBlock | ChartBlock | RowsBlock


@dataclass(frozen=True)
class Section:
    """A part of a report. test: the test set that it is about, None where it is about all; folded: whether a
    reader has to ask for it.
    """

    key: str
    title: str
    blocks: list[Block] = field(default_factory=list)
    test: str | None = None
    folded: bool = False


def bullets(lines: list[str]) -> str:
    """A list of lines."""
    return "\n".join(f"* {line}" for line in lines)


def fenced(text: str, language: str) -> str:
    """A text as it is, line by line, behind a fence that it does not hold."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
