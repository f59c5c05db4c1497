"""Token tables in training: the rows in use alone, or the whole, against autograd on the whole table."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from trimtab.data.batches import make_batch, training_batches
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.optimizer import Schedule, make_optimizer
from trimtab.training.recipe import Recipe
from trimtab.training.token_table import TokenTable, used_rows
from trimtab.training.trainer import Trainer

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("2x32/64/2", dropout=0.0)
RECIPE = Recipe(epochs=4, batch_size=8, learning_rate=1e-2, weight_decay=0.3, precision="fp32")
VOCABULARY = 90  # the random pairs have at most 35 of these ids


def steps(pairs):
    return [index for epoch in range(1, 5) for index in training_batches(pairs, 8, 0, epoch)]


def trained_whole(pairs, recipe):
    """The model after the same steps of autograd and the optimiser over the whole table."""
    model = Classifier(SIZE, VOCABULARY, 3)
    initialise(model, 0, SIZE.initial_deviation)
    optimizer = make_optimizer(model, recipe)
    schedule = Schedule(optimizer, recipe, recipe.steps(len(pairs)))
    for index in steps(pairs):
        optimizer.zero_grad()
        batch = make_batch(pairs, index, CPU.device)
        F.cross_entropy(model(batch), batch.labels).backward()
        if recipe.clip:
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
    return model


@pytest.mark.parametrize(("optimizer", "clip"), [("adam", 0.0), ("adamw", 0.5)])
def test_the_whole_table_comes_out_as_if_it_had_been_trained(optimizer, clip, random_pairs):
    pairs, recipe = random_pairs(2, 30), replace(RECIPE, optimizer=optimizer, clip=clip)
    trainer = Trainer(SIZE, recipe, 0, CPU, vocabulary=VOCABULARY, classes=3, training=pairs)
    assert len(trainer.model.encoder.embeddings.token.weight) < VOCABULARY / 2
    for index in steps(pairs):
        trainer.step(index)
    expected = trained_whole(pairs, recipe).state_dict()
    made = trainer.finish().state_dict()
    assert made.keys() == expected.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(made[name], tensor, rtol=2e-3, atol=2e-4)
    started = Classifier(SIZE, VOCABULARY, 3)
    initialise(started, 0, SIZE.initial_deviation)
    unused = made["encoder.embeddings.token.weight"][50:]
    before = started.state_dict()["encoder.embeddings.token.weight"][50:]
    assert torch.equal(unused, before) == (optimizer == "adam")


def test_evaluation_between_steps_sees_the_whole_table_as_it_stands(random_pairs):
    pairs = random_pairs(2, 30)
    others = random_pairs(9, 20)
    others.tokens.values[others.tokens.offsets[:-1] + 1] = VOCABULARY - 1  # a word that training has not
    trainer = Trainer(SIZE, RECIPE, 0, CPU, vocabulary=VOCABULARY, classes=3, training=pairs)
    for index in steps(pairs)[:6]:
        trainer.step(index)
    between = predict(trainer.model, others, CPU)
    trainer.model.train()
    trainer.step(steps(pairs)[6])
    after = predict(trainer.model, others, CPU)
    assert not np.array_equal(between, after)
    assert np.array_equal(predict(trainer.finish(), others, CPU), after)


def test_used_rows_are_the_ids_of_the_inputs(random_pairs):
    pairs = random_pairs(2, 30)
    assert used_rows(pairs, VOCABULARY).nonzero().flatten().tolist() == sorted(
        set(pairs.tokens.values.tolist())
    )


def test_the_whole_table_adds_as_autograd_does():
    table, oracle = nn.Embedding(9, 4), nn.Embedding(9, 4)
    oracle.weight.data.copy_(table.weight.data)
    table.weight.grad, oracle.weight.grad = torch.ones(9, 4), torch.ones(9, 4)
    tokens, weights = (
        torch.tensor([3, 1, 3, 8]),
        torch.randn(4, 4, generator=torch.Generator().manual_seed(0)),
    )
    found, expected = TokenTable(table)(tokens), oracle(tokens)
    assert torch.equal(found, expected)
    for each in (found, expected):
        (each * weights).sum().backward()
    torch.testing.assert_close(table.weight.grad, oracle.weight.grad)
