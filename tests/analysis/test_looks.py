"""Planned looks on ledgers with known predictions: what stops, on what its numbers stand, what is not run."""

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.analysis.compared_sets import compared_sets, contrast_rows, looks_taken
from trimtab.analysis.scores import tried_variants
from trimtab.analysis.state import study_state
from trimtab.ledger.records import LooksRecord
from trimtab.report.look_words import EXAGGERATED, look_lines, planned_words
from trimtab.report.output import Output
from trimtab.report.page import write_page
from trimtab.statistics import Looks, compare, holm

PLANNED, SEEDS, ROWS = (2, 4, 6), 6, 900


def rights(rates, seed=0, noise=0.004, rows=ROWS):
    rng = np.random.default_rng(seed)
    level = np.asarray(rates)[:, None, None] + noise * rng.standard_normal((len(rates), SEEDS, 1))
    return rng.random((len(rates), SEEDS, rows)) < level


def unseen(*places):
    """(variant, seed) that are missing: seeds from a number on."""
    return [(variant, seed) for variant, first in places for seed in range(first, SEEDS)]


def rows_of(ledger):
    """The declared contrasts of the test set."""
    study = ledger.study
    finished = [one for one in tried_variants(ledger, study) if one.results]
    return contrast_rows(*compared_sets(ledger, study, finished))[0]


@pytest.fixture
def ledger(tmp_path, handmade):
    def made(scores, folder="made", **options):
        given = scores if isinstance(scores, dict) else {"test": scores}
        return handmade.write(tmp_path / folder, given, looks=PLANNED, **options)

    return made


def by_hand(scores, at):
    """p of each contrast over the looks up to ``at``, each on the first seeds."""
    found = []
    for variant in range(1, len(scores)):
        each = [
            Looks(PLANNED[: n + 1], SEEDS).adjusted(compare(scores[:, :size], [(variant, 0)])[0].p)
            for n, size in enumerate(PLANNED[: at[variant - 1]])
        ]
        found.append(min(1.0, *map(float, each)))
    return found


def test_each_contrast_is_as_it_was_where_it_stopped(ledger):
    """One differs at once, one hardly could, one is worse in the end; later seeds change nothing."""
    scores = rights([0.6, 0.9, 0.6, 0.55])
    rows = rows_of(ledger(scores))
    looks = [row.course.look for row in rows]
    assert rows[0].contrast.verdict == "better"
    assert looks[0] < 3
    assert rows[0].course.is_exaggerated
    p = by_hand(scores, looks)
    np.testing.assert_allclose([row.contrast.p for row in rows], p)
    np.testing.assert_allclose([row.contrast.p_adjusted for row in rows], holm(p))
    for row, look in zip(rows, looks, strict=True):
        assert row.seeds == list(range(PLANNED[look - 1]))
        own = compare(scores[:, : len(row.seeds)], [(row.variant.number, 0)], margin=0.01)[0]
        assert (row.contrast.delta, row.contrast.se) == (own.delta, own.se)
        assert row.contrast.ci_high > own.ci_high
        assert row.chances is None


def test_decisions_do_not_need_what_they_leave_out(ledger):
    """The trials that are not run change no decision and no number of a contrast, and none is missing."""
    scores = rights([0.6, 0.9, 0.6, 0.55])
    whole = analyse(ledger(scores, "whole"))
    stops = {row.variant.number: PLANNED[row.course.look - 1] for row in whole.tests[0].contrasts}
    stops[0] = max(stops.values())
    part = ledger(scores, missing=unseen(*stops.items()))
    found = analyse(part)
    assert [row.contrast for row in found.tests[0].contrasts] == [
        row.contrast for row in whole.tests[0].contrasts
    ]
    assert found.looks.courses == whole.looks.courses
    assert found.missing == []
    assert len(found.stopped) == sum(SEEDS - size for size in stops.values())
    assert {row.status for row in found.stopped} <= {f"not run, stopped at look {n}" for n in (1, 2, 3)}


@pytest.mark.parametrize("missing", [[(3, 3)], [(0, 2)], [(1, 0)]])
def test_a_look_is_taken_when_all_of_its_trials_have_ended(ledger, missing):
    """Until then nothing is decided by it, whatever else has finished."""
    made = ledger(rights([0.6, 0.9, 0.6, 0.55]), missing=missing)
    found = looks_taken(made)
    expected = 0 if missing[0][1] < 2 else 1
    assert found.taken == expected
    assert {course.look for course in found.courses.values()} <= {1, expected}
    assert not found.is_over
    wanted = found.wanted(made.study)
    variant, seed = missing[0]
    assert f"trial-{variant}-{seed}" in wanted


def test_before_the_first_look_no_verdict_is_given(ledger):
    analysis = analyse(ledger(rights([0.5, 0.99, 0.6]), missing=[(2, 1)]))
    [test] = analysis.tests
    assert [row.contrast.verdict for row in test.contrasts] == ["inconclusive"] * 2
    assert [row.contrast.p for row in test.contrasts] == [1.0, 1.0]
    assert not test.recommendation.named
    assert len(analysis.missing) == 1


def test_a_failed_seed_is_left_out_and_the_look_is_taken(ledger):
    """Here for want of memory: the numbers are those of the common seeds, and so are the levels."""
    scores = rights([0.6, 0.9, 0.6])
    made = ledger(scores, missing=[(1, 3)])
    made.trial("trial-1-3").fail("out of memory, with 2 rows at a time: no room")
    [row, _] = rows_of(made)
    assert looks_taken(made).taken == 3
    assert row.contrast.looks.sizes[: len(row.contrast.earlier) + 1] == ((2, 3, 5)[: row.course.look])
    assert row.contrast.verdict == "better"


def test_a_diverged_seed_stops_its_contrasts_without_a_verdict(ledger):
    made = ledger(rights([0.6, 0.95, 0.6, 0.6]), failed=[(1, 1)])
    row = rows_of(made)[0]
    assert (row.course.reason, row.course.look, row.contrast.verdict) == ("withheld", 1, "inconclusive")
    assert looks_taken(made).taken > 1


def test_where_every_trial_of_a_variant_fails_the_study_still_ends(ledger):
    failed = [(1, seed) for seed in range(SEEDS)]
    found = analyse(ledger(rights([0.6, 0.9, 0.6]), failed=failed))
    assert found.looks.is_over
    assert found.missing == [
        trial
        for trial in found.trials
        if trial.variant.number == 1 and trial.failure and trial.stopped is None
    ]


def test_nothing_finished_at_all(ledger):
    made = ledger(rights([0.6, 0.9]), missing=unseen((0, 0), (1, 0)))
    found = looks_taken(made)
    assert (found.taken, len(found.wanted(made.study))) == (0, 4)
    assert analyse(made).tests == []


def test_identical_inputs_are_no_contrast(ledger):
    """Variants that share their trials have nothing to decide, and end with the first look."""
    found = looks_taken(ledger(rights([0.6, 0.6, 0.9]), same=[0, 0, 2], contrasts=[(1, 0)]))
    assert (found.courses, found.is_over, found.taken) == ({}, True, 1)
    assert len(found.stopped) == 2 * (SEEDS - 2)


def test_several_test_sets_are_one_family(ledger):
    """A variant trains as long as a contrast of any test set goes on."""
    sets = {"one": rights([0.6, 0.95]), "other": rights([0.6, 0.6], seed=5)}
    found = analyse(ledger(sets))
    one, other = (test.contrasts[0] for test in found.tests)
    assert one.course.look < other.course.look
    p = [by_hand(sets[name], [row.course.look])[0] for name, row in (("one", one), ("other", other))]
    np.testing.assert_allclose([one.contrast.p_adjusted, other.contrast.p_adjusted], holm(p))
    assert found.looks.seeds[1] == PLANNED[other.course.look - 1]


def test_the_recommendation_takes_the_looks_into_account(ledger):
    """Its p is sequential too: no smaller than that of the latest look alone, adjusted for the looks."""
    scores = rights([0.8, 0.82, 0.5], noise=0.001)
    [test] = analyse(ledger(scores, margin=0.05)).tests
    found = test.recommendation
    contrast = found.hardest.contrast
    assert contrast.looks is not None
    assert found.p >= 1e-6
    plain = compare(scores[:, : len(found.hardest.seeds)], [(1, 0)], margin=0.05)[0]
    assert contrast.ci_high - contrast.ci_low > plain.ci_high - plain.ci_low


@pytest.mark.integration
def test_the_report_says_what_stopped_and_what_that_saved(ledger, tmp_path, unsaved_figures):
    scores = rights([0.6, 0.9, 0.6, 0.55])
    stops = {row.variant.number: PLANNED[row.course.look - 1] for row in rows_of(ledger(scores, "whole"))}
    stops[0] = max(stops.values())
    made = ledger(scores, missing=unseen(*stops.items()))
    analysis = analyse(made)
    saved = sum(SEEDS - size for size in stops.values())
    words = f"{saved} of 24 trials were not needed."
    assert planned_words(analysis) == f"Planned looks at 2, 4 and 6 seeds: over after {stops[0]}. {words}"
    [line] = [line for line in look_lines(analysis.tests[0], analysis) if "t1, max_len 8 against" in line]
    assert f"better; {EXAGGERATED}" in line
    written = write_page(analysis, Output(tmp_path / "made"))
    assert any(words in line for line in written.summary)
    assert any("stopped early, so the difference is likely exaggerated" in line for line in written.summary)
    page = (tmp_path / "made" / "report.md").read_text()
    assert words in page
    assert "Missing" not in page
    table = (tmp_path / "made" / "tables" / "contrasts-test.csv").read_text().splitlines()
    assert {"look", "stopped", "exaggerated"} <= set(table[0].split(","))
    assert "valid at every look" in (tmp_path / "made" / "report.html").read_text()


def test_who_watches_reads_what_the_run_wrote(ledger):
    made = ledger(rights([0.3, 0.99], noise=0), missing=unseen((0, 4), (1, 4)))
    taken = looks_taken(made)
    assert taken.is_over
    made.write_looks(LooksRecord(planned=taken.planned, taken=taken.taken, stopped=dict(taken.stopped)))
    assert study_state(made).counts == {"done": 8, "stopped": 4}
    assert set(made.frame()["status"]) == {"done", "stopped"}
