"""Weights in d2l's format against d2l 1.0.3 itself, on ragged batches that it pads."""

import importlib
import json
import zipfile
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from trimtab.data.batches import make_batch
from trimtab.data.encoding import encode
from trimtab.data.tokenizer import SPECIAL_TOKENS, build
from trimtab.model import load
from trimtab.model.classifier import Classifier
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.loading import read
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import weights_of
from trimtab.model.weights_d2l import write

CPU = torch.device("cpu")
ROWS, WORDS = 21, [*SPECIAL_TOKENS, *(f"w{number}" for number in range(5, 40))]
SIZE = architecture("2x32/48/4", positions=64, **D2L)
WHOLE = {"masked_words": True, "next_sentence": True}

pytestmark = pytest.mark.skipif(find_spec("d2l") is None, reason="no d2l; `make .venv/peers` installs it")


@pytest.fixture
def d2l():
    return importlib.import_module("bench.peers.d2l").d2l


def shaken(model, seed=0):
    """The model with every number random, so that biases and norms count, and no dropout.

    Matrices stay near their initial scale: with much larger ones d2l in fp32 is itself 7e-5 away from fp64.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.2 if parameter.dim() == 1 else 0.05
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def theirs(d2l, hidden=32, heads=4, layers=2):
    one = torch.zeros((1, 2), dtype=torch.long)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = d2l.BERTModel(len(WORDS), hidden, 48, heads, layers, 0.1, max_len=64)
        model(one, one, torch.tensor([2]), one)  # lazy layers take their shapes from a first input
    return shaken(model)


def save(model, folder):
    folder.mkdir(exist_ok=True)
    torch.save(model.state_dict(), folder / "pretrained.params")
    (folder / "vocab.json").write_text(json.dumps(WORDS))
    return folder


@pytest.fixture
def rows(random_pairs):
    """(batch, tokens, segments, lengths): the same rows packed, and padded in the batch's order."""
    pairs = random_pairs(5, ROWS)
    index = np.argsort(pairs.tokens.lengths, kind="stable")
    lengths = torch.from_numpy(pairs.tokens.lengths[index])
    cells = [torch.tensor(np.array(pairs.tokens[row]), dtype=torch.int64) for row in index]
    tokens = torch.nn.utils.rnn.pad_sequence(cells, batch_first=True, padding_value=1)
    firsts = torch.from_numpy(pairs.first_lengths[index].astype(np.int64))[:, None]
    columns = torch.arange(tokens.shape[1])[None]
    segments = ((columns >= firsts) & (columns < lengths[:, None])).long()
    return make_batch(pairs, index, CPU), tokens, segments, lengths


def masked_positions(lengths, each=3):
    """(rows, each) places in each row."""
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(len(lengths), each, generator=generator) * lengths[:, None]).long()


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 0.05  # or the comparison would say little


def assert_equal_models(ours, d2ls, rows):
    batch, tokens, segments, lengths = rows
    masked = masked_positions(lengths)
    with torch.no_grad():
        encoded, words, following = d2ls(tokens, segments, lengths, masked)
        x = ours(batch)
        places = (batch.cumulative_lengths[:-1, None] + masked).ravel()
        assert_same(x, encoded[torch.arange(tokens.shape[1])[None] < lengths[:, None]])
        assert_same(ours.masked_word_logits(x, places), words.flatten(0, 1))
        assert_same(ours.next_sentence_logits(x, batch), following)


@pytest.mark.parametrize(("hidden", "heads", "said"), [(128, 2, None), (32, 4, 4), (64, 8, 8)])
def test_what_d2l_saved_computes_the_same(d2l, rows, tmp_path, hidden, heads, said):
    model = theirs(d2l, hidden, heads, layers=3)
    ours, tokenizer = load(save(model, tmp_path / "bert"), heads=said)
    assert str(ours.parts.size) == f"3x{hidden}/48/{heads}"
    assert ours.parts.size.positions == 64
    assert tokenizer.get_vocab_size() == len(WORDS)
    assert_equal_models(ours, model, rows)


@pytest.mark.parametrize("inside", ["", "bert.tiny.torch/"])
def test_an_archive_is_read_where_it_is(d2l, rows, tmp_path, monkeypatch, inside):
    folder, model = tmp_path / "bert", theirs(d2l)
    save(model, folder)
    (tmp_path / "data").mkdir()
    with zipfile.ZipFile(tmp_path / "data" / "mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, inside + file.name)
    monkeypatch.chdir(folder)
    ours, _ = load("mine.zip", tmp_path / "data", heads=4)
    assert_equal_models(ours, model, rows)
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["mine.zip"]


def test_every_tensor_is_used(d2l, tmp_path):
    model = theirs(d2l)
    weights, _ = read(save(model, tmp_path / "bert"), heads=4)
    assert weights.ignored == ()
    assert sum(tensor.numel() for tensor in weights.tensors.values()) == sum(
        tensor.numel() for tensor in model.state_dict().values()
    )


def test_text_is_read_as_d2l_reads_it(d2l, tmp_path):
    _, tokenizer = load(save(theirs(d2l), tmp_path / "bert"), heads=4)
    vocab = d2l.Vocab()
    vocab.idx_to_token, vocab.token_to_idx = WORDS, {word: number for number, word in enumerate(WORDS)}
    texts = ["W5 w6  w39", "w7, unknown w8", "", "w9\tW10"]
    expected = [vocab[words] if words else [] for words in d2l.tokenize([text.lower() for text in texts])]
    found = encode(texts, tokenizer)
    assert [found[row].tolist() for row in range(len(texts))] == expected


def test_the_chapters_classifier_is_read(d2l, rows, tmp_path):
    bert = theirs(d2l)
    head = importlib.import_module("bench.peers.d2l").Head(bert, 32, 3).eval()
    shaken(head, 2)
    ours, _ = load(save(head, tmp_path / "bert"), heads=4)
    batch, *padded = rows
    with torch.no_grad():
        assert_same(ours.class_logits(batch), head(padded))


def whole(size=SIZE, **parts):
    model = Bert(Parts(size, len(WORDS), **parts))
    initialise(model, 0, 0.2)
    return shaken(model)


def whitespace():
    return build("whitespace", [" ".join(WORDS[5:])], min_freq=1)


def test_what_we_write_d2l_loads_and_we_load_again(d2l, rows, tmp_path):
    model, tokenizer, folder = whole(**WHOLE), whitespace(), tmp_path / "new" / "bert"
    write(folder, weights_of(model, SIZE), tokenizer)
    d2ls = theirs(d2l)
    d2ls.load_state_dict(torch.load(folder / "pretrained.params", weights_only=True))
    assert_equal_models(model, d2ls, rows)
    vocabulary = json.loads((folder / "vocab.json").read_text())
    assert {word: number for number, word in enumerate(vocabulary)} == tokenizer.get_vocab()
    again, same = load(folder)
    assert again.parts == model.parts
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))
    assert same.to_str() == tokenizer.to_str()


def test_a_study_s_classifier_goes_out_and_in(rows, tmp_path):
    model = Classifier(SIZE, len(WORDS), 3)
    initialise(model, 0, 0.2)
    shaken(model)
    write(tmp_path, weights_of(model, SIZE), whitespace())
    with torch.no_grad():
        assert torch.equal(load(tmp_path)[0].class_logits(rows[0]), model(rows[0]))


def test_words_of_another_kind_are_split_as_before(tmp_path):
    tokenizer = build("words", [" ".join(WORDS[5:])], min_freq=1)
    write(tmp_path, weights_of(whole(), SIZE), tokenizer)
    _, again = load(tmp_path)
    assert encode(["w5,w6"], again)[0].tolist() == encode(["w5,w6"], tokenizer)[0].tolist()
