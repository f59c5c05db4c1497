"""Seeds that diverged, failed or collapsed: counted, and never a reason to look better."""

import numpy as np
import pytest
from scipy import stats

from trimtab.analysis.analysis import analyse
from trimtab.analysis.seed_counts import SeedCount
from trimtab.report.score_section import score_table
from trimtab.report.summary import summary

RATES = np.array([0.5, 0.9, 0.9])[:, None, None]


@pytest.fixture
def scores():
    return np.random.default_rng(2).random((3, 4, 400)) < RATES


@pytest.mark.parametrize(("lost", "tried"), [(0, 3), (1, 3), (2, 7), (5, 5)])
def test_the_limit_is_clopper_and_pearsons(lost, tried):
    count = SeedCount(tried, lost, 0, 0)
    expected = stats.binomtest(lost, tried).proportion_ci(0.95, "exact").high
    assert count.most == pytest.approx(expected)
    assert SeedCount(3, 0, 0, 0).most == pytest.approx(0.708, abs=5e-4)


def test_a_diverged_seed_withholds_every_verdict_on_its_variant(tmp_path, handmade, scores):
    """Whatever its other seeds say, at every margin, against explored baselines and by other scores too."""
    [whole] = analyse(handmade.write(tmp_path / "whole", {"test": scores})).tests
    assert [row.contrast.verdict for row in whole.contrasts] == ["better", "better"]
    [test] = analyse(handmade.write(tmp_path / "made", {"test": scores}, failed=[(1, 2)])).tests
    one, two = test.contrasts
    assert (one.contrast.verdict, one.withheld, one.chances) == ("inconclusive", "better", None)
    assert (two.contrast.verdict, two.withheld) == ("better", None)
    assert one.contrast.p_adjusted < 0.05  # what is computed stands
    assert [row.contrast.verdict for row in test.affected] == ["inconclusive", "better"]
    for view in test.views:
        for group in view.groups:
            for row, judged in zip(group.rows, group.judged, strict=True):
                if 1 in (row.variant.number, row.baseline.number):
                    assert {at.verdict for at in judged} == {"inconclusive"}
    assert test.recommendation.candidate.variant.number != 1
    assert test.seed_counts == {0: SeedCount(4, 0, 0, 0), 1: SeedCount(4, 1, 1, 0), 2: SeedCount(4, 0, 0, 0)}
    [said] = [line for line in summary(test) if "diverged" in line]
    assert said.startswith("t1, max_len 8: of 4 seeds 1 diverged (up to 81 % of all seeds may)")
    assert "(1 withheld)" in said
    table = score_table(test)
    place = table.heads.index("seeds failed or collapsed")
    assert [row[place] for row in table.cells] == [
        "0 of 4: up to 60 %",
        "1 of 4: up to 81 %",
        "0 of 4: up to 60 %",
    ]


def test_no_seeds_are_said_to_settle_what_is_withheld(tmp_path, handmade):
    """More seeds bring no verdict on a variant with a diverged seed, so there is no chance to tell of."""
    equal = np.random.default_rng(3).random((3, 4, 400)) < 0.5
    [test] = analyse(handmade.write(tmp_path, {"test": equal}, failed=[(1, 2)])).tests
    assert [row.contrast.verdict for row in test.contrasts] == ["inconclusive"] * 2
    assert [row.chances is None for row in test.contrasts] == [True, False]


def test_another_failure_is_counted_and_withholds_nothing(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores}, missing=[(1, 2)])
    ledger.trial("trial-1-2").fail("its process was killed, as happens when memory runs out")
    [test] = analyse(ledger).tests
    assert test.contrasts[0].contrast.verdict == "better"
    assert test.seed_counts[1] == SeedCount(4, 1, 0, 0)
    assert any("t1, max_len 8: of 4 seeds 1 failed" in line for line in summary(test))


@pytest.mark.parametrize("prior", [None, 0.34])
def test_collapsed_seeds_are_counted(tmp_path, handmade, scores, prior):
    """By the label prior of validation, or in ledgers without it by one class for every row."""
    logits = np.zeros((3, 4, 400, 3))
    right = scores[..., None] & (np.arange(400) % 3 == np.arange(3)[:, None]).T
    logits[right] = 1
    logits[2, :2] = [0, 1, 0]

    def epochs(number, place):
        collapsed = number == 2 and place < 2
        return [handmade.epoch(1, validation_accuracy=0.34 if collapsed else 0.8)]

    ledger = handmade.write(tmp_path, {"test": scores}, logits={"test": logits}, epochs=epochs)
    study = ledger.study.model_copy(update={"validation_prior": prior})
    ledger.write_study(study, {"test": ledger.evaluated("test")})
    [test] = analyse(ledger).tests
    assert [count.collapsed for count in test.seed_counts.values()] == [0, 0, 2]
    assert any("t2, max_len 8: of 4 seeds 2 collapsed" in line for line in summary(test))
