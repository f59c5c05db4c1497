"""longest_first against those who do it: the installed tokenizers library, and d2l's loop on real SNLI."""

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


@pytest.mark.parametrize("max_len", [3, 4, 7, 16, 23, 32, 43, 128])
def test_hf_fast_is_the_tokenizers_library(tokenizer, max_len):
    rng = np.random.default_rng(max_len)
    rows = [
        (rng.integers(0, 100, rng.integers(0, 80)), rng.integers(0, 100, rng.integers(1, 80)))
        for _ in range(500)
    ]
    tokenizer.enable_truncation(max_len, strategy="longest_first")
    encodings = tokenizer.encode_batch(
        [tuple(" ".join(f"w{t}" for t in side) for side in row) for row in rows]
    )
    first, second = (Ragged.from_rows([row[number] for row in rows]) for number in (0, 1))
    ours = parse("longest_first(tie=hf_fast)").apply(first, second, max_len - SPECIAL_TOKENS)
    for number, encoding in enumerate(encodings):
        sides = np.array([-1 if side is None else side for side in encoding.sequence_ids])
        for side in (0, 1):
            assert ours[side][number].tolist() == np.array(encoding.ids)[sides == side].tolist()


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
