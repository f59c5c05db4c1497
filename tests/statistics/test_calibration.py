"""A short version of the calibration: equal variants are rejected about as often as alpha says."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from trimtab.statistics import compare, mean_interval

STUDIES = 500
EXAMPLES = 1000


def study(rng, n_variants, n_seeds, n_clusters=None, shift=0.0, paired=True):
    """Binary scores (variants, seeds, examples) of about 80 %, seeds half a point apart, and cluster ids."""
    labels = None if n_clusters is None else rng.integers(0, n_clusters, EXAMPLES)
    difficulty = 1.5 + 1.2 * rng.normal(size=EXAMPLES)
    taste = 0.3 * rng.normal(size=(n_variants, 1, EXAMPLES if labels is None else n_clusters))
    if labels is not None:
        taste = taste[..., labels]
    seeds = rng.normal(size=(n_variants, n_seeds, 1))
    if paired:  # half of what a seed does is done to all variants alike
        seeds = (seeds + rng.normal(size=(1, n_seeds, 1))) / np.sqrt(2)
    noise = 0.5 * rng.normal(size=(n_variants, n_seeds, EXAMPLES))
    better = shift * np.arange(n_variants)[:, None, None]
    return difficulty + taste + 0.03 * seeds + noise + better > 0, labels


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("n_clusters", [None, 300], ids=["examples", "clusters"])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_equal_variants_are_seldom_told_apart(n_seeds, n_clusters, paired):
    rng = np.random.default_rng([n_seeds, n_clusters or 0, paired])
    rejected = 0
    for _ in range(STUDIES):
        scores, clusters = study(rng, 2, n_seeds, n_clusters, paired=paired)
        rejected += compare(scores, clusters=clusters, paired=paired)[0].p < 0.05
    assert 0.005 <= rejected / STUDIES <= 0.08


def test_holm_keeps_the_family_of_six_variants():
    rng = np.random.default_rng(0)
    wrong = sum(
        any(contrast.p_adjusted < 0.05 for contrast in compare(study(rng, 6, 3)[0])) for _ in range(200)
    )
    assert wrong / 200 <= 0.08


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
def test_a_true_difference_of_two_points_is_mostly_found(paired):
    rng = np.random.default_rng(1)
    # A shift of 0.14 on the latent scale is two points of accuracy at 80 %.
    found = [compare(study(rng, 2, 5, shift=0.14, paired=paired)[0], paired=paired)[0] for _ in range(100)]
    assert np.mean([contrast.delta for contrast in found]) == pytest.approx(0.02, abs=0.004)
    assert np.mean([contrast.verdict == "better" for contrast in found]) > 0.6
    assert not any(contrast.verdict == "worse" for contrast in found)


def test_an_interval_of_a_mean_covers_the_truth():
    rng = np.random.default_rng(2)
    truth = np.mean([study(rng, 1, 1)[0].mean() for _ in range(2000)])
    covered = 0
    for _ in range(400):
        estimate = mean_interval(study(rng, 1, 3)[0][0])
        covered += estimate.ci_low <= truth <= estimate.ci_high
    assert covered / 400 >= 0.92


@pytest.fixture(scope="module")
def calibration():
    """The full one, ``bench/calibration.py``."""
    path = Path(__file__).parents[2] / "bench" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["calibration"]


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
