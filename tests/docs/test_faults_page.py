"""docs/faults.md shows the committed matrix of faults, in which nothing is lost."""

import json
from pathlib import Path

from bench.faults.page import is_well, table

ROOT = Path(__file__).parents[2]


def test_the_page_holds_the_matrix():
    cells = json.loads((ROOT / "results" / "bench" / "faults.json").read_text())["cells"]
    assert cells
    assert [cell for cell in cells if not is_well(cell)] == []
    assert table(cells) in (ROOT / "docs" / "faults.md").read_text()
