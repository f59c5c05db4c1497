"""``longest_first(tie=hf_fast)`` is the tokenisers' own truncation, by PairTruncation and in our rows."""

import random

import pytest

from small_tokenizers import KINDS, SENTENCES
from trimtab.data.encoding import encode
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import make_pairs
from trimtab.truncation import PairTruncation, parse

pytestmark = pytest.mark.integration

HF_FAST = "longest_first(tie=hf_fast)"
LENGTHS = [7, 12, 20, 31, 48, 80]
NAMES = {
    "wordpiece": {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"},
    "byte_level": {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"},
}
NAMES |= {"unigram": NAMES["byte_level"], "own": NAMES["wordpiece"]}


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    """One of transformers', in the template of its family, or in one of its own."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=KINDS[request.param](),
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **NAMES[request.param],
    )


def some_pairs(number):
    """Pairs of every length from nothing to thirty words, of words that are known and that are not."""
    draw = random.Random(5)
    words = [*" ".join(SENTENCES).split(), "", "zebra", "Über", "[MASK]", "x" * 30]
    sides = [[" ".join(draw.choices(words, k=draw.randrange(30))) for _ in range(number)] for _ in "ab"]
    return tuple(sides)


def assert_as_the_tokenizer_cuts(tokenizer, first, second, tokens_of):
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    sides = (encode(side, backend) for side in (first, second))
    tokens = tokens_of(*([side[row] for row in range(len(side))] for side in sides))
    template = InputTemplate.of(backend)
    for max_len in LENGTHS:
        theirs = tokenizer(first, second, truncation="longest_first", max_length=max_len)
        ours = PairTruncation(tokenizer, HF_FAST, max_len)(first, second)
        assert list(ours) == list(theirs)
        assert {key: ours[key] for key in theirs} == dict(theirs)
        pairs = make_pairs(tokens, parse(HF_FAST), max_len, template)
        rows = [pairs.tokens[row].tolist() for row in range(len(pairs))]
        assert rows == theirs["input_ids"]
        assert pairs.first_lengths.tolist() == [types.count(0) for types in theirs["token_type_ids"]]


def test_made_up_pairs(tokenizer, tokens_of, own_environment):
    first, second = some_pairs(300)
    if "[MASK]" in tokenizer.convert_ids_to_tokens(tokenizer("")["input_ids"]):
        first, second = ([text.replace("[MASK]", "mask") for text in side] for side in (first, second))
    assert_as_the_tokenizer_cuts(tokenizer, first, second, tokens_of)


@pytest.mark.slow
def test_snli(tokenizer, snli_texts, tokens_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path))
    assert_as_the_tokenizer_cuts(tokenizer, *(side[:2_000] for side in snli_texts), tokens_of)


def test_snli_with_berts_vocabulary(bert, snli_texts, tokens_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path))
    assert_as_the_tokenizer_cuts(bert, *(side[:2_000] for side in snli_texts), tokens_of)
