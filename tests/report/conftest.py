"""Reports as most tests want them: drawn, but without the seconds that saving a figure takes."""

import matplotlib.pyplot as plt
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger import Ledger
from trimtab.report import curves_section
from trimtab.report.blocks import FigureBlock
from trimtab.report.markdown import judged_by, shortfalls
from trimtab.report.output import Output
from trimtab.report.page import Written, summary_lines
from trimtab.report.sections import sections
from whole_report import whole


class _WithoutFigures(Output):
    def figure(self, figure, name, words, column=None):
        plt.close(figure)
        return FigureBlock(name, words)


@pytest.fixture(scope="session")
def unsaved():
    """unsaved(folder): an Output that writes tables into that folder, and no figures."""
    return _WithoutFigures


@pytest.fixture(scope="session")
def reported(unsaved):
    """reported(folder): every section as Markdown in one file, whole.md, and tables, but no files of figures.

    The learning curves of all variants, which take longer to draw than all other figures together, are
    drawn only with ``curves=True``.
    """

    def write(folder, curves=False):
        with pytest.MonkeyPatch.context() as patch:
            if not curves:
                patch.setattr(curves_section, "curves_figure", lambda *asked, **how: plt.figure())
            analysis = analyse(Ledger(folder))
            output = unsaved(folder)
            said = [f"# {analysis.study.name}", analysis.study.question]
            said += [*shortfalls(analysis), *judged_by(analysis)]
            parts = [*said, whole(sections(analysis, output))]
            output.remove_stale()
            path = folder / "whole.md"
            path.write_text("\n\n".join(parts), encoding="utf-8")
            return Written(path, summary_lines(analysis))

    return write
