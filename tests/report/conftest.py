"""Reports as most tests want them: drawn, but without the seconds that saving a figure takes."""

import matplotlib.pyplot as plt
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger import Ledger
from trimtab.report import curves_section
from trimtab.report.output import Output
from trimtab.report.page import write_page


class _WithoutFigures(Output):
    def figure(self, figure, name, words, column=None):
        plt.close(figure)
        plt.close(column)
        return f"![{words}](figures/{name}.png)"


@pytest.fixture(scope="session")
def unsaved():
    """unsaved(folder): an Output that writes tables into that folder, and no figures."""
    return _WithoutFigures


@pytest.fixture(scope="session")
def reported(unsaved):
    """reported(folder): what ``report.write`` gives, with report.md and tables but no files of figures.

    The learning curves of all variants, which take longer to draw than all other figures together, are
    drawn only with ``curves=True``.
    """

    def write(folder, curves=False):
        with pytest.MonkeyPatch.context() as patch:
            if not curves:
                patch.setattr(curves_section, "curves_figure", lambda *asked, **how: plt.figure())
            return write_page(analyse(Ledger(folder)), unsaved(folder))

    return write
