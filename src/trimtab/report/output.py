"""Where a report writes its tables and figures."""

from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from trimtab.report.blocks import FigureBlock, TableBlock
from trimtab.report.drawing import save
from trimtab.report.tables import RowT, Table


class Output:
    """Writes into ``tables/`` and ``figures/`` of a study's ``folder``, and knows what it has written.

    paper: figures also as PNG and for one column of a paper, which takes three times as long.
    """

    def __init__(self, folder: Path, *, paper: bool = False) -> None:
        self.folder, self.tables, self.figures = folder, folder / "tables", folder / "figures"
        self.paper = paper
        self._written: set[str] = set()

    def table(self, table: Table[RowT]) -> TableBlock:
        """Write a table; what stands in the report."""
        self._written.add(table.name)
        table.write(self.tables)
        return TableBlock(table)

    def figure(
        self, figure: Figure, name: str, words: str, column: Callable[[], Figure] | None = None
    ) -> FigureBlock:
        """Write a figure under a name; what stands in the report, with ``words`` as its alternative text.

        column: draws the same for one column of a paper, written as NAME-column.
        """
        self._written.add(name)
        save(figure, self.figures, name, png=self.paper)
        if self.paper and column is not None:
            self._written.add(f"{name}-column")
            save(column(), self.figures, f"{name}-column")
        return FigureBlock(name, words)

    def remove_stale(self) -> None:
        """Remove tables and figures of an earlier report that this one does not have."""
        for path in [*self.tables.glob("*"), *self.figures.glob("*")]:
            asked_for = path.stem.startswith("compare-")  # by --compare, which no report writes
            is_written = path.stem in self._written and (self.paper or path.suffix != ".png")
            if not is_written and not asked_for:
                path.unlink()
