"""Processes that share every batch, over gloo: what comes out is what one process computes."""

import numpy as np
import pytest

import rank_work
from trimtab.training.recipe import Recipe
from trimtab.training.shared_trainer import rows_of

pytestmark = pytest.mark.integration

HARD = Recipe(epochs=2, batch_size=32, learning_rate=1e-3, precision="fp32", devices=2, clip=0.5)


def assert_same(together, alone):
    """All processes agree to the bit, and with one process up to rounding."""
    first, *others = together
    for other in others:
        assert other.losses == first.losses
        assert np.array_equal(other.logits, first.logits)
        assert all(np.array_equal(each, first.weights[name]) for name, each in other.weights.items())
        assert other.masks == first.masks
    assert first.masks == alone.masks
    np.testing.assert_allclose(first.losses, alone.losses, rtol=2e-6)
    assert first.rights == alone.rights
    assert first.weights.keys() == alone.weights.keys()
    for name, expected in alone.weights.items():
        found = first.weights[name]
        if name.endswith("qkv.bias"):
            # A key's bias adds the same to all scores of a row: its gradient is rounding alone, which Adam
            # scales up to whole steps.
            found, expected = (each.reshape(3, -1)[[0, 2]] for each in (found, expected))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-6, err_msg=name)
    np.testing.assert_allclose(first.logits, alone.logits, rtol=1e-4, atol=1e-5)


def test_losses_and_weights_of_two_processes_are_those_of_one(tmp_path):
    """With dropout, clipping, decay, parts of some hundred tokens, and batches of a single row."""
    assert_same(rank_work.train_together(2, tmp_path, HARD), rank_work.train(HARD))


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"batches": "grouped"},
        {"micro_batch": 3},
        {"frozen": 1},
        {"frozen": "embeddings", "optimizer": "adam"},
        {"class_weights": "balanced", "layer_decay": 0.8, "reinitialise": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("count", [2, 3])
def test_so_they_are_whatever_the_recipe_says(tmp_path, count, changed):
    recipe = Recipe(**{**HARD.__dict__, **changed})
    assert_same(rank_work.train_together(count, tmp_path, recipe), rank_work.train(recipe))


@pytest.mark.slow
def test_in_bf16_processes_agree_and_learn_as_one(tmp_path):
    """Each pads its part, and so has masks of its own: without dropout, the losses are those of one."""
    recipe = Recipe(**{**HARD.__dict__, "precision": "bf16"})
    first, second = rank_work.train_together(2, tmp_path, recipe, dropout=0.0)
    assert first.losses == second.losses
    assert all(np.array_equal(each, first.weights[name]) for name, each in second.weights.items())
    np.testing.assert_allclose(first.losses, rank_work.train(recipe, dropout=0.0).losses, rtol=2e-2)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_row_is_computed_once_and_tokens_are_shared_evenly(count):
    random = np.random.default_rng(0)
    lengths = np.sort(random.integers(3, 30, 64))
    parts = np.split(lengths, [20, 21, 50])
    seen = [np.zeros(len(part), int) for part in parts]
    for rank in range(count):
        tokens = 0
        for number, first, end in rows_of(rank, count, parts):
            seen[number][first:end] += 1
            tokens += parts[number][first:end].sum()
        assert abs(tokens - lengths.sum() / count) <= lengths.max()
    assert all((each == 1).all() for each in seen)


def test_of_few_rows_some_processes_have_none():
    found = [rows_of(rank, 4, [np.array([5])]) for rank in range(4)]
    assert sorted(map(len, found)) == [0, 0, 0, 1]
