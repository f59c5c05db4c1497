"""The calibration on small studies; that it analyses as ``compare`` does, and simulates what it says."""

import numpy as np
import pytest

from bench.calibration import __main__ as command
from bench.calibration import families, few_rows, page, peers_statistics, rankings, simulation
from trimtab.statistics import compare

pytestmark = pytest.mark.integration

STUDIES, EXAMPLES = 600, 400


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("clusters", ["none", "many"])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_rates_of_error_and_coverage_are_about_nominal(n_seeds, clusters, paired):
    cell = simulation.Cell(n_seeds, EXAMPLES, "high", paired, clusters)
    row = command.cell_row(cell, STUDIES, np.random.default_rng([n_seeds, clusters == "many", paired]))
    assert row["type_1"] <= 0.08
    assert row["coverage"] >= 0.92
    assert row["false_equivalence"] <= 0.08


def test_holm_keeps_the_family_of_six_variants():
    cell = simulation.Cell(3, EXAMPLES, "high", True, "none")
    assert command.family_row(cell, STUDIES, np.random.default_rng(0))["family"] <= 0.08


def test_a_true_difference_of_a_point_is_mostly_found_on_many_examples():
    cell = simulation.Cell(5, 20_000, "low", True, "none")
    assert command.cell_row(cell, 60, np.random.default_rng(1))["power"] > 0.9


def test_two_seeds_seldom_reject_at_the_levels_that_holm_asks_for():
    rng = np.random.default_rng(7)
    sure = rng.random((1500, 1, 300))
    scores = rng.random((2, 1500, 2, 300)) < sure
    found = simulation.analyse(scores, simulation.Cell(2, 300, "low", False, "none"), None)
    assert (found.p < 0.01).mean() <= 0.01  # 0.02 without the floor


@pytest.mark.parametrize("paired", [True, False], ids=["paired", "unpaired"])
@pytest.mark.parametrize("clusters", ["none", "few"])
def test_the_calibration_analyses_as_compare_does(clusters, paired):
    rng = np.random.default_rng(3)
    cell = simulation.Cell(4, 400, "high", paired, clusters)
    labels = cell.labels(rng)
    scores = simulation.Model((0.0, 0.01, 0.02)).scores(cell, labels, 3, rng)
    answers = simulation.analyse(scores, cell, labels)
    for study in range(3):
        found = compare(scores[:, study], clusters=labels, paired=paired, groups=[0, 1, 2], correction="none")
        for k, contrast in enumerate(found):
            expected = contrast.delta, contrast.se, contrast.df, contrast.p, contrast.p_equivalence
            names = ("delta", "se", "df", "p", "p_equivalence")
            got = [getattr(answers, name)[k, study] for name in names]
            np.testing.assert_allclose(got, expected, err_msg=str((study, k)))
            assert answers.reach[k, study] == pytest.approx((contrast.ci_high - contrast.ci_low) / 2)


@pytest.mark.parametrize("paired", [True, False])
def test_the_simulated_truth_is_the_stated_one(paired):
    cell = simulation.Cell(2, 200_000, "high", paired, "none")
    model, rng = simulation.Model((0.0, 0.05)), np.random.default_rng(4)
    means = model.scores(cell, None, 1, rng).mean(axis=(1, 2, 3))
    assert means == pytest.approx([0.80, 0.85], abs=0.025)  # three standard deviations over seeds
    cell = simulation.Cell(400, 3000, "high", paired, "none")
    by_seed = model.scores(cell, None, 1, rng).mean(axis=-1)[0, 0]
    binomial = model.doubt / 3000  # what the examples of one seed add
    assert np.sqrt(by_seed.var(ddof=1) - binomial) == pytest.approx(0.008, rel=0.2)


def test_a_rate_outside_its_limits_is_told():
    assert page.faults([{"type_1": 0.05, "coverage": 0.95, "family": 0.02}]) == []
    assert len(page.faults([{"type_1": 0.2, "coverage": 0.9}, {"type_1": 0.0}])) == 2
    assert page.faults([{"seeds": 2, "type_1": 0.2}]) == []
    assert len(page.faults([{"seeds": 3, "type_1": 0.2}])) == 1


@pytest.mark.parametrize(
    "family",
    [
        families.Family(3, 1.0, 5),
        families.Family(3, 2.0, 11),
        families.Family(2, 2.0, 11),
        families.Family(5, 0.4, 1, sets=5),
        families.Family(2, 1.0, 11, paired=False),  # 0.14 with Satterthwaite's df alone
    ],
)
def test_families_of_noisy_seeds_and_several_test_sets_hold_their_level(family):
    row = families.row(family, 2000, np.random.default_rng(6))
    assert row["family"] <= 0.07
    assert row["coverage"] >= 0.93


def test_collapse_is_a_row_without_limits():
    row = families.row(families.Family(3, 0.4, 1, collapse=0.1), 1000, np.random.default_rng(7))
    assert row["false_verdict"] > 0.3  # why collapsed seeds are counted beside verdicts
    assert page.faults([row]) == []


def test_intervals_of_few_rows_are_hidden_where_they_miss():
    rng = np.random.default_rng(8)
    hidden = few_rows.row(few_rows.FewRows("calibration_error", 100, "even"), 60, rng)
    assert hidden["hidden_coverage"] < 0.95
    assert hidden["bias"] < -0.01
    shown = few_rows.row(few_rows.FewRows("macro_f1", 200, "even"), 60, rng)
    assert shown["shown_coverage"] >= 0.88


@pytest.mark.parametrize("score", ["map", "ndcg@10", "mrr@10"])
def test_rankings_of_equal_variants_differ_seldom_and_of_better_ones_often(score):
    rng = np.random.default_rng(9)
    row = rankings.row(rankings.Rankings(score, 250, 5), 60, rng)
    assert row["type_1"] < 0.15
    assert row["power"] > 0.2


def test_tables_that_are_not_made_again_stay(tmp_path):
    part = {"signature": {"date": "one day", "studies": "100"}, "rows": [{"family": 0.05, "seeds": 3}]}
    page.write(tmp_path, {"families": part, "noise": part})
    page.write(tmp_path, {"noise": part | {"signature": {"date": "a later day", "studies": "9000"}}})
    text = (tmp_path / "calibration.md").read_text()
    assert (
        "100 studies a row: a rate of 0.05 has a Monte Carlo error of 0.0218. Made with date one day." in text
    )
    assert "Made with date a later day." in text
    assert page.WITHIN in text


def test_packages_that_know_no_seeds_call_noise_a_difference():
    """With two variants that differ by what their seeds drew, and by nothing else."""
    for package in peers_statistics.PACKAGES:
        pytest.importorskip(package, reason=f"no {package}; `make .venv/peers` installs it")
    rng = np.random.default_rng(9)
    cell = simulation.Cell(3, 4000, "highest", True, "none")
    model = simulation.Model((0.0, 0.0))
    p = {name: [] for name in ("trimtab, paired", "errorbars, paired t over examples")}
    for _ in range(40):
        scores = model.scores(cell, None, 1, rng)[:, 0].astype(float)
        for name, of in p.items():
            of.append(peers_statistics.METHODS[name](scores))
    false = [float((np.array(of) < 0.05).mean()) for of in p.values()]
    assert false[0] <= 0.1 < false[1]
    for name in ("evalstats, nested bootstrap", "evalsig, permutation over examples"):
        assert 0 <= peers_statistics.METHODS[name](scores[:, :, :200]) <= 1
