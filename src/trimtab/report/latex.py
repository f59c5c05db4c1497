"""Tables in LaTeX: for the package booktabs, numbers right-aligned."""

from collections.abc import Iterable, Sequence

from trimtab.report.escaping import in_latex, is_number


def latex_table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A tabular of these heads and rows; columns of numbers are right-aligned."""
    columns = "".join("r" if numeric(cells, column) else "l" for column in range(len(heads)))
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", latex_row(map(in_latex, heads)), r"\midrule"]
    lines += [latex_row(map(in_latex, row)) for row in cells]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def latex_row(cells: Iterable[str]) -> str:
    """A row of a tabular."""
    return " & ".join(cells) + r" \\"


def numeric(cells: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column has numbers, and nothing else."""
    shown = [row[column] for row in cells if row[column]]
    return bool(shown) and all(map(is_number, shown))
