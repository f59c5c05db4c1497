"""The calibration of ``bench/calibration.py`` on small studies, and that it analyses as ``compare`` does."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from trimtab.statistics import compare

STUDIES, EXAMPLES = 600, 400


@pytest.fixture(scope="module")
def calibration():
    """The script ``bench/calibration.py`` as a module."""
    path = Path(__file__).parents[2] / "bench" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["calibration"]


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("clusters", ["none", "many"])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_rates_of_error_and_coverage_are_about_nominal(calibration, n_seeds, clusters, paired):
    cell = calibration.Cell(n_seeds, EXAMPLES, "high", paired, clusters)
    row = calibration.cell_row(cell, STUDIES, np.random.default_rng([n_seeds, clusters == "many", paired]))
    assert 0.005 <= row["type_1"] <= 0.08
    assert row["coverage"] >= 0.92
    assert row["false_equivalence"] <= 0.08


def test_holm_keeps_the_family_of_six_variants(calibration):
    cell = calibration.Cell(3, EXAMPLES, "high", True, "none")
    assert calibration.family_row(cell, STUDIES, np.random.default_rng(0))["family"] <= 0.08


def test_a_true_difference_of_a_point_is_mostly_found_on_many_examples(calibration):
    cell = calibration.Cell(5, 20_000, "low", True, "none")
    assert calibration.cell_row(cell, 60, np.random.default_rng(1))["power"] > 0.9


def test_two_seeds_seldom_reject_at_the_levels_that_holm_asks_for(calibration):
    rng = np.random.default_rng(7)
    sure = rng.random((1500, 1, 300))
    scores = rng.random((2, 1500, 2, 300)) < sure
    found = calibration.analyse(scores, calibration.Cell(2, 300, "low", False, "none"), None)
    assert (found.p < 0.01).mean() <= 0.01  # 0.02 without the floor


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("clusters", ["none", "few"])
def test_the_full_calibration_analyses_as_compare_does(calibration, clusters, paired):
    rng = np.random.default_rng(3)
    cell = calibration.Cell(4, 400, "high", paired, clusters)
    labels = cell.labels(rng)
    scores = calibration.Model((0.0, 0.01, 0.02)).scores(cell, labels, 3, rng)
    answers = calibration.analyse(scores, cell, labels)
    for study in range(3):
        found = compare(scores[:, study], clusters=labels, paired=paired, groups=[0, 1, 2], correction="none")
        for k, contrast in enumerate(found):
            expected = contrast.delta, contrast.se, contrast.df, contrast.p, contrast.p_equivalence
            names = ("delta", "se", "df", "p", "p_equivalence")
            got = [getattr(answers, name)[k, study] for name in names]
            np.testing.assert_allclose(got, expected, err_msg=str((study, k)))
            assert answers.reach[k, study] == pytest.approx((contrast.ci_high - contrast.ci_low) / 2)


@pytest.mark.parametrize("paired", [True, False])
def test_the_simulated_truth_is_the_stated_one(calibration, paired):
    cell = calibration.Cell(2, 200_000, "high", paired, "none")
    model, rng = calibration.Model((0.0, 0.05)), np.random.default_rng(4)
    means = model.scores(cell, None, 1, rng).mean(axis=(1, 2, 3))
    assert means == pytest.approx([0.80, 0.85], abs=0.025)  # three deviations over seeds
    cell = calibration.Cell(400, 3000, "high", paired, "none")
    by_seed = model.scores(cell, None, 1, rng).mean(axis=-1)[0, 0]
    binomial = model.doubt / 3000  # what the examples of one seed add
    assert np.sqrt(by_seed.var(ddof=1) - binomial) == pytest.approx(0.008, rel=0.2)


def test_a_rate_outside_its_limits_is_told(calibration):
    assert calibration.faults([{"type_1": 0.05, "coverage": 0.95, "family": 0.02}]) == []
    assert len(calibration.faults([{"type_1": 0.2, "coverage": 0.9}, {"type_1": 0.0}])) == 3
    assert calibration.faults([{"seeds": 2, "type_1": 0.2}]) == []
    assert len(calibration.faults([{"seeds": 3, "type_1": 0.2}])) == 1
