"""Text that fits a terminal: tables fold their cells, or stack each row as a record; sentences wrap at words.

Where stdout is a file or a pipe and COLUMNS is not set, nothing is folded, so that programs can read it.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from itertools import chain

from tabulate import tabulate

_GAP = 2  # spaces between columns
_MARGIN = "  "  # of rows below a title
_TALLEST = 4  # lines of a folded row, above which records are easier to read


def width() -> int | None:
    """The columns that text must fit into; None where there is no limit."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def say(text: str = "") -> None:
    """Print text whose lines are folded where the terminal is narrower.

    Where nobody reads on, as behind ``head``, it goes nowhere: the command goes on, and keeps its exit code.
    """
    try:
        print(wrapped(text, width()), flush=True)
    except BrokenPipeError:
        silence()


def silence() -> None:
    """What is printed from now on, and what is still in the buffer, goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def wrapped(text: str, columns: int | None) -> str:
    """The same text with lines of at most ``columns``, folded between words; longer words stay whole."""
    if columns is None:
        return text
    return "\n".join(line for each in text.split("\n") for line in _folded(each, columns))


def table_text(
    rows: Sequence[Sequence[str]], heads: Sequence[str], align: Sequence[str] | None = None
) -> str:
    """A table of texts as wide as the terminal at most; align: ``left`` or ``right`` for each column."""
    plain = tabulate(rows, heads, disable_numparse=True, colalign=align if rows else None)
    columns = width()
    if columns is None or max(map(len, plain.splitlines()), default=0) <= columns:
        return plain
    return fitted_table(rows, heads, align or ["left"] * len(heads), columns)


def fitted_table(
    rows: Sequence[Sequence[str]], heads: Sequence[str], align: Sequence[str], columns: int
) -> str:
    """A table with cells folded between words.

    Where that does not fit, the first cell stands above the others of its row, or, where that does not fit
    either, each row is a record of lines.
    """
    folded = _folded_table(rows, heads, align, columns)
    return folded or _grouped(rows, heads, align, columns) or _records(rows, heads, columns)


def _folded_table(
    rows: Sequence[Sequence[str]],
    heads: Sequence[str],
    align: Sequence[str],
    columns: int,
    titles: Sequence[str] | None = None,
) -> str | None:
    """The table; None where it does not fit, or is too tall. titles: lines above its head and its rows."""
    widths = _widths([heads, *rows], columns)
    if widths is None:
        return None
    folded = [_row(row, widths) for row in rows]
    if max(map(len, folded), default=0) > _TALLEST:
        return None
    ruler = [["-" * each for each in widths]]
    blocks = [_row(heads, widths) + ruler, *folded]
    texts = ["\n".join(_line(line, widths, align) for line in block) for block in blocks]
    if titles is not None:
        below = [textwrap.indent(text, _MARGIN) for text in texts]
        return "\n".join(filter(None, chain.from_iterable(zip(titles, below, strict=True))))
    tall = sum(len(block) > 1 for block in folded)
    return texts[0] + "\n" + ("\n\n" if 2 * tall > len(folded) else "\n").join(texts[1:])


def _grouped(
    rows: Sequence[Sequence[str]], heads: Sequence[str], align: Sequence[str], columns: int
) -> str | None:
    """The table without its first column, whose cells stand above the rows that have them."""
    if len(heads) < 3:
        return None
    named = [row[0] if not place or rows[place - 1][0] != row[0] else "" for place, row in enumerate(rows)]
    titles = [heads[0], *("\n".join(_folded(title, columns)) for title in named)]
    rest = [row[1:] for row in rows]
    return _folded_table(rest, heads[1:], align[1:], columns - len(_MARGIN), titles)


def _widths(rows: Sequence[Sequence[str]], columns: int) -> list[int] | None:
    """The width of each column, the widest narrowed most; None where their longest words do not fit."""
    cells = list(zip(*rows, strict=True))
    least = [max(max(map(len, cell.split()), default=0) for cell in column) for column in cells]
    widths = [max(map(len, column)) for column in cells]
    free = columns - _GAP * (len(widths) - 1)
    if sum(least) > free:
        return None
    while sum(widths) > free:
        place = max(range(len(widths)), key=lambda place: (widths[place] > least[place], widths[place]))
        widths[place] -= 1
    return widths


def _row(row: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """The lines of a row, each with a piece of every cell."""
    pieces = [wrap(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, pieces))
    return [[piece[line] if line < len(piece) else "" for piece in pieces] for line in range(height)]


def _line(cells: Sequence[str], widths: Sequence[int], align: Sequence[str]) -> str:
    placed = (
        cell.rjust(width) if side == "right" else cell.ljust(width)
        for cell, width, side in zip(cells, widths, align, strict=True)
    )
    return (" " * _GAP).join(placed).rstrip()


def _records(rows: Sequence[Sequence[str]], heads: Sequence[str], columns: int) -> str:
    """Each row as lines ``head: cell``, the first one as its title; empty cells are left out."""
    records = []
    for row in rows:
        lines = [f"{head}: {cell}" for head, cell in zip(heads, row, strict=True) if cell]
        title, rest = lines[:1], [f"  {line}" for line in lines[1:]]
        records.append("\n".join(line for each in title + rest for line in _folded(each, columns)))
    return "\n\n".join(records)


def _folded(line: str, columns: int) -> list[str]:
    """A line in lines of at most ``columns``, of which the later ones are indented by two more."""
    if len(line) <= columns:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    return wrap(line.strip(), columns, indent, f"{indent}  ")


def wrap(text: str, columns: int, first: str = "", later: str = "") -> list[str]:
    """Lines of at most ``columns``, folded between words, each begun by what is given."""
    return textwrap.wrap(
        text,
        max(1, columns),
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
