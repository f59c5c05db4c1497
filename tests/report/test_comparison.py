"""Two ledgers side by side: who matches whom, what differs, and what is called a regression."""

import csv

import numpy as np
import pytest
from scipy import stats

from trimtab.analysis.two_ledgers import compare_ledgers
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.report.comparison import comparison_text, write_comparison
from trimtab.statistics import compare


@pytest.fixture(scope="module")
def two(tmp_path_factory, handmade, scores):
    """The same rows twice; in the second ledger the first variant is better, and everything is quicker."""
    folders = [tmp_path_factory.mktemp(name) for name in "ab"]
    better = scores.copy()
    better[0] |= np.random.default_rng(2).random(scores[0].shape) < 0.6
    handmade.write(folders[0], {"test": scores}, rates=[100, 100, 100])
    handmade.write(folders[1], {"test": better}, rates=[150, 100, 50])
    return folders, scores, better


def test_the_same_rows_are_paired(two):
    (here, there), scores, better = two
    found = compare_ledgers(Ledger(here), Ledger(there))
    [test] = found.tests
    assert test.same_rows
    [alone] = compare(np.stack([scores[0], better[0]]), [(0, 1)], margin=0.01)
    contrast = test.rows[0].contrast
    assert (contrast.delta, contrast.se, contrast.p) == (alone.delta, alone.se, alone.p)
    assert contrast.paired
    assert all(row.match.same_inputs for row in test.rows)
    assert [row.contrast.verdict for row in test.rows] == ["worse", "identical", "identical"]
    assert [match.speed.value for match in found.matches] == pytest.approx([2 / 3, 1, 2])
    assert found.only == ([], [])


def test_regressions_are_named_and_written(two, tmp_path):
    (here, there), *_ = two
    found = compare_ledgers(Ledger(here), Ledger(there))
    said = comparison_text(found)
    assert said[-1] == (
        "Regressions of A: 1 worse: t0, max_len 8 (test); 1 slower by more than 5 %: t0, max_len 8."
    )
    assert sum("REGRESSION" in part for part in said) == 2
    written = write_comparison(tmp_path, found)
    assert [path.name for path in written] == ["compare-ledgers.md", "compare-speed.md", "compare-test.md"]
    with (tmp_path / "tables" / "compare-test.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["regression"] for row in rows] == ["True", "False", "False"]
    assert float(rows[0]["delta"]) == found.tests[0].rows[0].contrast.delta


def test_other_rows_are_compared_unpaired(tmp_path, handmade):
    """Against Welch's test, where seeds do not vary and examples are all that does."""
    rng = np.random.default_rng(3)
    samples = [rng.random((1, 1, size)) < 0.6 for size in (300, 240)]
    # Every seed says the same, so that the variance is that of examples alone.
    for name, sample in zip("ab", samples, strict=True):
        handmade.write(tmp_path / name, {"test": np.repeat(sample, 3, axis=1)})
    [test] = compare_ledgers(Ledger(tmp_path / "a"), Ledger(tmp_path / "b")).tests
    [row] = test.rows
    welch = stats.ttest_ind(samples[0].ravel(), samples[1].ravel(), equal_var=False)
    assert not test.same_rows
    assert row.contrast.delta == pytest.approx(samples[0].mean() - samples[1].mean())
    assert row.contrast.p == pytest.approx(welch.pvalue, rel=1e-6)
    interval = welch.confidence_interval(0.95)
    assert (row.contrast.ci_low, row.contrast.ci_high) == pytest.approx((interval.low, interval.high))
    text = "\n".join(comparison_text(compare_ledgers(Ledger(tmp_path / "a"), Ledger(tmp_path / "b"))))
    assert "Accuracy on test: other rows in each, so not paired" in text


def test_variants_of_one_alone_are_named(tmp_path, handmade, scores):
    handmade.write(tmp_path / "a", {"test": scores})
    handmade.write(tmp_path / "b", {"test": scores[:2, :2], "other": scores[:2, :2]})
    found = compare_ledgers(Ledger(tmp_path / "a"), Ledger(tmp_path / "b"))
    assert found.only == (["t2, max_len 8"], [])
    [test] = found.tests
    assert [row.seeds for row in test.rows] == [(2, 2), (2, 2)]
    assert any("only in A: t2, max_len 8" in part for part in comparison_text(found))


def test_nothing_in_common(tmp_path, handmade, scores):
    handmade.write(tmp_path / "a", {"test": scores}, missing=[(0, 0), (0, 1), (0, 2), (0, 3)])
    handmade.write(tmp_path / "b", {"test": scores}, replicas=True)
    with pytest.raises(InputError, match="no finished variant has the same coordinates in both"):
        compare_ledgers(Ledger(tmp_path / "a"), Ledger(tmp_path / "b"))


def test_a_seed_that_diverged_withholds_the_verdict(tmp_path, handmade, two):
    """As in a study's own report: the mean of the other seeds flatters the variant."""
    _, scores, better = two
    here = handmade.write(tmp_path / "a", {"test": better}, failed=[(0, 2)])
    there = handmade.write(tmp_path / "b", {"test": scores})
    for ledgers, verdict in (((here, there), "better"), ((there, here), "worse")):
        found = compare_ledgers(*ledgers)
        row = found.tests[0].rows[0]
        assert (row.contrast.verdict, row.withheld) == ("inconclusive", verdict)
        assert row.contrast.p_adjusted < 0.05
        said = "\n".join(comparison_text(found))
        assert "verdicts withheld, as a seed diverged" in said
        assert "Regressions of A: none shown." in said
