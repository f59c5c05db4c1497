from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from small_data import dataset_of
from trimtab.data import batches
from trimtab.data.batches import make_batch, training_order
from trimtab.data.dataset import DataPlan, SplitSource
from trimtab.data.pairs import make_pairs
from trimtab.model import building, dropout
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import bits_of, initialise
from trimtab.model.sizes import architecture
from trimtab.training import meter
from trimtab.training.backend import Backend
from trimtab.training.loop import DivergedError, predict, train
from trimtab.training.objective import Objective
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("2x32/64/2")
QUIET = architecture("2x32/64/2", dropout=0.0)
RECIPE = Recipe(epochs=2, batch_size=8, learning_rate=1e-3, precision="fp32")


def measured(logits, labels):
    """What classes come to: loss and accuracy."""
    return dict(zip(("loss", "accuracy"), Objective("classes").measure(logits, labels), strict=True))


def run(pairs, *, seed=0, size=SIZE, recipe=RECIPE, backend=CPU, **watch):
    """A trained model and the record of each epoch."""
    records = []
    sets = {"training": pairs, "validation": pairs}
    watch = {"on_epoch": records.append} | watch
    model = train(size, recipe, seed, backend, vocabulary=40, classes=3, **sets, **watch)
    return model, records


def curve(records):
    return [getattr(record, name) for record in records for name in ("loss", "validation_loss")]


def started(size=QUIET, seed=0):
    model = Classifier(size, 40, 3)
    initialise(model, seed, size.initial_deviation)
    return model


def weights_of(model):
    return torch.cat([parameter.detach().flatten().clone() for parameter in model.parameters()])


# One step


def trainer_of(pairs, *, recipe=RECIPE, rate=1.0, size=QUIET):
    """A trainer that goes straight down the gradient."""
    made = Trainer(size, replace(recipe, optimizer="adam"), 0, CPU, vocabulary=40, classes=3, training=pairs)
    made.optimizer = torch.optim.SGD(made.model.parameters(), lr=rate)
    made.schedule = torch.optim.lr_scheduler.ConstantLR(made.optimizer, factor=1.0)
    return made


def step(pairs, *, clip, micro_batch=None, rows=20):
    """How far plain gradient descent moves the weights in one step, and the loss and count."""
    made = trainer_of(pairs, recipe=replace(RECIPE, clip=clip, micro_batch=micro_batch))
    loss, right = made.step(np.arange(rows))
    return weights_of(made.finish()) - weights_of(started()), float(loss), int(right)


def test_a_step_goes_down_the_gradient_of_the_mean_loss(random_pairs):
    pairs, model = random_pairs(0, 20), started()
    batch = make_batch(pairs, np.arange(20), CPU.device)
    logits = model(batch)
    loss = torch.nn.functional.cross_entropy(logits, batch.labels)
    loss.backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in model.parameters()])
    moved, mean, right = step(pairs, clip=0.0)
    torch.testing.assert_close(moved, -gradient, rtol=1e-4, atol=1e-6)
    assert mean == pytest.approx(loss.item(), rel=1e-6)
    assert right == (logits.argmax(1) == batch.labels).sum()


def test_a_step_forgets_the_gradient_of_the_last(random_pairs):
    made = trainer_of(random_pairs(0, 20), recipe=replace(RECIPE, clip=0.0), rate=1e-3)
    places = [weights_of(made.model)]
    for _ in range(2):
        made.step(np.arange(20))
        places.append(weights_of(made.model))
    first, second = (after - before for before, after in pairwise(places))
    assert second.norm().item() == pytest.approx(first.norm().item(), rel=0.1)


def test_clipping_shortens_a_long_gradient_and_leaves_a_short_one(random_pairs):
    pairs = random_pairs(0, 20)
    free = step(pairs, clip=0.0)[0]
    assert free.norm() > 0.3
    clipped = step(pairs, clip=0.1)[0]
    assert clipped.norm() == pytest.approx(0.1, rel=1e-3)
    torch.testing.assert_close(clipped, free * (0.1 / free.norm()), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(step(pairs, clip=100.0)[0], free, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 3, 7, 19, 20, 64])
def test_micro_batches_make_the_step_of_the_whole_batch(rows, random_pairs):
    pairs = random_pairs(0, 20)
    whole, parts = step(pairs, clip=0.2), step(pairs, clip=0.2, micro_batch=rows)
    torch.testing.assert_close(parts[0], whole[0], rtol=1e-4, atol=1e-6)
    assert parts[1] == pytest.approx(whole[1], rel=1e-6)
    assert parts[2] == whole[2]


# A whole training


def test_micro_batches_have_the_loss_curve_of_whole_batches(random_pairs):
    pairs = random_pairs(1, 30)
    whole = run(pairs, size=QUIET)[1]
    for rows in (1, 3):
        parts = run(pairs, size=QUIET, recipe=replace(RECIPE, micro_batch=rows))[1]
        assert curve(parts) == pytest.approx(curve(whole), abs=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_seed_fixes_the_logits_to_the_bit(precision, random_pairs):
    pairs, backend = random_pairs(1, 30), Backend(torch.device("cpu"), precision)
    made = {}
    for turn, seed in enumerate((0, 0, 1)):
        torch.manual_seed(turn)
        np.random.seed(turn)  # noqa: NPY002  # whatever state others left
        model, records = run(pairs, seed=seed, backend=backend)
        logits = predict(model, pairs, backend)
        assert logits.dtype == np.float32
        if seed in made:
            assert np.array_equal(made[seed][0], logits)
            assert made[seed][1] == curve(records)
        made[seed] = (logits, curve(records))
    assert not np.array_equal(made[0][0], made[1][0])


@pytest.mark.parametrize("free", ["initialise", "training_order", "bits_of"])
def test_the_seed_reaches_weights_order_and_dropout(free, random_pairs, monkeypatch):
    held = {
        "initialise": lambda model, seed, deviation: initialise(model, 0, deviation),
        "training_order": lambda rows, seed, epoch: training_order(rows, 0, epoch),
        "bits_of": lambda seed, name: bits_of(0, name),
    }
    places = {"initialise": building, "training_order": batches, "bits_of": dropout}
    for name in held.keys() - {free}:
        monkeypatch.setattr(places[name], name, held[name])
    pairs, recipe = random_pairs(1, 30), replace(RECIPE, epochs=1)

    def curves():
        return [curve(run(pairs, seed=seed, recipe=recipe)[1]) for seed in (0, 1)]

    one, other = curves()
    assert one != other
    monkeypatch.setattr(places[free], free, held[free])
    one, other = curves()
    assert one == other


def test_dropout_acts_in_the_training_of_every_epoch_alone(random_pairs):
    size = architecture("2x32/64/2", dropout=0.5)
    records = run(random_pairs(1, 30), size=size, recipe=replace(RECIPE, learning_rate=1e-12))[1]
    assert all(abs(record.loss - record.validation_loss) > 1e-4 for record in records)
    assert records[0].validation_loss == pytest.approx(records[1].validation_loss, abs=1e-6)


def test_each_epoch_is_recorded(random_pairs):
    pairs = random_pairs(1, 30)
    model, records = run(pairs, size=QUIET, recipe=replace(RECIPE, learning_rate=1e-12))
    assert [record.epoch for record in records] == [1, 2]
    scores = measured(predict(model, pairs, CPU), pairs.labels)
    for record in records:  # with so small a rate every step sees the same weights
        for name in ("loss", "accuracy"):
            assert getattr(record, name) == pytest.approx(scores[name], abs=1e-5)
            assert getattr(record, f"validation_{name}") == pytest.approx(scores[name], abs=1e-5)
        mean = len(pairs.tokens.values) / len(pairs)
        assert record.tokens_per_second / record.examples_per_second == pytest.approx(mean)
        assert record.examples_per_second * record.seconds == pytest.approx(30)
        assert record.peak_bytes > 0


def test_progress_counts_every_step(random_pairs, monkeypatch):
    monkeypatch.setattr(meter, "REPORT_SECONDS", 0.0)
    seen = []
    run(random_pairs(1, 30), on_progress=seen.append)
    assert [each.step for each in seen] == list(range(1, 9))
    assert [each.epoch for each in seen] == [1] * 4 + [2] * 4
    assert {(each.steps, each.epochs) for each in seen} == {(8, 2)} == {(RECIPE.steps(30), 2)}
    assert all(0 < each.loss < 5 and each.examples_per_second > 0 for each in seen)


def test_predictions_come_in_the_rows_order_without_dropout(random_pairs):
    pairs, model = random_pairs(2, 25), started(SIZE)
    logits = predict(model, pairs, CPU)
    alone = [model(make_batch(pairs, np.array([row]), CPU.device))[0].tolist() for row in range(25)]
    np.testing.assert_allclose(logits, alone, rtol=1e-5, atol=1e-5)
    assert not model.training


@pytest.mark.parametrize("epochs", [1, 30])
def test_a_run_that_diverges_says_so(epochs, random_pairs):
    wild = replace(RECIPE, learning_rate=1e38, clip=0.0, schedule="constant", warmup=0.0, epochs=epochs)
    records = []
    with pytest.raises(DivergedError, match="learning_rate"):
        run(random_pairs(1, 8), recipe=replace(wild, batch_size=8), on_epoch=records.append)
    assert all(np.isfinite(record.validation_loss) for record in records)


def test_predictions_that_are_not_finite_are_never_returned(random_pairs):
    model = started()
    with torch.no_grad():
        model.output.bias[1] = float("nan")
    with pytest.raises(DivergedError, match="learning_rate"):
        predict(model, random_pairs(1, 8), CPU)


@pytest.mark.integration
def test_it_learns_probe(own_environment):
    options = {"train": 1000, "test": 300, "first_length": [2, 4], "second_length": [1, 3]}
    sources = [SplitSource("probe", split, options) for split in ("train", "validation", "test")]
    plan = DataPlan(sources[0], sources[1], {"test": sources[2]}, "whitespace", 1, True)
    dataset = dataset_of(plan, None)
    cut = parse("longest_first")
    pairs = {name: make_pairs(tokens, cut, 12, dataset.template) for name, tokens in dataset.splits.items()}
    records = []
    model = train(
        SIZE,
        Recipe(epochs=4, batch_size=20, learning_rate=4e-3, precision="fp32"),
        0,
        CPU,
        vocabulary=dataset.vocabulary,
        classes=3,
        training=pairs["train"],
        validation=pairs["validation"],
        on_epoch=records.append,
    )
    assert records[-1].loss < 0.5 * records[0].loss
    assert records[-1].validation_accuracy > 0.85
    scores = measured(predict(model, pairs["test"], CPU), pairs["test"].labels)
    assert scores["accuracy"] > 0.85


# Scores


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
def test_measure_equals_scipy_and_torch(scale):
    rng = np.random.default_rng(0)
    logits = (scale * rng.normal(size=(50, 4))).astype(np.float32)
    labels = rng.integers(0, 4, 50)
    scores = measured(logits, labels)
    expected = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(50), labels].mean()
    assert scores["loss"] == pytest.approx(expected, rel=1e-9)
    by_torch = torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels))
    assert scores["loss"] == pytest.approx(by_torch.item(), rel=1e-5)
    assert scores["accuracy"] == np.mean(
        [np.argmax(row) == label for row, label in zip(logits, labels, strict=True)]
    )


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_step_in_parts_and_in_a_few_sizes_is_the_step_of_the_whole_batch(
    precision, random_pairs, monkeypatch
):
    """In bf16, dummy rows pad batches to bucket sizes, and must change nothing."""
    pairs, backend, found = random_pairs(4, 90), Backend(torch.device("cpu"), precision), []
    for tokens in (1 << 20, 150):
        monkeypatch.setattr(Backend, "training_tokens", lambda self, size, parameters, most=tokens: most)
        shape = {"vocabulary": 40, "classes": 3, "training": pairs}
        made = Trainer(QUIET, replace(RECIPE, batch_size=40), 0, backend, **shape)
        loss, right = made.step(np.arange(40))
        gradient = torch.cat([parameter.grad.flatten() for parameter in made.model.parameters()])
        found.append((loss.item(), int(right), gradient))
    exact = precision == "fp32"
    assert found[1][0] == pytest.approx(found[0][0], rel=1e-5 if exact else 0.01)
    assert not exact or found[1][1] == found[0][1]
    apart = (found[1][2] - found[0][2]).norm() / found[0][2].norm()
    assert apart < (1e-4 if exact else 0.05)


def test_bf16_predicts_every_row_in_its_place(random_pairs):
    pairs, model = random_pairs(4, 200), started()
    exact = predict(model, pairs, CPU)
    rough = predict(model, pairs, Backend(torch.device("cpu"), "bf16"))
    assert rough.shape == exact.shape
    assert np.abs(rough - exact).max() < 0.1 * exact.std()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_balanced_classes_weigh_alike_in_the_loss(precision, random_pairs):
    pairs, backend = random_pairs(4, 40), Backend(torch.device("cpu"), precision)
    shape = {"vocabulary": 40, "classes": 3, "training": pairs}
    recipe = replace(RECIPE, batch_size=40, class_weights="balanced")
    made = Trainer(QUIET, recipe, 0, backend, **shape)
    logits = predict(started(), pairs, backend)
    of_row = -log_softmax(logits.astype(float), axis=1)[np.arange(40), pairs.labels]
    means = [of_row[pairs.labels == label].mean() for label in range(3)]
    loss, _ = made.step(np.arange(40))
    assert loss.item() == pytest.approx(np.mean(means), rel=1e-5 if precision == "fp32" else 0.01)
