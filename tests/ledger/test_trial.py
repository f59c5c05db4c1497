"""A trial's second attempt: the first one's result stays whole until the second is complete."""

import numpy as np

from trial_records import config, epoch, result
from trimtab.ledger.trial import Trial


def test_a_move_that_was_cut_short_is_ended(tmp_path):
    trial = Trial(tmp_path / "trial")
    logits = {"test": np.zeros((2, 3), np.float32)}
    trial.begin(config())
    trial.write_epochs([epoch(1)])
    trial.finish(result(1.0), logits)
    trial.crossed.begin()
    trial.crossed.add("other", logits["test"])
    again = trial.attempt()
    again.begin(config())
    again.write_epochs([epoch(2)])
    trial.settle()  # cut short: it had no result yet
    assert (trial.epochs(), again.folder.exists()) == ([epoch(1)], False)
    again.begin(config())
    again.write_epochs([epoch(2)])
    (again.folder / "weights.safetensors").touch()
    again.finish(result(2.0), logits)
    assert (trial.result.seconds, trial.weights) == (1.0, None)
    (again.folder / "predictions.npz").replace(trial.folder / "predictions.npz")  # as far as the kill came
    trial.settle()
    assert (trial.result.seconds, trial.epochs(), again.folder.exists()) == (2.0, [epoch(2)], False)
    assert trial.weights is not None
    assert "other" in trial.crossed
    assert trial.attempt().folder == again.folder


def test_weights_of_an_attempt_that_was_cut_short_are_nobodys(tmp_path):
    trial = Trial(tmp_path / "trial")
    trial.begin(config())
    (trial.folder / "weights.safetensors").touch()
    assert trial.weights is None  # there is no result yet
    trial.begin(config())  # an attempt that keeps none
    trial.finish(result(1.0), {"test": np.zeros((2, 3), np.float32)})
    assert trial.weights is None


def test_a_model_that_predicts_otherwise_is_evaluated_again(tmp_path):
    trial = Trial(tmp_path / "trial")
    trial.begin(config())
    trial.finish(result(1.0), {"test": np.zeros((2, 3), np.float32)})
    trial.crossed.begin()
    trial.crossed.add("other", np.zeros((2, 3), np.float32))
    again = trial.attempt()
    again.begin(config())
    again.finish(result(2.0), {"test": np.ones((2, 3), np.float32)})
    trial.settle()
    assert trial.predictions("test").all()
    assert "other" not in trial.crossed
