"""The epoch whose weights are evaluated: chosen on validation alone, its weights as they were then."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.chosen import BestWeights, chosen_epoch
from trimtab.training.loop import predict, train
from trimtab.training.objective import Objective
from trimtab.training.recipe import Recipe

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("2x32/64/2")
# At this rate validation, of rows that have nothing to do with those of training, gets worse soon.
RECIPE = Recipe(epochs=8, batch_size=8, learning_rate=5e-3, schedule="constant", warmup=0.0, precision="fp32")


@pytest.mark.parametrize(
    ("evaluate", "place"), [("last", 3), ("best_accuracy", 1), ("best_loss", 2)], ids=str
)
def test_the_epoch_is_the_last_or_the_first_of_the_best(evaluate, place):
    scores = [(0.5, 0.9), (0.8, 0.7), (0.7, 0.4), (0.8, 0.4)]
    records = [SimpleNamespace(validation_accuracy=right, validation_loss=loss) for right, loss in scores]
    assert chosen_epoch(evaluate, records) == place


@pytest.fixture(scope="module")
def trained(random_pairs):
    """trained(evaluate, epochs): logits on the validation rows, and the record of each epoch."""
    training, validation = random_pairs(1, 40), random_pairs(2, 24)

    @cache
    def run(evaluate, epochs=RECIPE.epochs):
        recipe, records = replace(RECIPE, evaluate=evaluate, epochs=epochs), []
        options = {"training": training, "validation": validation, "on_epoch": records.append}
        model = train(SIZE, recipe, 0, CPU, vocabulary=40, classes=3, **options)
        return predict(model, validation, CPU), records, validation.labels, model

    return run


@pytest.mark.integration
def test_every_choice_trains_alike(trained):
    curves = [
        [(record.loss, record.validation_loss) for record in trained(evaluate)[1]]
        for evaluate in ("last", "best_loss", "best_accuracy")
    ]
    assert curves[0] == curves[1] == curves[2]
    assert all(record.validation_seconds > 0 for record in trained("last")[1])


@pytest.mark.parametrize("evaluate", ["best_loss", "best_accuracy"])
def test_the_weights_are_those_of_the_chosen_epoch(trained, evaluate):
    logits, records, labels, model = trained(evaluate)
    place = chosen_epoch(evaluate, records)
    assert 0 <= place < len(records) - 1  # else there would be nothing to see
    loss, accuracy = Objective("classes").measure(logits, labels)
    assert loss == pytest.approx(records[place].validation_loss, abs=1e-6)
    assert accuracy == records[place].validation_accuracy
    # The rate is constant, so a training that ends there goes the same way.
    _, _, _, shorter = trained("last", epochs=place + 1)
    weights = shorter.state_dict()
    assert weights.keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name


def test_where_the_last_epoch_is_evaluated_no_weights_are_held(trained):
    record, model = trained("last")[1][0], trained("last")[3]
    for evaluate, held in (("last", False), ("best_loss", True)):
        best = BestWeights(evaluate)
        best.update(record, model)
        assert (best.weights is not None) == held
