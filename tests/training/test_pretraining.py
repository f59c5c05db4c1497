"""A step of pretraining against d2l's BERTModel and its loss: same weights, same masks, padded there."""

import importlib
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.data.masking import Masking
from trimtab.data.rows import Rows
from trimtab.data.tokenizer import SPECIAL_TOKENS, build
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import Weights, weights_of
from trimtab.model.weights_d2l import write
from trimtab.training.backend import Backend
from trimtab.training.masked_batches import masked_layout
from trimtab.training.pretraining import Pretrainer, PretrainingTask
from trimtab.training.recipe import Recipe

pytestmark = pytest.mark.integration

CPU = torch.device("cpu")
MAX_LEN, ROWS, WORDS = 30, 23, 40
SIZE = architecture("2x32/48/4", positions=MAX_LEN, dropout=0.0, **D2L)
MASKING = Masking(2, np.arange(5, WORDS))
RECIPE = Recipe(optimizer="adam", learning_rate=0.01, schedule="constant", warmup=0.0, clip=0.0)
TOKENIZER = build("whitespace", [" ".join(f"w{n}" for n in range(5, WORDS))], min_freq=1)
assert TOKENIZER.get_vocab_size() == WORDS == len(SPECIAL_TOKENS) + 35


@pytest.fixture
def d2l():
    if find_spec("d2l") is None:
        pytest.skip("no d2l; `make .venv/peers` installs it")
    return importlib.import_module("bench.peers.d2l").d2l


@pytest.fixture
def rows(random_pairs):
    pairs = random_pairs(5, ROWS)
    return Rows(replace(pairs, labels=pairs.labels % 2), CPU)


def trainer_of(average="real", size=SIZE, recipe=RECIPE, steps=10, tied=False, precision="fp32", seed=0):
    task = PretrainingTask(size, WORDS, MASKING, MAX_LEN, tied, average)
    return Pretrainer(task, recipe, seed, steps, Backend(CPU, precision))


def as_d2l(d2l, folder, model):
    """d2l's model with the weights of ours."""
    one = torch.zeros((1, 2), dtype=torch.long)
    net = d2l.BERTModel(WORDS, 32, 48, 4, 2, 0.0, max_len=MAX_LEN)
    net(one, one, torch.tensor([2]), one)  # lazy layers take their shapes from a first input
    write(folder, weights_of(model, SIZE), TOKENIZER)
    net.load_state_dict(torch.load(folder / "pretrained.params"))
    return net


def padded_batch(rows, seed):
    """What d2l's loss takes: the batch that a step of ours with a generator of ``seed`` sees, padded."""
    layout = masked_layout(rows, np.arange(ROWS), MASKING, np.random.default_rng(seed))
    made, places = layout.make(rows), round(0.15 * MAX_LEN)
    lengths, starts = layout.layout[1], made.batch.cumulative_lengths.tolist()
    columns = {name: torch.zeros((ROWS, MAX_LEN), dtype=torch.long) for name in ("tokens", "segments")}
    positions, words = (torch.zeros((ROWS, places), dtype=torch.long) for _ in range(2))
    weights = torch.zeros((ROWS, places))
    for row, length in enumerate(lengths.tolist()):
        here = slice(starts[row], starts[row + 1])
        columns["tokens"][row, :length] = made.batch.tokens[here]
        columns["segments"][row, :length] = made.batch.segments[here]
        mine = (made.places >= starts[row]) & (made.places < starts[row + 1])
        number = int(mine.sum())
        positions[row, :number] = made.places[mine] - starts[row]
        words[row, :number] = made.words[mine]
        weights[row, :number] = 1
    return (*columns.values(), torch.tensor(lengths), positions, weights, words, made.batch.labels)


def losses_by_d2l(d2l, net, batch):
    """(over real masked words, the tutorial's own, next sentence), with their graph."""
    tokens, segments, lengths, positions, weights, words, labels = batch
    loss = torch.nn.CrossEntropyLoss()
    padded, following, _ = d2l._get_batch_loss_bert(
        net, loss, WORDS, tokens, segments, lengths, positions, weights, words, labels
    )
    _, logits, _ = net(tokens, segments, lengths, positions)
    each = F.cross_entropy(logits.reshape(-1, WORDS), words.reshape(-1), reduction="none")
    real = (each * weights.reshape(-1)).sum() / weights.sum()
    return real, padded, following


@pytest.mark.parametrize(
    ("average", "part", "steady"),
    [("real", 60, False), ("padded", 60, True), ("real", 10_000, True), ("padded", 10_000, False)],
)
def test_losses_and_gradients_are_those_of_d2l_padded(
    d2l, rows, tmp_path, monkeypatch, average, part, steady
):
    if steady:  # filled up as in bf16, where nothing could be compared to 1e-5
        monkeypatch.setattr(Backend, "wants_steady_sizes", True)
    ours = trainer_of(average)
    ours.tokens = part  # of a part: several of them, or one
    net = as_d2l(d2l, tmp_path / "before", ours.model)
    real, padded, following = losses_by_d2l(d2l, net, padded_batch(rows, seed=3))
    ((real if average == "real" else padded) + following).backward()
    means = ours.step(rows, np.arange(ROWS), np.random.default_rng(3), padded=True).means()
    assert means["masked_words"] == pytest.approx(real.item(), abs=1e-5)
    assert means["masked_words_padded"] == pytest.approx(padded.item(), abs=1e-5)
    assert means["next_sentence"] == pytest.approx(following.item(), abs=1e-5)
    gradients = {name: parameter.grad for name, parameter in ours.finish().named_parameters()}
    write(tmp_path / "gradients", Weights(ours.model.parts, gradients), TOKENIZER)
    found = torch.load(tmp_path / "gradients" / "pretrained.params")
    expected = {name: parameter.grad for name, parameter in net.named_parameters()}
    assert set(found) == set(expected)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6, msg=name)


def test_the_averages_differ_and_a_step_moves_one_of_them(d2l, rows, tmp_path):
    ours = trainer_of("padded", recipe=replace(RECIPE, learning_rate=0.003))
    net = as_d2l(d2l, tmp_path, ours.model)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.003)
    for step in range(6):
        real, padded, following = losses_by_d2l(d2l, net, padded_batch(rows, seed=step))
        optimizer.zero_grad()
        (padded + following).backward()
        optimizer.step()
        means = ours.step(rows, np.arange(ROWS), np.random.default_rng(step)).means()
        found = [means[key] for key in ("masked_words", "masked_words_padded", "next_sentence")]
        assert found == pytest.approx([real.item(), padded.item(), following.item()], abs=2e-4)
    assert found[0] - found[1] > 0.05


def test_evaluation_is_without_dropout_and_moves_nothing(d2l, rows, tmp_path):
    ours = trainer_of(size=replace(SIZE, dropout=0.3))
    net = as_d2l(d2l, tmp_path, ours.model)
    before = {name: tensor.clone() for name, tensor in ours.model.state_dict().items()}
    with torch.no_grad():
        expected = losses_by_d2l(d2l, net, padded_batch(rows, seed=9))
    means = ours.evaluate(rows, np.random.default_rng(9)).means()
    found = [means[key] for key in ("masked_words", "masked_words_padded", "next_sentence")]
    assert found == pytest.approx([loss.item() for loss in expected], abs=1e-5)
    assert 0 <= means["masked_words_accuracy"] <= 1
    assert all(torch.equal(tensor, before[name]) for name, tensor in ours.model.state_dict().items())
    assert ours.model.training


def test_tied_matrices_stay_one_and_get_both_gradients(rows):
    """Against autograd on the same model: its gradient of a sum over both uses of the table."""
    size = replace(SIZE, embedding_norm=True)
    ours, oracle = (trainer_of(size=size, tied=True) for _ in range(2))
    ours.step(rows, np.arange(ROWS), np.random.default_rng(1))
    model = oracle.finish()
    model.zero_grad()
    made = masked_layout(rows, np.arange(ROWS), MASKING, np.random.default_rng(1)).make(rows)
    x = model(made.batch)
    words = F.cross_entropy(model.masked_word_logits(x, made.places), made.words)
    (words + F.cross_entropy(model.next_sentence_logits(x, made.batch), made.batch.labels)).backward()
    assert ours.table.weight is ours.head.output.weight
    torch.testing.assert_close(ours.table.weight.grad, model.encoder.embeddings.token.weight.grad)


def test_pretraining_learns_what_can_be_learnt(rows):
    ours = trainer_of(recipe=replace(RECIPE, clip=1.0, optimizer="adamw"), steps=40, precision="bf16")
    index, rng = np.arange(ROWS), np.random.default_rng(0)
    first = ours.step(rows, index, np.random.default_rng(5)).means()
    for _ in range(40):
        last = ours.step(rows, index, rng).means()
    assert last["next_sentence"] < 0.2 < first["next_sentence"]
    assert last["masked_words"] < 0.8 * first["masked_words"]
