"""What stands beside a verdict: of which family its p is, and which p it is."""

import csv

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.charts import chart_data
from trimtab.report.forest_figure import forest_figure
from trimtab.report.paper_table import paper_table
from trimtab.report.summary import summary
from trimtab.report.tables import p_value
from trimtab.study.compare_section import Compare


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
        assert any(note.startswith("p: Holm over 6 contrasts of 2 test sets; ") for note in notes)


def test_beside_equivalent_stands_the_p_of_the_two_one_sided_tests(written):
    analysis, said, folder = written
    test = analysis.tests[0]
    one = test.contrasts[0].contrast
    assert one.verdict == "equivalent"
    p, other = p_value(one.p_equivalence), p_value(one.p_adjusted)
    assert p != other
    lines = summary(test)
    assert lines[0].startswith("**t1, max_len 8** is equivalent to t0, max_len 8: ")
    assert lines[0].endswith(f"; two one-sided tests, p {p}.")
    assert lines[1].endswith("; p < 0.0001.")  # is worse
    with (folder / "tables" / "contrasts-one.csv").open(newline="") as file:
        [row, *_] = csv.DictReader(file)
    assert (float(row["p_adjusted"]), float(row["p_equivalence"])) == (one.p_adjusted, one.p_equivalence)
    assert f"| {other} | {p} | equivalent" in " ".join(said.split())
    paper = paper_table(test, analysis.speeds, analysis.study.compare)
    assert paper.cells[1][3] == (f"{one.p_equivalence:.3f}" if one.p_equivalence >= 0.001 else "< 0.001")
    assert any("beside ≈ that of the two one-sided tests" in note for note in paper.notes)
    view = chart_data(analysis)["tests"]["one"]["views"][0]
    assert view["groups"][0]["rows"][0]["pEquivalence"][view["margin"]] == p
