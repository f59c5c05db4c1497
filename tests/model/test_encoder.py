"""The packed encoder against a padded and masked one that is written out here."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.data.batches import evaluation_batches, make_batch
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import make_pairs
from trimtab.data.readers import read
from trimtab.data.tokenizer import build
from trimtab.data.tokens import tokenise
from trimtab.model.classifier import Classifier
from trimtab.model.dropout import Dropout, seed_dropout
from trimtab.model.grouped import GroupedAttention
from trimtab.model.initialise import initialise
from trimtab.model.sizes import D2L, architecture
from trimtab.truncation import parse

pytestmark = pytest.mark.integration

CPU = torch.device("cpu")
FLAVOURS = {
    "d2l": D2L,
    "original": {"activation": "gelu", "embedding_norm": True, "epsilon": 1e-12},
    "coarse": {"activation": "gelu", "embedding_norm": True, "epsilon": 0.3},  # an epsilon that is felt
}
flavours = pytest.mark.parametrize(
    "size", [architecture("2x32/64/2", **f) for f in FLAVOURS.values()], ids=FLAVOURS
)


def classifier(size, vocabulary=40, seed=0):
    """A model in evaluation mode whose every number is random, so that biases and norms count too."""
    model = Classifier(size, vocabulary, 3)
    initialise(model, seed, 0.3)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def pad(pairs, index):
    """The rows as a model with padding takes them: tokens, segments and mask, (rows, longest)."""
    rows = [torch.tensor(np.array(pairs.tokens[i]), dtype=torch.int64) for i in index]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)
    places = torch.arange(tokens.shape[1])[None, :]
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    firsts = torch.from_numpy(pairs.first_lengths[index].astype(np.int64))[:, None]
    return tokens, ((places >= firsts) & (places < lengths)).long(), places < lengths


def padded_logits(weights, size, tokens, segments, mask):
    """BERT as Devlin et al. 2019 describe it, on padded rows (rows, longest), without dropout."""

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(name, x):
        mean = x.mean(-1, keepdim=True)
        variance = (x - mean).pow(2).mean(-1, keepdim=True)
        scaled = (x - mean) / torch.sqrt(variance + size.epsilon)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def heads(x):
        return x.reshape(*x.shape[:2], size.heads, -1).transpose(1, 2)

    embeddings = "encoder.embeddings"
    x = weights[f"{embeddings}.token.weight"][tokens] + weights[f"{embeddings}.segment.weight"][segments]
    x = x + weights[f"{embeddings}.position.weight"][: tokens.shape[1]]
    if size.embedding_norm:
        x = norm(f"{embeddings}.norm", x)
    for number in range(size.layers):
        layer = f"encoder.layers.{number}"
        query, key, value = map(heads, linear(f"{layer}.qkv", x).chunk(3, dim=-1))
        scores = query @ key.transpose(-1, -2) / (size.hidden / size.heads) ** 0.5
        attention = F.softmax(scores.masked_fill(~mask[:, None, None, :], float("-inf")), dim=-1)
        mixed = (attention @ value).transpose(1, 2).reshape(x.shape)
        x = norm(f"{layer}.attention_norm", x + linear(f"{layer}.attention_out", mixed))
        inner = getattr(F, size.activation)(linear(f"{layer}.ffn_in", x))
        x = norm(f"{layer}.output_norm", x + linear(f"{layer}.ffn_out", inner))
    return linear("output", torch.tanh(linear("pooler", x[:, 0])))


def packed_logits(model, pairs, index):
    """Logits of the rows of ``index``, in its order, by the packed model."""
    lengths = pairs.tokens.lengths[index]
    logits = model(make_batch(pairs, index, CPU))
    return logits[torch.from_numpy(np.argsort(np.argsort(lengths, kind="stable"), kind="stable"))]


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@flavours
@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_packed_logits_equal_padded(size, single, seed, random_pairs):
    pairs, model = random_pairs(seed, 33, single), classifier(size, seed=seed)
    index = np.random.default_rng(seed).permutation(len(pairs))[:29]
    with torch.no_grad():
        expected = padded_logits(model.state_dict(), size, *pad(pairs, index))
        assert_same(packed_logits(model, pairs, index), expected)
    assert expected.std() > 0.1  # or the comparison would say little


@flavours
def test_packed_logits_equal_padded_on_snli(size, shared_data, own_environment):
    examples = read("snli", "validation", shared_data)
    tokenizer = build("whitespace", examples.first + examples.second, min_freq=5)
    tokens = tokenise(examples.take(np.arange(0, len(examples), 40)), tokenizer)
    pairs = make_pairs(tokens, parse("longest_first"), 128, InputTemplate.of(tokenizer))
    model = classifier(size, tokenizer.get_vocab_size())
    with torch.no_grad():
        expected = padded_logits(model.state_dict(), size, *pad(pairs, np.arange(len(pairs))))
        assert len(pairs) > 200
        for index, batch in evaluation_batches(pairs, CPU, tokens=700):
            assert_same(model(batch), expected[torch.from_numpy(index)])


@flavours
def test_packed_loss_and_gradients_equal_padded(size, random_pairs):
    pairs, model = random_pairs(7, 24), classifier(size)
    batch = make_batch(pairs, np.arange(24), CPU)
    loss = F.cross_entropy(model(batch), batch.labels)
    loss.backward()
    weights = {name: tensor.clone().requires_grad_() for name, tensor in model.state_dict().items()}
    logits = padded_logits(weights, size, *pad(pairs, np.arange(24)))
    padded = F.cross_entropy(logits, torch.from_numpy(pairs.labels))
    padded.backward()
    assert_same(loss, padded)
    for name, parameter in model.named_parameters():
        assert_same(parameter.grad, weights[name].grad)


@flavours
def test_a_row_alone_has_the_logits_it_has_in_a_batch(size, random_pairs):
    pairs, model = random_pairs(3, 17), classifier(size)
    with torch.no_grad():
        together = packed_logits(model, pairs, np.arange(17))
        alone = [packed_logits(model, pairs, np.array([row])) for row in range(17)]
    assert_same(torch.cat(alone), together)


def test_a_token_of_another_row_changes_nothing(random_pairs):
    pairs, model = random_pairs(3, 17), classifier(architecture("2x32/64/2"))
    with torch.no_grad():
        before = packed_logits(model, pairs, np.arange(17))
        pairs.tokens.values[pairs.tokens.offsets[5] + 1] = 39
        after = packed_logits(model, pairs, np.arange(17))
    changed = (before != after).any(1)
    assert changed.tolist() == [row == 5 for row in range(17)]


def test_bfloat16_stays_near(random_pairs):
    pairs, model = random_pairs(3, 17), classifier(architecture("2x32/64/2"))
    batch = make_batch(pairs, np.arange(17), CPU)
    with torch.no_grad():
        exact = model(batch)
        with torch.autocast("cpu", torch.bfloat16):
            near = model(batch).float()
    assert not torch.equal(near, exact)
    torch.testing.assert_close(near, exact, rtol=0.1, atol=0.1 * float(exact.std()))


@flavours
def test_dropout_acts_in_training_alone_and_embeddings_have_it_with_their_norm(size, random_pairs):
    model = classifier(size)
    batch = make_batch(random_pairs(3, 17), np.arange(17), CPU)
    quiet = model(batch)
    model.train()
    seed_dropout(model, np.random.SFC64(0))
    assert not torch.equal(model(batch), quiet)
    embedded = [model.encoder.embeddings(batch) for _ in range(2)]
    assert torch.equal(*embedded) != size.embedding_norm
    assert torch.equal(model.eval()(batch), quiet)


@flavours
def test_dropout_stands_where_bert_has_it(size, random_pairs, monkeypatch):
    """On the embeddings (of the original), on attention weights, and on what each half of a layer adds.

    The last layer has only each row's first token.
    """
    model, numbers = classifier(size), []
    batch = make_batch(random_pairs(3, 17), np.arange(17), CPU)
    drawn = Dropout.factors

    def watched(self, shape, *others):
        numbers.append(math.prod(shape))
        return drawn(self, shape, *others)

    monkeypatch.setattr(Dropout, "factors", watched)
    model(batch)
    whole, firsts = len(batch.tokens) * size.hidden, len(batch) * size.hidden
    lengths = batch.lengths
    all_weights, of_firsts = size.heads * int((lengths**2).sum()), size.heads * int(lengths.sum())
    assert numbers.pop() == firsts  # before the output layer
    before, after = numbers[: size.embedding_norm + 3], numbers[size.embedding_norm + 3 :]
    assert before == [whole] * size.embedding_norm + [all_weights, whole, whole]
    assert (sum(after[:-2]), after[-2:]) == (of_firsts, [firsts, firsts])


@flavours
def test_the_first_tokens_alone_are_those_of_all(size, random_pairs):
    pairs, encoder = random_pairs(5, 31), classifier(size).encoder
    batch = make_batch(pairs, np.arange(31), CPU)
    everything = encoder(batch)[batch.cumulative_lengths[:-1]]
    assert_same(encoder.first(encoder.embeddings(batch), batch), everything)


@pytest.mark.parametrize("dropped", [None, 0.4])
def test_gradients_of_attention_are_those_of_finite_differences(dropped, random_pairs):
    batch = make_batch(random_pairs(5, 7), np.arange(2), CPU)
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(len(batch.tokens), 12, dtype=torch.float64, generator=generator, requires_grad=True)
    factors = None
    if dropped:
        weights = 2 * int((batch.lengths**2).sum())
        factors = (torch.rand(weights, generator=generator) >= dropped).double() / (1 - dropped)
    fixed = (batch.groups, 2, factors)
    numbers = sum(2 * length**2 for _, length in batch.groups)
    bias = torch.randn(numbers, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: GroupedAttention.apply(x, *fixed, None), mixed)
    both = (mixed, bias)
    assert torch.autograd.gradcheck(lambda x, added: GroupedAttention.apply(x, *fixed, added), both)
