"""What planned contrasts could detect: from the ledger's own trials where there are any, else assumed."""

from dataclasses import replace

import numpy as np
import pytest

from trimtab.ledger import Ledger
from trimtab.plan.plan import make_plan
from trimtab.plan.power import detectable
from trimtab.plan.prepare import prepare
from trimtab.report.plan import plan_text
from trimtab.statistics import (
    assumed_parts,
    contrast_parts,
    effective_clusters,
    seed_variances,
    smallest_detectable,
    smallest_margin,
)
from trimtab.statistics.class_scores import matthews

pytestmark = pytest.mark.integration


@pytest.fixture
def planned(tmp_path, tiny, study_at):
    def made(*replacements):
        text = tiny(*replacements)
        if '"longest_first", ' in text:  # of several
            text = text if "[compare]" in text else f"{text}[compare]\n"
            text = text.replace("[compare]\n", '[compare]\nbaseline = { truncation = "longest_first" }\n')
        study = study_at(tmp_path, text)
        return make_plan(prepare(study))

    return made


def text(plan, ledger):
    return plan_text(plan, ledger)


def test_assumed_before_there_are_trials(tmp_path, planned):
    plan = planned()
    [one] = detectable(
        plan, Ledger(tmp_path / "none")
    )  # at 40 nothing is cut, so that one contrast is tested
    clusters = len(np.unique(plan.dataset.splits["test"].clusters))
    parts = assumed_parts(1, 60, clusters)
    assert (one.name, one.baseline, one.measured) == ("ratio, max_len 12", "longest_first, max_len 12", 0)
    effective = effective_clusters(plan.dataset.splits["test"].clusters)
    assert list(one.by_seeds) == [2, 3, 5, 8, 12, 20]
    for seeds, reach in one.by_seeds.items():
        assert reach.difference == smallest_detectable(parts, seeds)
        assert reach.margin == smallest_margin(parts, seeds, effective_clusters=effective)
    said = text(plan, Ledger(tmp_path / "none"))
    assert "2 seeds (planned)" in said
    assert "Assumed, until trials are finished: a standard deviation over seeds of 0.40 points" in said
    assert "each" in said
    assert f"{100 * one.by_seeds[8].difference:.2f}" in said
    assert f"{100 * one.by_seeds[8].margin:.2f}" in said


def test_a_study_that_cannot_answer_its_question_is_warned(tmp_path, planned):
    ledger = Ledger(tmp_path / "none")
    one = detectable(planned(), ledger)[0]
    warning = (
        "Warning: 2 seeds on test cannot show equivalence within the margin, 0.50 points: equal variants "
        "will mostly stay inconclusive, as the smallest margin with 80 % power is "
        f"{100 * one.reach.margin:.2f} points; take more test rows or a larger margin in [compare]."
    )
    assert warning in text(planned(), ledger)
    wide = 100 * one.by_seeds[8].margin
    with_margin = planned("seeds = 2", f'seeds = 2\n[compare]\nmargin = "{wide + 0.01:.2f} points"')
    assert "; take 8 seeds, more test rows or a larger margin in [compare]." in text(with_margin, ledger)
    enough = planned("seeds = 2", f'seeds = 8\n[compare]\nmargin = "{wide + 0.01:.2f} points"')
    assert "Warning" not in text(enough, ledger)


def test_measured_from_finished_trials(ran, planned):
    ledger = Ledger(ran[1].folder)
    plan = planned("seeds = 2", "seeds = 6")  # two of six are there
    [one] = detectable(plan, ledger)
    frame = ledger.frame()
    rows = ledger.evaluated("test")

    def right(name):
        keys = frame[frame["name"] == name].sort_values("seed")["key"]
        return np.stack([ledger.trial(key).predictions("test").argmax(1) == rows.labels for key in keys])

    parts = contrast_parts(right(one.name), right(one.baseline), rows.clusters)
    assert one.measured == 2
    [known] = seed_variances([parts])
    np.testing.assert_allclose(one.reach.difference, smallest_detectable(parts, 6, known=known))
    said = text(plan, ledger)
    assert "ratio, max_len 12 against longest_first, max_len 12" in said
    assert "2 finished seeds" in said
    assert "From the variances of the ledger's own trials." in said


def test_one_seed_detects_nothing_and_more_contrasts_detect_less(tmp_path, planned):
    ledger = Ledger(tmp_path / "none")
    plan = planned("seeds = 2", "seeds = 1")
    assert np.isnan(detectable(plan, ledger)[0].reach.difference)
    assert "Warning: one seed permits no claim about strategies" in text(plan, ledger)
    [one] = detectable(planned(), ledger)
    many = detectable(planned('"ratio"]', '"ratio", "longest_first+tail"]'), ledger)
    assert len(many) == 2
    assert all(other.reach.difference > one.reach.difference for other in many)


def test_several_test_sets_detect_less(tmp_path, planned):
    """All contrasts and test sets are one family, as they are in the analysis."""
    plan, ledger = planned(), Ledger(tmp_path / "none")
    [one] = detectable(plan, ledger)
    splits = plan.dataset.splits | {"other": plan.dataset.splits["test"]}
    named = {"splits": splits, "tests": ("test", "other")}
    variants = [replace(each, dataset=replace(each.dataset, **named)) for each in plan.variants]
    both = detectable(replace(plan, variants=tuple(variants)), ledger)
    assert [each.test for each in both] == ["test", "other"]
    parts = assumed_parts(1, 60, len(np.unique(plan.dataset.splits["test"].clusters)))
    assert {each.reach.difference for each in both} == {smallest_detectable(parts, 2, contrasts=2)}
    assert both[0].reach.difference > one.reach.difference


def test_no_contrast_no_word(tmp_path, planned):
    plan = planned('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]")
    assert detectable(plan, Ledger(tmp_path / "none")) == []
    assert "80 % power" not in text(plan, Ledger(tmp_path / "none"))


MATTHEWS = ("seeds = 2", 'seeds = 2\n[compare]\nscore = "matthews"\nmargin = 0.02')


def test_by_another_score_nothing_is_assumed(tmp_path, planned):
    plan, ledger = planned(*MATTHEWS), Ledger(tmp_path / "none")
    [one] = detectable(plan, ledger)
    assert (one.known, one.measured, one.by_seeds) == (False, 0, {})
    said = text(plan, ledger)
    assert "What 1 of the contrasts could show by Matthews correlation is not known before two" in said
    assert "Assumed" not in said
    assert "ceiling" not in said


def test_by_another_score_it_is_measured_in_its_units(ran, planned):
    ledger = Ledger(ran[1].folder)
    plan = planned(*MATTHEWS)
    [one] = detectable(plan, ledger)
    frame, rows = ledger.frame(), ledger.evaluated("test")

    def values(name):
        keys = frame[frame["name"] == name].sort_values("seed")["key"]
        logits = np.stack([ledger.trial(key).predictions("test") for key in keys])
        return matthews(logits, rows.labels)

    parts = contrast_parts(values(one.name), values(one.baseline), rows.clusters)
    [known] = seed_variances([parts])
    reach = (
        smallest_detectable(parts, 2, known=known),
        smallest_margin(parts, 2, known=known, effective_clusters=np.nan),
    )
    np.testing.assert_allclose((one.reach.difference, one.reach.margin), reach)
    said = text(plan, ledger)
    assert "in\nMatthews correlation: the smallest difference" in said
    assert f"{one.reach.difference:.4f}" in said
