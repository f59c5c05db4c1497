"""What stands beside a verdict: of which family its p is, and which p it is."""

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.forest_figure import forest_figure
from trimtab.report.paper_table import paper_table
from trimtab.study.definition import Compare


@pytest.fixture(scope="module")
def written(tmp_path_factory, handmade, reported):
    """Two test sets of four variants, of which one is as good as the first, and their report as Markdown."""
    rates = np.array([0.9, 0.9, 0.5, 0.89])[:, None, None]
    rng = np.random.default_rng(5)
    sets = {name: rng.random((4, 5, 2000)) < rates for name in ("one", "two")}
    folder = tmp_path_factory.mktemp("words") / "made"
    analysis = analyse(handmade.write(folder, sets, margin=0.04))
    return analysis, reported(folder).path.read_text(), folder


def test_holm_is_over_all_test_sets_and_says_so(written):
    analysis, said, _ = written
    assert said.count("Holm over the 6 contrasts that are tested, of 2 test sets;") == 2
    assert "over this table alone, apart from the declared contrasts" in said
    for test in analysis.tests:
        labels = [
            each.get_text() for each in forest_figure(test, Compare(margin=0.04)).legends[0].get_texts()
        ]
        assert "adjusted (Holm, 6 contrasts)" in " ".join(labels)
        notes = paper_table(test, analysis.speeds, analysis.study.compare).notes
        assert "p: Holm over 6 contrasts of 2 test sets." in notes
