"""Whether a study was looked at before, without having planned it."""

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger.earlier import looked_at
from trimtab.ledger.records import LooksRecord
from trimtab.report.look_words import unplanned_words

ROWS = 30


@pytest.fixture
def before(tmp_path, handmade):
    """before(seeds): a ledger of a study with so many seeds."""

    def made(seeds, folder="made", **options):
        rng = np.random.default_rng(seeds)
        return handmade.write(tmp_path / folder, {"test": rng.random((2, seeds, ROWS)) < 0.6}, **options)

    return made


@pytest.fixture
def now(before):
    """now(seeds): the record of the same study with so many seeds."""
    return lambda seeds, **options: before(seeds, "now", **options).study


def test_a_complete_study_with_other_seeds_was_looked_at(before, now):
    assert looked_at(before(3), now(5)) == (3,)
    assert looked_at(before(3), now(3)) == ()


def test_a_seed_that_failed_has_ended_and_one_that_was_not_run_has_not(before, now):
    assert looked_at(before(3, failed=[(1, 2)]), now(5)) == (3,)


def test_an_interrupted_study_was_not(before, now):
    assert looked_at(before(3, missing=[(1, 2)]), now(5)) == ()


def test_one_seed_shows_nothing(before, now):
    assert looked_at(before(1), now(5)) == ()


def test_the_first_run(tmp_path, handmade, now):
    assert looked_at(handmade.Ledger(tmp_path / "none"), now(5)) == ()


def test_looks_that_are_changed_were_looked_at(before, now):
    made = before(4, looks=(2, 4))
    made.write_looks(LooksRecord(planned=(2, 4), taken=1, stopped={}))
    assert looked_at(made, now(4, looks=(2, 4))) == ()
    assert looked_at(made, now(5, looks=(2, 4, 5))) == (2,)
    assert looked_at(before(3, "other"), now(5, looks=(3, 5))) == (3,)


def test_it_is_remembered_and_told(before, now):
    made = before(5)
    made.write_study(
        made.study.model_copy(update={"looked_at": (3,)}), {"test": made.evaluated("test")}, made.rows
    )
    assert looked_at(made, now(5)) == (3,)
    assert looked_at(made, now(8)) == (3, 5)
    words = unplanned_words(analyse(made))
    assert words.startswith("**This study was complete before, with 3 seeds, and could be looked at then.**")
    assert "in 11.4 % of those tested after 3, 5, 8 and 12 seeds" in words
    assert unplanned_words(analyse(before(4, "plain"))) == ""
