"""Results in a notebook: scores as an array with names, contrasts as rows and as a table."""

import math

import numpy as np
import pytest

import trimtab
from trimtab.analysis.analysis import analyse


@pytest.fixture
def ledger(tmp_path, handmade, scores):
    handmade.write(
        tmp_path, {"test": scores, "other": scores[..., :30]}, missing=[(1, 2)], seeds=[3, 4, 5, 9]
    )
    return trimtab.Ledger(tmp_path)


def test_scores_have_names(ledger, scores):
    found = ledger.scores()
    assert (found.test, found.score, found.shape) == ("test", "accuracy", (3, 4, 60))
    assert found.variants == ("t0, max_len 8", "t1, max_len 8", "t2, max_len 8")
    assert found.seeds == (3, 4, 5, 9)
    assert found.coordinates[1] == {"truncation": "t1", "max_len": 8}
    assert found.label_names == ("a", "b", "c")
    assert (found.labels == np.arange(60) % 3).all()
    assert (found.clusters == np.arange(60)).all()
    there = np.ones((3, 4), bool)
    there[1, 2] = False
    assert np.isnan(found.values[1, 2]).all()
    assert (np.asarray(found)[there] == scores[there]).all()
    assert found.frame().loc["t2, max_len 8", 9] == scores[2, 3].mean()
    assert (found.of("t0, max_len 8") == scores[0]).all()
    assert ledger.scores("other").shape == (3, 4, 30)
    assert "3 variants, 4 seeds, 60 examples" in found._repr_html_()


def test_complete_scores_can_be_compared(ledger, scores):
    found = ledger.scores().complete()
    assert found.seeds == (3, 4, 9)
    [contrast] = trimtab.compare(found, [(2, 0)], margin=0.01)
    assert contrast == trimtab.compare(scores[:, [0, 1, 3]], [(2, 0)], margin=0.01)[0]


def test_contrasts_are_those_of_the_report(ledger):
    found = ledger.contrasts()
    expected = analyse(ledger).tests[0].contrasts
    assert [row.contrast for row in found] == [row.contrast for row in expected]
    frame = found.frame()
    assert list(frame["variant"]) == ["t1, max_len 8", "t2, max_len 8"]
    assert list(frame["baseline"]) == ["t0, max_len 8"] * 2
    assert list(frame["verdict"]) == [row.contrast.verdict for row in expected]
    assert list(frame["seeds"]) == [3, 4]
    assert len(found[:1]) == 1
    assert "t2, max_len 8" in ledger._repr_html_()


def test_another_score(ledger):
    loss = ledger.scores(score="log_loss")
    assert loss.score == "log_loss"
    assert math.isfinite(loss.complete().values.mean())


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda ledger: ledger.scores("tset"), "test set 'tset': did you mean 'test'"),
        (lambda ledger: ledger.contrasts("x"), "test set 'x': known: other, test"),
        (lambda ledger: ledger.scores(score="acuracy"), "score 'acuracy' is unknown"),
        (lambda ledger: ledger.scores().of("t0"), "variant 't0': "),
    ],
)
def test_wrong_names(ledger, ask, sentence):
    with pytest.raises(trimtab.InputError, match=sentence):
        ask(ledger)


def test_nothing_finished(tmp_path, handmade, scores):
    made = trimtab.Ledger(handmade.write(tmp_path, {"test": scores[:1, :1]}, missing=[(0, 0)]).folder)
    with pytest.raises(trimtab.InputError, match="no trial is finished"):
        made.scores()
