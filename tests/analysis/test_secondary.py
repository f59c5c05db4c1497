"""Contrasts on the examples that are cut differently, against the comparison on those examples alone."""

from itertools import count

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.statistics import compare, holm

VARIANTS, SEEDS, EXAMPLES = 4, 5, 300


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(3)
    return rng.random((VARIANTS, SEEDS, EXAMPLES)) < np.array([0.5, 0.55, 0.8, 0.3])[:, None, None]


@pytest.fixture(scope="module")
def digests():
    """Variants see 0, 100, 200 and 0 of the 300 examples otherwise than the first variant does."""
    shared = np.arange(EXAMPLES, dtype=np.uint64)
    return np.stack([shared + np.uint64(1000) * (shared < differ) for differ in (0, 100, 200, 0)])


@pytest.fixture
def affected(tmp_path, handmade):
    """affected(scores, digests, **options): those contrasts, from a ledger of these scores."""

    def rows(scores, digests, clusters=None, **options):
        options |= {} if clusters is None else {"clusters": {"test": clusters}}
        folder = tmp_path / str(next(numbers))
        [test] = analyse(handmade.write(folder, {"test": scores}, digests=digests, **options)).tests
        return test.affected

    numbers = count()
    return rows


@pytest.mark.parametrize("clusters", [None, np.arange(EXAMPLES) // 3])
@pytest.mark.parametrize("paired", [True, False])
def test_differences_are_those_of_the_comparison(affected, scores, digests, clusters, paired):
    rows = affected(scores, digests, clusters, replicas=not paired)
    assert [row.variant.number for row in rows] == [1, 2]  # the last one cuts nothing otherwise
    for number, row in enumerate(rows, 1):
        mask = digests[number] != digests[0]
        cut = None if clusters is None else clusters[mask]
        both = scores[[0, number]][..., mask]
        [alone] = compare(both, clusters=cut, paired=paired, groups=[0, 1], margin=0.01)
        contrast = row.contrast
        found = (contrast.delta, contrast.ci_low, contrast.ci_high, row.share)
        np.testing.assert_allclose(found, (alone.delta, alone.ci_low, alone.ci_high, mask.mean()), rtol=1e-12)


def test_a_row_says_how_many_pairs_and_how_right_both_are(affected, scores, digests):
    one, two = affected(scores, digests)
    assert (one.pairs, one.share) == (100, 1 / 3)
    assert (two.pairs, two.share) == (200, 2 / 3)
    assert (two.mean, two.baseline_mean) == (scores[2, :, :200].mean(), scores[0, :, :200].mean())
    assert (two.variant.number, two.baseline.number) == (2, 0)
    assert (two.contrast.variant, two.contrast.baseline) == (2, 0)


def test_p_is_adjusted_over_these_rows_alone(affected, scores, digests):
    rows = [row.contrast for row in affected(scores, digests)]
    alone = [compare(scores[[0, n], :, : 100 * n], [(1, 0)], margin=0.01)[0] for n in (1, 2)]
    np.testing.assert_allclose([row.p for row in rows], [contrast.p for contrast in alone])
    adjusted = holm([contrast.p for contrast in alone])
    np.testing.assert_allclose([row.p_adjusted for row in rows], adjusted)
    assert rows[1].verdict == "better"
    assert rows[0].p_adjusted == rows[0].p > rows[1].p  # Holm's last step
    assert rows[1].p_adjusted == 2 * rows[1].p


def test_an_exploratory_study_controls_the_false_discovery_rate(affected, scores, digests):
    for exploratory, factor in ((False, 2), (True, 1)):
        rows = affected(scores[[0, 1, 1]], digests[[0, 1, 1]], exploratory=exploratory)
        adjusted = [row.contrast.p_adjusted for row in rows]
        assert adjusted == [min(1.0, factor * rows[0].contrast.p)] * 2


def test_verdicts_with_the_margin_of_the_study(affected, digests):
    rng = np.random.default_rng(5)
    base = rng.random((SEEDS, EXAMPLES)) < 0.5
    worse = base & (rng.random((SEEDS, EXAMPLES)) < 0.5)
    scores = np.stack([base, worse, base, base])
    rows = affected(scores, digests, margin=0.1)
    assert [row.contrast.verdict for row in rows] == ["worse", "equivalent"]
    # 200 equal scores are not enough to show that fewer than one in a thousand differ.
    assert affected(scores, digests, margin=0.001)[1].contrast.verdict == "inconclusive"


def test_identical_inputs_have_no_row(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores[:3]}, same=[0, 1, 0])
    [test] = analyse(ledger).tests
    assert [row.variant.number for row in test.affected] == [1]
    assert test.affected[0].pairs == EXAMPLES - 1  # the first is cut by none
    first, second = (row.contrast for row in test.contrasts)
    assert second.verdict == "identical"
    # What is secondary changes nothing in the first table.
    assert first.p_adjusted == first.p


def test_no_interval_where_it_would_not_cover(tmp_path, handmade):
    """Calibration error never has one, macro F1 from 200 rows on; the mean stands, and the contrasts do."""
    scores = np.random.default_rng(4).random((2, 3, 240)) < 0.7
    few = analyse(handmade.write(tmp_path / "few", {"test": scores[..., :199]})).tests[0]
    many = analyse(handmade.write(tmp_path / "many", {"test": scores})).tests[0]
    for test, covered in ((few, False), (many, True)):
        for row in test.others:
            assert np.isnan(row.estimates["calibration_error"].ci_low)
            assert np.isnan(row.estimates["macro_f1"].ci_low) != covered
            assert not np.isnan(row.estimates["matthews"].ci_low)
            assert row.estimates["macro_f1"].se > 0
    judged = analyse(handmade.write(tmp_path / "by", {"test": scores[..., :199]}, score="macro_f1")).tests[0]
    assert all(np.isnan(row.estimate.ci_high) for row in judged.means)
    assert judged.learned is True
    assert not np.isnan(judged.contrasts[0].contrast.ci_low)
