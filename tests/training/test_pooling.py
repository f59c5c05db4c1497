"""Training and evaluation on windows against a loop that runs each window by itself and pools its logits."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.data.batches import make_batch, training_batches
from trimtab.data.input_template import bert_template
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.model.sizes import architecture
from trimtab.ragged import Ragged
from trimtab.training.backend import Backend
from trimtab.training.loop import predict, train
from trimtab.training.pooling import pooled
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer
from trimtab.truncation import parse
from trimtab.truncation.windows import Windows

CPU = torch.device("cpu")
SIZE = architecture("2x16/32/2", positions=16, dropout=0.0)
SHAPE = {"vocabulary": 40, "classes": 3}
MAX_LEN, ROWS = 14, 24


@pytest.fixture(scope="module")
def tokens():
    """Pairs whose second texts have 0 to 40 tokens, so that some fit and some have up to nine windows."""
    rng = np.random.default_rng(3)
    sides = [[rng.integers(5, 40, n) for n in rng.integers(0, most, ROWS)] for most in (6, 41)]
    return sides, rng.integers(0, 3, ROWS)


@pytest.fixture(scope="module")
def pairs_with(tokens_of, tokens):
    sides, labels = tokens
    made = tokens_of(*sides, labels)
    template = bert_template(SpecialTokens(3, 4))
    return lambda windows, cut="longest_first": make_pairs(made, parse(cut), MAX_LEN, template, windows)


def trainer_on(pairs, **recipe):
    usual = Recipe(
        batch_size=8, schedule="constant", warmup=0.0, clip=0.0, optimizer="adam", learning_rate=1e-3
    )
    made = Recipe(**{**usual.__dict__, **recipe})
    return Trainer(SIZE, made, 1, Backend(CPU, "fp32"), training=pairs, **SHAPE)


def windows_of(pairs, row):
    """Each window of a row as inputs of one row."""
    ids = pairs.tokens[row]
    length = min(len(ids), MAX_LEN)
    for start in range(0, len(ids), length):
        window = Ragged.from_rows([ids[start : start + length]])
        yield Pairs(window, pairs.first_lengths[[row]], pairs.labels[[row]])


def naive_logits(model, pairs, row, pooling):
    logits = torch.cat([model(make_batch(each, np.array([0]), CPU)) for each in windows_of(pairs, row)])
    return {"max": logits.amax(0), "mean": logits.mean(0), "first": logits[0]}[pooling]


@pytest.mark.parametrize("pooling", ["max", "mean", "first"])
def test_loss_and_gradients_are_those_of_a_loop(pairs_with, pooling):
    pairs = pairs_with(Windows(0.5, pooling))
    lengths = pairs.tokens.lengths
    assert pooling == "first" or (lengths > 3 * MAX_LEN).any()
    model = trainer_on(pairs).finish().eval()
    index = np.arange(12)
    batch = make_batch(pairs, index, CPU)
    logits = pooled(model(batch), batch)
    order = index[np.argsort(lengths[index], kind="stable")]
    expected = torch.stack([naive_logits(model, pairs, row, pooling) for row in order])
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    assert batch.labels.tolist() == pairs.labels[order].tolist()
    gradients = []
    for each in (logits, expected):
        model.zero_grad()
        F.cross_entropy(each, batch.labels).backward()
        gradients.append(
            [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
        )
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_a_step_is_that_of_a_loop(pairs_with, pooling, micro_batch):
    pairs = pairs_with(Windows(1.0, pooling))
    trainer = trainer_on(pairs, micro_batch=micro_batch)
    trainer.tokens = 60  # so that a batch is computed in parts
    index = np.array([4, 0, 9, 2, 7, 11, 5, 20])
    model = trainer_on(pairs).finish().eval()
    expected = torch.stack([naive_logits(model, pairs, row, pooling) for row in index]).detach()
    labels = torch.from_numpy(pairs.labels[index])
    loss, right = trainer.step(index)
    assert float(loss) == pytest.approx(float(F.cross_entropy(expected, labels)), rel=1e-5)
    assert int(right) == int((expected.argmax(1) == labels).sum())


def test_evaluation_is_that_of_a_loop(pairs_with):
    pairs = pairs_with(Windows(0.25, "max"))
    model = trainer_on(pairs).finish().eval()
    expected = torch.stack([naive_logits(model, pairs, row, "max") for row in range(ROWS)]).detach().numpy()
    np.testing.assert_allclose(predict(model, pairs, Backend(CPU, "fp32")), expected, atol=1e-5)
    rounded = predict(model, pairs, Backend(CPU, "bf16"))  # with dummy rows
    np.testing.assert_allclose(rounded, expected, atol=0.05)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_batches_count_rows_and_not_windows(pairs_with, precision):
    pairs, epochs = pairs_with(Windows(0.5, "max")), []
    recipe = Recipe(batch_size=5, epochs=1, batches="grouped")
    batches = training_batches(pairs, 5, 0, 1, grouped=True)
    assert sorted(len(index) for index in batches) == [4, 5, 5, 5, 5]
    train(
        architecture("2x16/32/2", positions=16, dropout=0.1),
        recipe,
        0,
        Backend(CPU, precision),
        training=pairs,
        validation=pairs,
        on_epoch=epochs.append,
        **SHAPE,
    )
    [epoch] = epochs
    rate = epoch.tokens_per_second / epoch.examples_per_second
    assert rate == pytest.approx(len(pairs.tokens.values) / ROWS)


def test_windows_that_nothing_needs_change_no_bit(tokens_of, tokens):
    (first, second), labels = tokens
    made = tokens_of(first, [ids[:5] for ids in second], labels)
    template = bert_template(SpecialTokens(3, 4))
    found = []
    for windows in (None, Windows()):
        pairs = make_pairs(made, parse("longest_first"), MAX_LEN, template, windows)
        model = train(
            architecture("2x16/32/2", positions=16),
            Recipe(batch_size=8, epochs=1),
            0,
            Backend(CPU, "fp32"),
            training=pairs,
            validation=pairs,
            **SHAPE,
        )
        found.append(predict(model, pairs, Backend(CPU, "fp32")))
    np.testing.assert_array_equal(*found)
