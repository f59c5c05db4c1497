"""The analysis of ledgers with known predictions: its rows are what the statistics say of those."""

from dataclasses import asdict, replace
from itertools import count

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.analysis.contrasts import Family
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.statistics import (
    FinishedContrast,
    chances_to_settle,
    compare,
    contrast_parts,
    effective_clusters,
    floor_of_examples,
    holm,
    mean_interval,
)

VARIANTS, SEEDS, EXAMPLES = 3, 4, 40


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    rates = np.array([0.5, 0.7, 0.9])[:, None, None]
    return rng.random((VARIANTS, SEEDS, EXAMPLES)) < rates


@pytest.fixture(scope="module")
def clear():
    """Scores that differ so much that four seeds tell."""
    rates = np.array([0.2, 0.8, 1.0])[:, None, None]
    return np.random.default_rng(1).random((VARIANTS, SEEDS, EXAMPLES)) < rates


@pytest.fixture
def made(tmp_path, handmade, scores):
    """made(**options): the analysis of a ledger of ``scores`` on the test set 'test'."""

    def analysed(scores=scores, **options):
        folder = tmp_path / str(next(numbers))
        return analyse(handmade.write(folder, {"test": scores}, **options))

    numbers = count()
    return analysed


def same(found, expected):
    """An estimate or a contrast agrees with another in every field but the numbers of variants."""
    assert type(found) is type(expected)
    for key, value in asdict(expected).items():
        if key not in ("variant", "baseline"):
            np.testing.assert_equal(getattr(found, key), value, err_msg=key)


def test_means_are_the_crossed_intervals(made, scores):
    [test] = made().tests
    assert (test.name, test.examples, test.clusters, test.effective_clusters) == ("test", 40, 40, 40.0)
    for variant, row in enumerate(test.means):
        same(row.estimate, mean_interval(scores[variant]))
        np.testing.assert_allclose(row.estimate.mean, scores[variant].mean())
        np.testing.assert_allclose(row.by_seed, scores[variant].mean(axis=1))
        assert (row.variant.number, row.variant.series, row.variant.max_len) == (variant, f"t{variant}", 8)
        assert (row.ceiling, row.p_above_ceiling, row.same_as) == (None, None, None)


def test_the_label_prior_baseline_is_that_of_the_score(made):
    [test] = made(score="macro_f1").tests
    assert test.prior_baseline == pytest.approx(1 / 3)
    [test] = made(score="calibration_error").tests
    assert test.prior_baseline is None


def test_contrasts_are_the_comparison(made, scores):
    [test] = made().tests
    expected = compare(scores, margin=0.01)
    assert len(test.contrasts) == len(expected) == 2
    for row, contrast in zip(test.contrasts, expected, strict=True):
        same(row.contrast, contrast)
        assert (row.variant.number, row.baseline.number) == (contrast.variant, contrast.baseline)
        assert (row.contrast.variant, row.contrast.baseline) == (contrast.variant, contrast.baseline)
        assert row.affected_share == 39 / 40  # the hand-made digests differ but for the first


def test_clusters_widen_what_they_should(made, scores):
    clusters = np.arange(EXAMPLES) // 4
    [test] = made(clusters={"test": clusters}).tests
    assert (test.clusters, test.effective_clusters) == (10, effective_clusters(clusters))
    for variant, row in enumerate(test.means):
        same(row.estimate, mean_interval(scores[variant], clusters))
    for row, contrast in zip(test.contrasts, compare(scores, clusters=clusters, margin=0.01), strict=True):
        assert (row.contrast.delta, row.contrast.se, row.contrast.p_adjusted) == (
            contrast.delta,
            contrast.se,
            contrast.p_adjusted,
        )


def test_an_exploratory_study_controls_the_false_discovery_rate(made, scores):
    [test] = made(exploratory=True).tests
    expected = compare(scores, margin=0.01, correction="bh")
    assert [row.contrast.p_adjusted for row in test.contrasts] == [
        contrast.p_adjusted for contrast in expected
    ]


def test_identical_inputs_are_not_tested(made, clear):
    analysis = made(clear, same=[0, 1, 0])
    [test] = analysis.tests
    assert [row.contrast.verdict for row in test.contrasts] == ["better", "identical"]
    assert (test.contrasts[1].contrast.delta, test.contrasts[1].affected_share) == (0, 0)
    assert np.isnan(test.contrasts[1].contrast.p)
    assert [row.same_as and row.same_as.number for row in test.means] == [None, None, 0]
    assert test.means[2].by_seed == test.means[0].by_seed
    # Holm counts the one contrast that is left.
    assert test.contrasts[0].contrast.p_adjusted == test.contrasts[0].contrast.p


def test_a_missing_seed_is_left_out_of_what_needs_it_alone(made, scores):
    analysis = made(missing=[(1, 2)])
    assert [(one.variant.number, one.seed, one.failure) for one in analysis.missing] == [(1, 2, None)]
    [test] = analysis.tests
    whole, less = [0, 1, 2, 3], [0, 1, 3]
    for variant, seeds in enumerate((whole, less, whole)):
        row = test.means[variant]
        same(row.estimate, mean_interval(scores[variant][seeds]))
        assert row.seeds == seeds
    first, second = test.contrasts
    alone = [
        compare(scores[[0, 1]][:, less], margin=0.01, correction="none")[0],
        compare(scores[[0, 2]], margin=0.01, correction="none")[0],
    ]
    for row, contrast, seeds in zip((first, second), alone, (less, whole), strict=True):
        found = (row.contrast.delta, row.contrast.se, row.contrast.df, row.contrast.p, row.seeds)
        assert found == (contrast.delta, contrast.se, contrast.df, contrast.p, seeds)
    np.testing.assert_array_equal(
        [first.contrast.p_adjusted, second.contrast.p_adjusted], holm([c.p for c in alone])
    )
    for row, seeds in zip(test.affected, (less, whole), strict=True):
        np.testing.assert_allclose(row.baseline_mean, scores[0][seeds][:, 1:].mean())
    assert [row.examples_per_second for row in analysis.speeds] == [100.0] * 3


def test_failed_trials_are_named_with_their_reason(made):
    analysis = made(failed=[(2, 0), (2, 1)])
    assert [row.seeds for row in analysis.tests[0].contrasts] == [[0, 1, 2, 3], [2, 3]]
    reason = "the loss became nan; lower learning_rate, or set clip"
    assert [(one.variant.number, one.seed, one.failure) for one in analysis.missing] == [
        (2, 0, reason),
        (2, 1, reason),
    ]


def test_a_variant_without_any_trial_is_left_out(made, scores):
    analysis = made(failed=[(1, seed) for seed in range(SEEDS)])
    assert [row.variant.number for row in analysis.tests[0].means] == [0, 2]
    [row] = analysis.tests[0].contrasts
    same(row.contrast, compare(scores[[0, 2]], margin=0.01)[0])


def test_without_its_baseline_a_variant_is_not_compared(made):
    [test] = made(failed=[(0, seed) for seed in range(SEEDS)]).tests
    assert test.contrasts == []
    assert [row.variant.number for row in test.uncompared] == [1, 2]


def test_nothing_finished(made):
    every = [(variant, seed) for variant in range(VARIANTS) for seed in range(SEEDS)]
    analysis = made(missing=every)
    assert (analysis.tests, analysis.speeds, analysis.curves) == ([], [], [])
    assert len(analysis.missing) == 12
    assert len(analysis.audits) == 9


def test_no_seed_in_common(made, scores):
    analysis = made(missing=[(0, 0), (0, 1), (1, 2), (1, 3)])
    [test] = analysis.tests
    assert [(row.variant.number, row.baseline.number) for row in test.uncompared] == [(1, 0)]
    assert [(row.variant.number, row.seeds) for row in test.contrasts] == [(2, [2, 3])]
    same(test.means[1].estimate, mean_interval(scores[1][:2]))


def test_replicas_are_unpaired_and_pool_their_spreads(made, scores):
    # One rate for all: spreads so unlike that they are not pooled would make this test say nothing.
    alike = np.random.default_rng(4).random(scores.shape) < 0.6
    [test] = made(scores=alike, replicas=True).tests
    expected = compare(alike, paired=False, margin=0.01)
    apart = compare(alike, paired=False, groups=range(VARIANTS), margin=0.01)
    for row, contrast, other in zip(test.contrasts, expected, apart, strict=True):
        assert (row.contrast.se, row.contrast.df, row.contrast.p_adjusted) == (
            contrast.se,
            contrast.df,
            contrast.p_adjusted,
        )
        assert row.contrast.df != other.df
        assert not row.contrast.paired


def test_variants_that_are_no_replicas_keep_their_own_spreads(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores})
    study = ledger.study
    contrasts = tuple(replace(contrast, paired=False) for contrast in study.contrasts)  # as across sizes
    ledger.write_study(study.model_copy(update={"contrasts": contrasts}), {"test": ledger.evaluated("test")})
    [test] = analyse(ledger).tests
    expected = compare(scores, paired=False, groups=range(VARIANTS), margin=0.01)
    assert [row.contrast.df for row in test.contrasts] == [contrast.df for contrast in expected]


def test_one_seed_permits_no_claim(tmp_path, handmade, scores):
    [test] = analyse(handmade.write(tmp_path, {"test": scores[:, :1]})).tests
    assert [row.contrast.verdict for row in test.contrasts] == ["inconclusive"] * 2
    assert all(np.isnan(row.estimate.ci_low) and np.isnan(row.estimate.se) for row in test.means)
    assert test.means[0].estimate.mean == scores[0, 0].mean()


def test_seed_numbers_are_those_of_the_study(tmp_path, handmade, scores):
    [test] = analyse(handmade.write(tmp_path, {"test": scores}, seeds=[9, 0, 4, 7])).tests
    assert [row.seeds for row in test.means] == [[9, 0, 4, 7]] * 3


def test_two_test_sets_stand_for_themselves(tmp_path, handmade, clear):
    turned = clear[::-1, :, :30]
    one, two = analyse(handmade.write(tmp_path, {"one": clear, "two": turned})).tests
    assert (one.name, two.name, two.examples) == ("one", "two", 30)
    assert [row.contrast.verdict for row in one.contrasts] == ["better", "better"]
    assert {row.contrast.verdict for row in two.contrasts} <= {"worse", "inconclusive"}
    same(two.means[0].estimate, mean_interval(turned[0]))


def test_the_contrasts_of_all_test_sets_are_one_family(tmp_path, handmade, scores):
    """Three test sets of two contrasts each: Holm over six, for differences and equivalence alike."""
    sets = {name: scores[:, :, start : start + 30] for name, start in (("a", 0), ("b", 5), ("c", 10))}
    tests = analyse(handmade.write(tmp_path, sets)).tests
    rows = [row.contrast for test in tests for row in test.contrasts]
    single = [
        one
        for each in sets.values()
        for one in compare(each, margin=0.01, correction="none", groups=range(3))
    ]
    np.testing.assert_allclose([row.p_adjusted for row in rows], holm([one.p for one in single]))
    np.testing.assert_allclose(
        [row.p_equivalence for row in rows], holm([one.p_equivalence for one in single])
    )
    assert {test.family for test in tests} == {Family(tested=6, sets=3)}
    for test in tests:
        for row, contrast in zip(test.contrasts, compare(sets[test.name], margin=0.01), strict=True):
            if row.contrast.p < 0.3:
                assert row.contrast.p_adjusted > contrast.p_adjusted  # within the test set alone


def test_a_mean_above_its_ceiling(made, scores):
    means = scores.mean(axis=(1, 2))
    [test] = made(ceilings=[1.0, means[1] - 1e-3, 0.5]).tests
    assert [row.ceiling for row in test.means] == [1.0, means[1] - 1e-3, 0.5]
    below, hardly, far = (row.p_above_ceiling for row in test.means)
    assert below > 0.99
    assert 0.4 < hardly < 0.5
    assert 0 < far < 1e-3


def test_one_contrast_against_another_baseline(made, scores):
    [test] = made(contrasts=[(0, 2)]).tests
    [row] = test.contrasts
    np.testing.assert_allclose(row.contrast.delta, scores[0].mean() - scores[2].mean())
    assert (row.contrast.verdict, row.baseline.number) == ("worse", 2)


def test_curves_and_speeds(made):
    analysis = made()
    assert len(analysis.curves) == VARIANTS * SEEDS * 2
    assert {(row.seed, row.epoch.epoch) for row in analysis.curves} == {
        (s, e) for s in range(4) for e in (1, 2)
    }
    row = analysis.speeds[0]
    assert (row.peak_bytes, row.training_seconds, row.precision) == (5 << 20, 2.0, "fp32")


def test_predictions_that_are_gone_are_named(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores})
    path = ledger.trial("trial-1-0").folder / "predictions.npz"
    path.unlink()
    with pytest.raises(InputError, match=rf"^{path}: cannot be read .*; run the study again"):
        analyse(ledger)


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no results; name the folder of a study that was run"):
        analyse(Ledger(tmp_path))


def test_inconclusive_contrasts_have_chances_of_being_settled(made):
    """Those of ``chances_to_settle`` over the whole family, whose other contrast is settled."""
    rng = np.random.default_rng(8)
    alike = rng.random((VARIANTS, SEEDS, EXAMPLES)) < np.array([0.6, 0.6, 0.95])[:, None, None]
    first, second = made(scores=alike).tests[0].contrasts
    assert (first.contrast.verdict, second.contrast.verdict) == ("inconclusive", "better")
    assert second.chances is None
    parts = [contrast_parts(one, alike[0]) for one in alike[1:]]
    seeds, told = zip(*first.chances.by, strict=True)
    found = chances_to_settle([FinishedContrast(one, True, EXAMPLES) for one in parts], seeds, 0.01)
    np.testing.assert_allclose(told, found[0])
    assert min(seeds) > SEEDS
    assert first.chances.floor == floor_of_examples(parts[0], contrasts=2)
    # The examples' own share is too large for any number of seeds.
    lasting = np.repeat(alike[:, :1], SEEDS, axis=1)
    [first, _] = made(scores=lasting).tests[0].contrasts
    assert (first.contrast.verdict, first.chances.enough) == ("inconclusive", None)
    assert first.chances.floor > 0.01
    [first, _] = made(scores=alike[:, :1], seeds=[0]).tests[0].contrasts
    assert first.chances.by == ()
