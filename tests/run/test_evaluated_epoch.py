"""The epoch whose weights meet the test sets is the one that the recipe chooses."""

import pytest

from trimtab.ledger import Ledger
from trimtab.run.runner import run
from trimtab.training.chosen import chosen_epoch

pytestmark = pytest.mark.integration


def test_a_study_evaluates_the_epoch_that_its_recipe_chooses(tmp_path, tiny, study_at):
    text = tiny(
        'truncation = ["longest_first", "ratio"]\nmax_len = [12, 40]\nseeds = 2',
        'evaluate = ["last", "best_loss"]\nmax_len = [12]\nseeds = 2',
        "epochs = 2\n",
        "epochs = 4\nschedule = 'constant'\ndropout = 0.0\n",
        "learning_rate = 1e-3",
        "learning_rate = 1e-2",
    )
    study = study_at(tmp_path, text)
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1)
    frame = Ledger(outcome.folder).frame()
    assert len(frame) == frame["key"].nunique() == 4
    places = {}
    for row in frame.to_dict("records"):
        trial = Ledger(outcome.folder).trial(row["key"])
        epochs, result = trial.epochs(), trial.result
        place = chosen_epoch(row["recipe.evaluate"], epochs)
        assert result.evaluated_epoch == epochs[place].epoch
        assert result.validation.loss == epochs[place].validation_loss
        places.setdefault(row["seed"], []).append(
            (place, [epoch.validation_loss for epoch in epochs], result.tests["test"].loss)
        )
    for (last, curve_last, loss_last), (best, curve_best, loss_best) in places.values():
        assert curve_last == curve_best
        assert last == 3
        assert (best == last) == (loss_best == loss_last)
    assert any(best < 3 for (_, (best, *_)) in places.values())
