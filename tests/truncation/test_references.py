"""Splits against who does them: tokenizers, transformers in Python, and d2l's loop on real SNLI."""

import os
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing

from trimtab.ragged import Ragged
from trimtab.truncation import parse

SPECIAL_TOKENS = 3


@pytest.fixture(scope="module")
def tokenizer():
    """Word w5 is token 5; `<cls> A <sep> B <sep>` with tokens 100 and 101."""
    vocabulary = {f"w{number}": number for number in range(100)} | {"<cls>": 100, "<sep>": 101}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="w0"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="<cls> $A <sep>",
        pair="<cls> $A <sep> $B:1 <sep>:1",
        special_tokens=[("<cls>", 100), ("<sep>", 101)],
    )
    return tokenizer


def rows_of(tokenizer, *texts, **options):
    """The token ids of a batch; two lists of texts are pairs."""
    batch = texts[0] if len(texts) == 1 else list(zip(*texts, strict=True))
    return [encoding.ids for encoding in tokenizer.encode_batch(batch, **options)]


def assert_as_library(tokenizer, first, second, max_len, marks):
    """What the library returns is what we keep of its own tokens, between its marks (cls, sep)."""
    cls, sep = marks
    tokenizer.no_truncation()
    sides = [Ragged.from_rows(rows_of(tokenizer, side, add_special_tokens=False)) for side in (first, second)]
    tokenizer.enable_truncation(max_len, strategy="longest_first")
    theirs = rows_of(tokenizer, first, second)
    a, b = parse("longest_first(tie=hf_fast)").apply(*sides, max_len - SPECIAL_TOKENS)
    assert len(theirs) == len(a) == len(b) == len(first)
    for row, ids in enumerate(theirs):
        assert ids == [cls, *a[row].tolist(), sep, *b[row].tolist(), sep]


def random_texts(seed, pairs):
    """Pairs of 0 to 30 words w0 to w99 each."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{number}" for number in range(100)], object)
    return [
        [" ".join(words[rng.integers(0, 100, length)]) for length in rng.integers(0, 31, pairs)]
        for _ in range(2)
    ]


@pytest.mark.parametrize("max_len", [3, 4, 7, 16, 23, 32, 43, 63])
def test_hf_fast_is_the_tokenizers_library(tokenizer, max_len):
    assert_as_library(tokenizer, *random_texts(max_len, 500), max_len, (100, 101))


@pytest.mark.slow
def test_hf_fast_is_the_tokenizers_library_on_200_000_pairs(tokenizer):
    for max_len in range(3, 53):
        assert_as_library(tokenizer, *random_texts(1000 + max_len, 4000), max_len, (100, 101))


@pytest.mark.parametrize("max_len", [16, 33])
def test_hf_fast_is_the_tokenizers_library_on_every_pair_of_snli(bert, snli_texts, max_len):
    assert_as_library(bert.backend_tokenizer, *snli_texts, max_len, (101, 102))


def test_hf_fast_is_the_tokenizers_library_on_articles(bert, fnc_texts):
    assert_as_library(bert.backend_tokenizer, *fnc_texts, 128, (101, 102))


@pytest.fixture(scope="module")
def in_python():
    """The truncation of transformers' own tokenisers in Python, of token numbers."""
    from transformers.tokenization_python import PythonBackend
    from transformers.utils import logging

    class Numbers(PythonBackend):
        vocab_size = 100

        def get_vocab(self):
            return {str(number): number for number in range(100)}

    before = logging.get_verbosity()
    logging.set_verbosity_error()  # it warns at each pair that longest_first returns nothing of what is cut
    yield Numbers()
    logging.set_verbosity(before)


def assert_as_python(in_python, first, second, budget, spec):
    strategy = spec.partition("(")[0]
    a, b = parse(spec).apply(Ragged.from_rows(first), Ragged.from_rows(second), budget)
    for row, (one, two) in enumerate(zip(first, second, strict=True)):
        remove = len(one) + len(two) - budget
        kept = in_python.truncate_sequences(one, two, remove, strategy)
        assert (kept[0], kept[1]) == (a[row].tolist(), b[row].tolist())


@pytest.mark.parametrize("budget", [0, 1, 2, 7, 20, 29, 40])
def test_bert_is_transformers_in_python(in_python, budget):
    rng = np.random.default_rng(budget)
    first, second = (
        [rng.integers(0, 100, length).tolist() for length in rng.integers(0, 31, 3000)] for _ in range(2)
    )
    assert_as_python(in_python, first, second, budget, "longest_first(tie=bert)")
    for whole, spec in ((second, "only_first"), (first, "only_second")):
        fits = [row for row, side in enumerate(whole) if len(side) <= budget]
        one, two = ([side[row] for row in fits] for side in (first, second))
        assert_as_python(in_python, one, two, budget, spec)


@pytest.mark.parametrize("budget", [8, 13, 21])
def test_bert_is_transformers_in_python_on_every_pair_of_snli(in_python, snli, budget):
    first, second = (list(side) for side in zip(*snli, strict=True))
    assert_as_python(in_python, first, second, budget, "longest_first")


def truncate_pair_of_tokens(p_tokens, h_tokens, max_len):
    """As in d2l's SNLIBERTDataset (d2l.ai, chapter 16.7)."""
    while len(p_tokens) + len(h_tokens) > max_len - 3:
        if len(p_tokens) > len(h_tokens):
            p_tokens.pop()
        else:
            h_tokens.pop()


@pytest.fixture(scope="module")
def snli():
    """The tokens of SNLI's dev and test pairs as numbers, rows without a gold label left out."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TRIMTAB_DATA", beside)) / "snli" / "snli_1.0"
    files = {folder / "snli_1.0_dev.txt": 9842, folder / "snli_1.0_test.txt": 9824}
    if not all(file.exists() for file in files):
        pytest.skip(f"no SNLI in {folder}; set TRIMTAB_DATA to the folder that holds snli/")
    pairs, words = [], {}
    for file, expected in files.items():
        rows = [line.split("\t")[:3] for line in file.read_text(encoding="utf-8").splitlines()[1:]]
        rows = [row[1:] for row in rows if row[0] != "-"]
        assert len(rows) == expected
        pairs += [[text.replace("(", " ").replace(")", " ").split() for text in row] for row in rows]
    return [[[words.setdefault(word, len(words)) for word in side] for side in pair] for pair in pairs]


def test_bert_is_d2l_on_every_pair_of_snli_at_every_length(snli):
    lengths = sorted({(len(first), len(second)) for first, second in snli})
    a, b = np.array(lengths).T
    for max_len in range(8, 129):
        keep = parse("longest_first").split(a, b, max_len - SPECIAL_TOKENS)
        for row, pair in enumerate(lengths):
            p, h = ([None] * length for length in pair)
            truncate_pair_of_tokens(p, h, max_len)
            assert (len(p), len(h)) == (keep[0][row], keep[1][row])


@pytest.mark.integration
@pytest.mark.parametrize("max_len", [8, 16, 24, 33, 128])
def test_bert_keeps_the_tokens_d2l_keeps(snli, max_len):
    first, second = (Ragged.from_rows([pair[number] for pair in snli]) for number in (0, 1))
    ours = parse("longest_first(tie=bert)").apply(first, second, max_len - SPECIAL_TOKENS)
    expected = [[list(side) for side in pair] for pair in snli]
    for pair in expected:
        truncate_pair_of_tokens(*pair, max_len)
    for number in (0, 1):
        theirs = Ragged.from_rows([pair[number] for pair in expected])
        np.testing.assert_array_equal(ours[number].values, theirs.values)
        np.testing.assert_array_equal(ours[number].offsets, theirs.offsets)
