"""Templates against the tokenisers themselves: the same rows, the same segments."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors

from small_tokenizers import KINDS, byte_level, template, wordpiece
from trimtab.config import InputError
from trimtab.data.input_template import InputTemplate, Row, bert_template
from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens, build
from trimtab.ragged import Ragged
from trimtab.truncation import parse

texts = st.lists(
    st.sampled_from(["a", "man", "dogs", "zebra", "street.", "", " ", "é", "reading"]), max_size=9
)
pairs_of_texts = st.lists(st.tuples(texts.map(" ".join), texts.map(" ".join)), min_size=1, max_size=6)


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    return KINDS[request.param]()


def packed(tokens_of, tokenizer, *sides, max_len=200):
    """Our rows: the ids of each, and its token types."""
    ids = [[tokenizer.encode(text, add_special_tokens=False).ids for text in side] for side in sides]
    pairs = make_pairs(tokens_of(*ids), parse("longest_first"), max_len, InputTemplate.of(tokenizer))
    rows = [pairs.tokens[row].tolist() for row in range(len(pairs))]
    firsts = pairs.first_lengths.tolist()
    types = [[0] * first + [1] * (len(row) - first) for row, first in zip(rows, firsts, strict=True)]
    return rows, types


@settings(max_examples=40, deadline=None)
@given(pairs=pairs_of_texts)
def test_rows_are_the_tokenisers_own(tokens_of, tokenizer, pairs):
    first, second = map(list, zip(*pairs, strict=True))
    for sides, asked in (((first, second), pairs), ((first,), first)):
        theirs = tokenizer.encode_batch(asked)
        rows, types = packed(tokens_of, tokenizer, *sides)
        assert rows == [each.ids for each in theirs]
        assert types == [each.type_ids for each in theirs]


@settings(max_examples=40, deadline=None)
@given(pairs=pairs_of_texts, max_len=st.integers(8, 30))
def test_cut_rows_are_those_of_the_post_processor(tokens_of, tokenizer, pairs, max_len):
    """Around texts of which a number of tokens is kept, which is here worked out token by token."""
    first, second = map(list, zip(*pairs, strict=True))
    rows, types = packed(tokens_of, tokenizer, first, second, max_len=max_len)
    special = tokenizer.num_special_tokens_to_add(True)
    for row, (a, b) in enumerate(pairs):
        one, two = (tokenizer.encode(text, add_special_tokens=False) for text in (a, b))
        kept = [len(one), len(two)]
        while sum(kept) > max_len - special:
            kept[0 if kept[0] > kept[1] else 1] -= 1
        one.truncate(kept[0])
        two.truncate(kept[1])
        theirs = tokenizer.post_processor.process(one, two, True)
        assert rows[row] == theirs.ids
        assert types[row] == theirs.type_ids


def test_templates_of_the_families():
    assert InputTemplate.of(wordpiece()) == bert_template(SpecialTokens(2, 3))
    roberta = InputTemplate.of(byte_level())
    assert roberta == InputTemplate(Row(((0,), (2,)), 2, 1), Row(((0,), (2, 2), (2,)), 4, 2))
    assert [roberta.row(texts).count for texts in (1, 2)] == [2, 4]
    assert pickle.loads(pickle.dumps(roberta)) == roberta
    assert len({roberta, InputTemplate.of(byte_level()), bert_template(SpecialTokens(2, 3))}) == 2


def test_without_a_template_it_is_berts_by_the_names_in_the_vocabulary():
    words = build("whitespace", ["a b"], min_freq=1)
    assert InputTemplate.of(words) == bert_template(SpecialTokens(3, 4))
    tokenizer = byte_level()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    assert InputTemplate.of(tokenizer) == bert_template(SpecialTokens(0, 2))


def test_one_segment_is_the_whole_row(tokens_of):
    tokens = tokens_of([[7, 8], []], [[9], [9, 9]])
    pairs = make_pairs(tokens, parse("longest_first"), 9, InputTemplate.of(byte_level()))
    assert pairs.tokens[0].tolist() == [0, 7, 8, 2, 2, 9, 2]
    assert pairs.first_lengths.tolist() == pairs.tokens.lengths.tolist() == [7, 6]


def test_the_budget_is_what_the_template_leaves():
    roberta = InputTemplate.of(byte_level())
    assert (roberta.budget(9, 1), roberta.budget(9, 2), roberta.budget(4, 2)) == (7, 5, 0)
    with pytest.raises(InputError, match="max_len 3 leaves no room beside the special tokens; use 5 or more"):
        roberta.budget(3, 2)


def test_a_template_without_special_tokens(tokens_of):
    tokenizer = wordpiece()
    tokenizer.post_processor = processors.TemplateProcessing("$A", "$A $B:1", [])
    nothing = InputTemplate.of(tokenizer)
    assert nothing.row(2) == Row(((), (), ()), 0, 1)
    pairs = make_pairs(tokens_of([[7, 8]], [[9]]), parse("longest_first"), 9, nothing)
    assert (pairs.tokens[0].tolist(), pairs.first_lengths.tolist()) == ([7, 8, 9], [2])
    wanted = (
        r"row 1 \(counted from 0\) has no tokens, as its texts are empty and the tokenizer adds no special"
    )
    with pytest.raises(InputError, match=wanted):
        make_pairs(tokens_of([[7], []], [[9], []]), parse("longest_first"), 9, nothing)


@pytest.mark.parametrize(
    ("single", "pair", "wrong"),
    [
        ("[CLS] $A [SEP]", "[CLS] $B [SEP] $A:1 [SEP]:1", "a pair has the texts in another order"),
        ("[CLS] $A [SEP]", "[CLS] $A [SEP] $A:1 $B:1", "a pair has the texts in another order, or one of"),
        ("$A [SEP] $A", "$A [SEP] $B:1", "a single text has the texts in another order, or one of them not"),
        ("$A [SEP]", "$A [SEP] $B:1 [CLS]:2", "a pair has the token types 0 0 0 1 1 2, not zeros and then"),
        ("$A [SEP]", "$A [SEP]:1 $B:0", "a pair has the token types 0 0 1 0 0, not zeros and then ones"),
        ("$A:3", "$A [SEP] $B:1", "a single text has the token types 3 3, not zeros and then ones"),
    ],
)
def test_a_template_that_rows_cannot_hold_is_an_input_error(single, pair, wrong):
    tokenizer = wordpiece()
    tokenizer.post_processor = template(single, pair, tokenizer)
    with pytest.raises(InputError, match=wrong) as raised:
        InputTemplate.of(tokenizer)
    assert str(raised.value).endswith("rows here cannot hold; use another tokenizer")


def test_many_rows_are_packed_as_one_by_one(tokens_of, tokenizer):
    random = np.random.default_rng(3)
    first, second = ([random.integers(5, 90, n).tolist() for n in random.integers(0, 20, 50)] for _ in "ab")
    given_template = InputTemplate.of(tokenizer)
    tokens = tokens_of(first, second)
    pairs = make_pairs(tokens, parse("ratio+tail"), 24, given_template)
    row = given_template.pair
    cut = parse("ratio+tail").apply(Ragged.from_rows(first), Ragged.from_rows(second), 24 - row.count)
    for number in range(50):
        one, two = (side[number].tolist() for side in cut)
        before, between, after = map(list, row.special)
        assert pairs.tokens[number].tolist() == [*before, *one, *between, *two, *after]
