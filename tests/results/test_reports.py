"""What stands in results/ can be made again: each report from its compact ledger alone, in a fresh clone."""

import csv
import re
import shutil
from pathlib import Path

import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger import Ledger
from trimtab.report.output import Output
from trimtab.report.page import write_page

pytestmark = pytest.mark.integration

RESULTS = Path(__file__).parents[2] / "results"
KEPT = sorted(path.parent.name for path in RESULTS.glob("*/ledger.zip"))
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


@pytest.fixture(scope="module", params=KEPT)
def made(request, tmp_path_factory):
    """The folder of a committed study, and the report that its compact ledger gives elsewhere."""
    there, here = RESULTS / request.param, tmp_path_factory.mktemp("report") / request.param
    here.mkdir()
    for name in ("ledger.json", "ledger.zip"):
        shutil.copy(there / name, here / name)
    write_page(analyse(Ledger(here)), Output(here))
    return there, here


def test_there_are_some():
    assert KEPT


def test_the_page_is_the_same(made):
    there, here = made
    assert (here / "report.md").read_text() == (there / "report.md").read_text()


def test_tables_and_figures_are_the_same_ones(made):
    there, here = made
    for folder in ("tables", "figures"):
        assert names(here / folder) == names(there / folder)


def test_tables_say_the_same(made):
    """As a person reads them to the letter; raw values to what another processor's arithmetic may change."""
    there, here = made
    for path in (there / "tables" / name for name in names(there / "tables")):
        if path.suffix != ".csv":
            assert (here / "tables" / path.name).read_text() == path.read_text(), path.name
            continue
        for one, other in zip(cells(here / "tables" / path.name), cells(path), strict=True):
            assert one == other or float(one) == pytest.approx(float(other), rel=1e-9, abs=1e-12), path.name


def test_figures_draw_the_same(made):
    """The same words and shapes, their coordinates to a hundredth of a point."""
    there, here = made
    for path in sorted((there / "figures").glob("*.svg")):
        one, other = drawn(here / "figures" / path.name), drawn(path)
        assert _NUMBER.sub("", one) == _NUMBER.sub("", other), path.name
        numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (one, other)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.01), path.name


def test_a_ledger_in_one_file_is_small():
    sizes = {name: (RESULTS / name / "ledger.zip").stat().st_size for name in KEPT}
    assert max(sizes.values()) <= 3 << 20
    assert sum(sizes.values()) <= 20 << 20


def names(folder):
    """The files that are committed: Parquet, which holds what the CSV does, is not."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".parquet")


def cells(path):
    with path.open(newline="", encoding="utf-8") as file:
        return [cell for row in csv.reader(file) for cell in row]


def drawn(path):
    """An SVG's text without what names its parts."""
    return re.sub(r'(id|href|clip-path)="[^"]*"', "", path.read_text())
