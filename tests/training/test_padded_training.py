"""Training through transformers: losses of packed training, and the recipe's rates, freezing and dropout."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import small_models
from trimtab.data.batches import training_batches
from trimtab.data.pairs import make_pairs
from trimtab.model.initial_weights import initial_weights
from trimtab.model.loading import read
from trimtab.training.auto_precision import measure_rates
from trimtab.training.backend import Backend
from trimtab.training.layer_depth import depths_of
from trimtab.training.loop import predict, train
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse

pytestmark = pytest.mark.integration

transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")

CPU = Backend(torch.device("cpu"), "fp32")
RECIPE = Recipe(epochs=4, batch_size=16, learning_rate=3e-3, precision="fp32")
VOCABULARY = len(small_models.words().get_vocab())
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
STEPS = 50


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """start(kind, implementation, ...): a size, and the tensors that training starts from."""

    def make(kind, implementation, **settings):
        path = small_models.written(tmp_path_factory.mktemp("start") / "m", kind, **settings)
        weights = read(path, implementation="auto")[0]
        size = weights.parts.size
        if size.configuration is None:
            size = replace(size, implementation=implementation)
        return size, initial_weights(weights, VOCABULARY)

    return make


@pytest.fixture(scope="module")
def pairs(tokens_of):
    """200 pairs whose label can be learnt: which of three words is among them."""
    rng = np.random.default_rng(0)
    sides = [[rng.integers(8, 60, length) for length in rng.integers(1, 20, 200)] for _ in range(2)]
    labels = rng.integers(0, 3, 200)
    for row, label in zip(sides[0], labels, strict=True):
        row[rng.integers(len(row))] = 5 + label
    tokens = tokens_of(*sides, labels)
    return make_pairs(tokens, parse("longest_first"), 64, small_models.template())


def trainer(begun, recipe, pairs, seed=0):
    size, tensors = begun
    shape = {"vocabulary": VOCABULARY, "classes": 3, "training": pairs}
    return Trainer(size, recipe, seed, CPU, **shape, initial_weights=tensors)


def losses(begun, recipe, pairs, turned=False):
    """The loss of each step; turned: every batch is given in the opposite order."""
    made, epochs = trainer(begun, recipe, pairs), range(1, recipe.epochs + 1)
    batches = (index for each in epochs for index in training_batches(pairs, recipe.batch_size, 0, each))
    found = [float(made.step(index[::-1].copy() if turned else index)[0]) for index in batches]
    return np.array(found[:STEPS])


@pytest.mark.parametrize("kind", ["bert", "roberta", "modernbert"])
def test_both_implementations_have_the_same_losses(kind, start, pairs):
    """To rounding: no further apart than a few times what turning the rows of every batch round does.

    That changes nothing but the order of sums. Where both happen to add alike, 16 units in the last place of
    a loss of about 1 (1.2e-7 each) are allowed, a rounding in every third step.
    """
    settings = {} if kind == "modernbert" else NO_DROPOUT  # whose own configuration has none
    packed, padded = (start(kind, name, **settings) for name in ("packed", "transformers"))
    expected, found = losses(packed, RECIPE, pairs), losses(padded, RECIPE, pairs)
    assert len(expected) == STEPS
    assert expected[-5:].mean() < 0.75 * expected[:5].mean()  # it learns, so that differences would grow
    drift = max(np.abs(losses(one, RECIPE, pairs, turned=True) - expected).max() for one in (packed, padded))
    assert np.abs(found - expected).max() <= max(4 * drift, 16 * np.finfo(np.float32).eps)


# By depth: embeddings 0, then the layers, then what judges.


def by_depth(model):
    found = {}
    for name, parameter in model.named_parameters():
        found.setdefault(depths_of(model)[name], []).append(parameter.numel())
    return {depth: sum(numbers) for depth, numbers in found.items()}


@pytest.mark.parametrize("kind", ["bert", "albert", "mpnet", "modernbert"])
def test_depths_are_those_of_packed_training(kind, start, pairs):
    packed, padded = (trainer(start(kind, name), RECIPE, pairs) for name in ("packed", "transformers"))
    packed.table.put_back(packed.model)  # the whole table, as transformers has it
    assert by_depth(packed.model) == by_depth(padded.model)


def test_depths_of_deberta(start, pairs):
    model = trainer(start("deberta-v2", "transformers"), RECIPE, pairs).model
    expected = {"embeddings.": 0, "encoder.rel_embeddings": 0, "encoder.LayerNorm": 0}
    expected |= {"encoder.layer.0.": 1, "encoder.layer.1.": 2, "pooler.": 3, "classifier.": 3}
    found = depths_of(model)
    for name, depth in found.items():
        own = name.removeprefix("inner.").removeprefix("deberta.")
        assert depth == next(value for key, value in expected.items() if own.startswith(key)), name


def moved(begun, recipe, pairs):
    """How far each parameter moves in three steps, on average, by name."""
    made = trainer(begun, recipe, pairs)
    before = {name: one.detach().clone() for name, one in made.model.named_parameters()}
    for index in list(training_batches(pairs, recipe.batch_size, 0, 1))[:3]:
        made.step(index)
    after = dict(made.model.named_parameters())
    return {name: (after[name] - one).abs().mean().item() for name, one in before.items()}


def test_what_is_frozen_stays_and_lower_layers_move_less(start, pairs):
    begun = start("deberta-v2", "transformers", **NO_DROPOUT)
    recipe = replace(RECIPE, weight_decay=0.0, clip=0.0)
    for frozen, still in (("embeddings", {0}), (1, {0, 1})):
        made = trainer(begun, replace(recipe, frozen=frozen), pairs)
        depths = depths_of(made.model)
        distances = moved(begun, replace(recipe, frozen=frozen), pairs)
        assert {depths[name] for name, distance in distances.items() if distance == 0} == still
    full, decayed = (moved(begun, replace(recipe, layer_decay=decay), pairs) for decay in (1.0, 0.1))
    for name, factor in (("layer.1.output.dense.weight", 10), ("layer.0.output.dense.weight", 100)):
        name = f"inner.deberta.encoder.{name}"
        assert full[name] / decayed[name] == pytest.approx(factor, rel=0.3)


def test_dropout_is_the_seeds_whatever_ran_before(start, pairs):
    begun, found = start("deberta-v2", "transformers"), []
    for seed in (0, 0, 1):
        torch.rand(7)
        made = trainer(begun, RECIPE, pairs, seed)
        found.append([float(made.step(np.arange(16))[0]) for _ in range(3)])
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_micro_batches_have_the_gradient_of_the_batch(start, pairs):
    begun = start("deberta-v2", "transformers", **NO_DROPOUT)
    whole, parts = (losses(begun, replace(RECIPE, epochs=1, micro_batch=rows), pairs) for rows in (None, 3))
    np.testing.assert_allclose(parts, whole, rtol=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_trial_is_trained_evaluated_and_its_best_epoch_restored(precision, start, pairs):
    size, tensors = start("deberta-v2", "transformers")
    backend, epochs = Backend(CPU.device, precision), []
    recipe = replace(RECIPE, epochs=3, evaluate="best_loss", class_weights="balanced", batches="grouped")
    shape = {"vocabulary": VOCABULARY, "classes": 3, "training": pairs, "validation": pairs}
    model = train(size, recipe, 0, backend, **shape, initial_weights=tensors, on_epoch=epochs.append)
    logits = predict(model, pairs, backend)
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    shifted = logits - logits.max(1, keepdims=True)
    loss = (np.log(np.exp(shifted).sum(1)) - shifted[np.arange(200), pairs.labels]).mean()
    assert loss == pytest.approx(best.validation_loss, rel=1e-4)


def test_the_precision_is_measured_through_transformers_too(start, pairs):
    size, _ = start("deberta-v2", "transformers")
    rates = measure_rates(size, RECIPE, pairs, VOCABULARY, 3, CPU.device)
    assert set(rates) == {"fp32", "bf16"}
    assert min(rates.values()) > 0
