"""Other scores, baselines and margins: the same as asking for them from the start."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.statistics import compare

MARGINS = (0.01, 0.05, 0.1)


@pytest.fixture(scope="module")
def scores():
    rates = np.array([0.6, 0.61, 0.75, 0.9])[:, None, None]
    return np.random.default_rng(3).random((4, 4, 900)) < rates


@pytest.fixture(scope="module")
def views(tmp_path_factory, handmade, scores):
    ledger = handmade.write(tmp_path_factory.mktemp("views") / "made", {"test": scores})
    return analyse(ledger).tests[0].views


def test_the_studys_score_comes_first(views):
    assert views[0].score == "accuracy"
    assert {view.score for view in views} >= {"accuracy", "brier", "log_loss", "macro_f1", "matthews"}


@pytest.mark.parametrize("margin", MARGINS)
def test_verdicts_at_a_margin_are_those_of_a_study_with_that_margin(views, scores, margin):
    place = next(k for k, each in enumerate(views[0].margins) if each == pytest.approx(margin))
    [declared] = [group for group in views[0].groups if group.declared]
    asked = compare(scores, [(1, 0), (2, 0), (3, 0)], groups=range(4), margin=margin)
    assert [judged[place].verdict for judged in declared.judged] == [one.verdict for one in asked]


@pytest.mark.integration
@pytest.mark.parametrize("score", ["accuracy", "matthews"])
def test_verdicts_at_a_margin_are_of_one_family_over_test_sets(tmp_path, handmade, scores, score):
    """Of two test sets, at every third margin of the page: the verdicts of a study with that margin."""
    sets = {"one": scores[:3], "two": scores[1:, :, ::-1]}
    first, second = analyse(handmade.write(tmp_path / "first", sets)).tests
    views = [next(v for v in test.views if v.score == score) for test in (first, second)]
    for place in range(0, len(views[0].margins), 3):
        margin = views[0].margins[place]
        folder = tmp_path / f"margin {place}"
        asked = analyse(handmade.write(folder, sets, margin=margin, score=score)).tests
        for t, view in enumerate(views):
            [declared] = [group for group in view.groups if group.declared]
            assert declared.family == asked[t].family
            expected = [row.contrast.verdict for row in asked[t].contrasts]
            assert [judged[place].verdict for judged in declared.judged] == expected


def test_the_studys_own_margin_is_one_of_them(views):
    assert views[0].margins[views[0].margin] == 0.01


def test_every_other_baseline_is_a_family_of_its_own(views, scores):
    explored = {group.baseline: group for group in views[0].groups if not group.declared}
    assert sorted(explored) == [1, 2, 3]
    for baseline, group in explored.items():
        others = [k for k in range(4) if k != baseline]
        asked = compare(scores, [(k, baseline) for k in others], groups=range(4), margin=0.01)
        for row, one in zip(group.rows, asked, strict=True):
            assert row.contrast.p_adjusted == pytest.approx(one.p_adjusted)
            assert row.contrast.delta == pytest.approx(one.delta)


def test_equivalence_grows_with_the_margin(views):
    """Once equivalent, a contrast stays so, or was better or worse at every margin."""
    for group in views[0].groups:
        for judged in group.judged:
            seen = [one.verdict == "equivalent" for one in judged]
            assert seen == sorted(seen)


def test_many_variants_have_the_declared_ones_alone(tmp_path, handmade, scores):
    many = np.tile(scores[:, :2, :60], (5, 1, 1))
    [test] = analyse(handmade.write(tmp_path, {"test": many})).tests
    assert all(group.declared for view in test.views for group in view.groups)


def test_length_and_loss_by_hand(tmp_path, handmade, scores):
    """Bins partition the rows, and each mean is that of its rows."""
    ledger = handmade.write(tmp_path, {"test": scores})
    rng = np.random.default_rng(1)
    whole = rng.integers(5, 60, 900).astype(np.int32)
    rows = ledger.evaluated("test")
    kept = {
        f"inputs{k}": np.minimum(whole, limit).astype(np.int32) for k, limit in enumerate((8, 16, 32, 64))
    }
    ledger.write_study(ledger.study, {"test": replace(rows, lengths={"word": whole}, kept=kept)})
    [test] = analyse(ledger).tests
    bins = test.by_length.bins
    assert sum(one.rows for one in bins) == 900
    assert all(one.high < other.low for one, other in pairwise(bins))
    for variant in test.by_length.variants:
        for one, mean in zip(bins, variant.means, strict=True):
            inside = (whole >= one.low) & (whole <= one.high)
            assert mean == pytest.approx(scores[variant.variant.number][:, inside].mean())
    for row in test.lost:
        lost = whole - kept[f"inputs{row.variant.number}"]
        inside = (lost >= row.low) & (lost <= (row.high if row.high is not None else 10**9))
        assert row.uncut.number == 3
        assert row.rows == inside.sum()
        assert row.mean == pytest.approx(scores[row.variant.number][:, inside].mean())
        assert row.uncut_mean == pytest.approx(scores[3][:, inside].mean())
    assert {row.variant.number for row in test.lost} == {0, 1, 2}
