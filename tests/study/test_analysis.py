"""The analysis of ledgers with known predictions: its rows are what the statistics say of those."""

from dataclasses import asdict

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.statistics import compare, effective_clusters, mean_interval
from trimtab.study import Ledger
from trimtab.study.analysis import analyse

VARIANTS, SEEDS, EXAMPLES = 3, 4, 40


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    rates = np.array([0.5, 0.7, 0.9])[:, None, None]
    return rng.random((VARIANTS, SEEDS, EXAMPLES)) < rates


@pytest.fixture
def made(tmp_path, handmade, scores):
    """made(**options): the analysis of a ledger of ``scores`` on the test set 'test'."""
    return lambda **options: analyse(handmade.write(tmp_path, {"test": scores}, **options))


def same(row, expected):
    """A row agrees with a dataclass in every field that both have, nan with nan."""
    for key, value in asdict(expected).items():
        if key in ("variant", "baseline"):
            continue
        np.testing.assert_equal(row[key], value, err_msg=key)


def test_means_are_the_crossed_intervals(made, scores):
    [test] = made().tests
    assert (test.name, test.examples, test.clusters, test.effective_clusters) == ("test", 40, 40, 40.0)
    for variant, row in enumerate(test.means):
        same(row, mean_interval(scores[variant]))
        np.testing.assert_allclose(row["mean"], scores[variant].mean())
        np.testing.assert_allclose(row["by_seed"], scores[variant].mean(axis=1))
        assert (row["variant"], row["series"], row["max_len"]) == (variant, f"t{variant}", 8)
        assert (row["ceiling"], row["p_above_ceiling"], row["same_as"]) == (None, None, None)


def test_contrasts_are_the_comparison(made, scores):
    [test] = made().tests
    affected = np.ones((VARIANTS, EXAMPLES), bool)
    affected[:, 0] = False  # as the hand-made digests have it
    expected = compare(scores, affected=affected, margin=0.01)
    assert len(test.contrasts) == len(expected) == 2
    for row, contrast in zip(test.contrasts, expected, strict=True):
        same(row, contrast)
        assert row["name"] == f"t{contrast.variant}, max_len 8"
        assert (row["baseline"], row["baseline_number"]) == ("t0, max_len 8", 0)
        assert row["affected_share"] == 39 / 40


def test_clusters_widen_what_they_should(made, scores):
    clusters = np.arange(EXAMPLES) // 4
    [test] = made(clusters={"test": clusters}).tests
    assert (test.clusters, test.effective_clusters) == (10, effective_clusters(clusters))
    for variant, row in enumerate(test.means):
        same(row, mean_interval(scores[variant], clusters))
    for row, contrast in zip(test.contrasts, compare(scores, clusters=clusters, margin=0.01), strict=True):
        assert (row["delta"], row["se"], row["p_adjusted"]) == (
            contrast.delta,
            contrast.se,
            contrast.p_adjusted,
        )


def test_an_exploratory_study_controls_the_false_discovery_rate(made, scores):
    [test] = made(exploratory=True).tests
    expected = compare(scores, margin=0.01, correction="bh")
    assert [row["p_adjusted"] for row in test.contrasts] == [contrast.p_adjusted for contrast in expected]


def test_identical_inputs_are_not_tested(made, scores):
    analysis = made(same=[0, 1, 0])
    [test] = analysis.tests
    assert [row["verdict"] for row in test.contrasts] == ["better", "identical"]
    assert (test.contrasts[1]["delta"], test.contrasts[1]["affected_share"]) == (0, 0)
    assert np.isnan(test.contrasts[1]["p"])
    assert [row["same_as"] for row in test.means] == [None, None, "t0, max_len 8"]
    assert test.means[2]["by_seed"] == test.means[0]["by_seed"]
    # Holm counts the one contrast that is left.
    assert test.contrasts[0]["p_adjusted"] == test.contrasts[0]["p"]


def test_a_missing_seed_is_left_out_everywhere_and_named(made, scores):
    analysis = made(missing=[(1, 2)])
    assert analysis.seeds == [0, 1, 3]
    assert analysis.missing == [{"name": "t1, max_len 8", "seed": 2, "status": "missing"}]
    for variant, row in enumerate(analysis.tests[0].means):
        same(row, mean_interval(scores[variant][[0, 1, 3]]))
    assert [row["examples_per_second"] for row in analysis.speeds] == [100.0] * 3


def test_failed_trials_are_named_with_their_reason(made):
    analysis = made(failed=[(2, 0), (2, 1)])
    assert analysis.seeds == [2, 3]
    assert analysis.failures == [
        {
            "name": "t2, max_len 8",
            "seed": seed,
            "reason": "the loss became nan; lower learning_rate, or set clip",
        }
        for seed in (0, 1)
    ]
    assert [row["status"] for row in analysis.missing] == ["failed", "failed"]


def test_a_variant_without_any_trial_is_left_out(made, scores):
    analysis = made(failed=[(1, seed) for seed in range(SEEDS)])
    assert analysis.seeds == [0, 1, 2, 3]
    assert [row["variant"] for row in analysis.tests[0].means] == [0, 2]
    [contrast] = analysis.tests[0].contrasts
    same(
        contrast, compare(scores[[0, 2]], affected=np.arange(EXAMPLES)[None] * [[1], [1]] > 0, margin=0.01)[0]
    )


def test_without_its_baseline_a_variant_is_not_compared(made):
    assert made(failed=[(0, seed) for seed in range(SEEDS)]).tests[0].contrasts == []


def test_nothing_finished(made):
    every = [(variant, seed) for variant in range(VARIANTS) for seed in range(SEEDS)]
    analysis = made(missing=every)
    assert (analysis.seeds, analysis.tests, analysis.speeds, analysis.curves) == ([], [], [], [])
    assert len(analysis.missing) == 12
    assert len(analysis.audits) == 9


def test_no_seed_in_common(made):
    analysis = made(missing=[(0, 0), (0, 1), (1, 2), (1, 3)])
    assert (analysis.seeds, analysis.tests, analysis.speeds) == ([], [], [])


def test_one_seed_permits_no_claim(tmp_path, handmade, scores):
    [test] = analyse(handmade.write(tmp_path, {"test": scores[:, :1]})).tests
    assert [row["verdict"] for row in test.contrasts] == ["inconclusive"] * 2
    assert all(np.isnan(row["ci_low"]) and np.isnan(row["se"]) for row in test.means)
    assert test.means[0]["mean"] == scores[0, 0].mean()


def test_seed_numbers_are_those_of_the_study(tmp_path, handmade, scores):
    assert analyse(handmade.write(tmp_path, {"test": scores}, seeds=[9, 0, 4, 7])).seeds == [9, 0, 4, 7]


def test_two_test_sets_stand_for_themselves(tmp_path, handmade, scores):
    turned = scores[::-1, :, :30]
    one, two = analyse(handmade.write(tmp_path, {"one": scores, "two": turned})).tests
    assert (one.name, two.name, two.examples) == ("one", "two", 30)
    assert [row["verdict"] for row in one.contrasts] == ["better", "better"]
    assert {row["verdict"] for row in two.contrasts} <= {"worse", "inconclusive"}
    same(two.means[0], mean_interval(turned[0]))


def test_a_mean_above_its_ceiling(made, scores):
    means = scores.mean(axis=(1, 2))
    [test] = made(ceilings=[1.0, means[1] - 1e-3, 0.5]).tests
    assert [row["ceiling"] for row in test.means] == [1.0, means[1] - 1e-3, 0.5]
    below, hardly, far = (row["p_above_ceiling"] for row in test.means)
    assert below > 0.99
    assert 0.4 < hardly < 0.5
    assert 0 < far < 1e-3


def test_one_contrast_against_another_baseline(made, scores):
    [test] = made(contrasts=[(0, 2)]).tests
    [row] = test.contrasts
    np.testing.assert_allclose(row["delta"], scores[0].mean() - scores[2].mean())
    assert (row["verdict"], row["baseline"]) == ("worse", "t2, max_len 8")


def test_curves_and_speeds(made):
    analysis = made()
    assert len(analysis.curves) == VARIANTS * SEEDS * 2
    assert {(row["seed"], row["epoch"]) for row in analysis.curves} == {
        (s, e) for s in range(4) for e in (1, 2)
    }
    row = analysis.speeds[0]
    assert (row["peak_bytes"], row["training_seconds"], row["precision"]) == (5 << 20, 2.0, "fp32")


def test_predictions_that_are_gone_are_named(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores})
    path = ledger.trial("trial-1-0").folder / "predictions.npz"
    path.unlink()
    with pytest.raises(
        InputError, match=rf"^{path}: cannot be read .*; delete {path.parent} and run the study"
    ):
        analyse(ledger)


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="holds no results; name the folder of a study that was run"):
        analyse(Ledger(tmp_path))
