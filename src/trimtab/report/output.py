"""Where a report writes its tables and figures, which stand on its page as Markdown."""

from pathlib import Path

from matplotlib.figure import Figure

from trimtab.report.drawing import save
from trimtab.report.tables import RowT, Table


class Output:
    """Writes into ``tables/`` and ``figures/`` of a study's ``folder``, and knows what it has written."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tables, self.figures = folder, folder / "tables", folder / "figures"
        self._written: set[str] = set()

    def table(self, table: Table[RowT]) -> str:
        """Write a table; what stands on the page."""
        self._written.add(table.name)
        table.write(self.tables)
        return table.markdown()

    def figure(self, figure: Figure, name: str, words: str) -> str:
        """Write a figure under a name; what stands on the page, with ``words`` as its alternative text."""
        self._written.add(name)
        save(figure, self.figures, name)
        return f"![{words}](figures/{name}.png)"

    def remove_stale(self) -> None:
        """Remove tables and figures of an earlier report that this one does not have."""
        for path in [*self.tables.glob("*"), *self.figures.glob("*")]:
            asked_for = path.stem.startswith("compare-")  # by --compare, which no report writes
            if path.stem not in self._written and not asked_for:
                path.unlink()
