"""Pairs of sentences against a loop in d2l's words, and what must hold whatever the text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from trimtab.config import InputError
from trimtab.data.next_sentences import Sentences, tokenise_sentences
from trimtab.data.paragraphs import Paragraphs, read
from trimtab.data.tokenizer import SpecialTokens, build, special_tokens
from trimtab.ragged import Ragged, offsets_of

pytestmark = pytest.mark.integration

CLS, SEP = 3, 4


def sentences_of(paragraphs, max_len):
    """Sentences of given lengths, each of ids that no other has."""
    lengths = [length for paragraph in paragraphs for length in paragraph]
    tokens = Ragged(np.arange(5, 5 + sum(lengths), dtype=np.int32), offsets_of(np.array(lengths, np.int64)))
    offsets = offsets_of(np.array([len(paragraph) for paragraph in paragraphs]))
    return Sentences(tokens, offsets, SpecialTokens(CLS, SEP), max_len)


texts = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=8)


@given(texts, st.integers(3, 20), st.integers(0, 3), st.integers(0, 3))
def test_a_pair_is_a_sentence_and_the_next_or_any(paragraphs, max_len, seed, epoch):
    sentences = sentences_of(paragraphs, max_len)
    drawn, lengths = sentences.draw(seed, epoch), sentences.tokens.lengths
    paragraph = np.repeat(np.arange(len(paragraphs)), np.diff(sentences.offsets))
    for first, second, follows in zip(drawn.first, drawn.second, drawn.follows, strict=True):
        assert first + 1 < len(paragraph)
        assert paragraph[first] == paragraph[first + 1]
        assert lengths[first] + lengths[second] + 3 <= max_len
        assert second == first + 1 or not follows
    assert (np.diff(drawn.first) > 0).all()
    assert sentences.count(seed, epoch) == len(drawn.first)


@given(texts, st.integers(0, 3))
def test_inputs_are_cls_first_sep_second_sep(paragraphs, seed):
    sentences = sentences_of(paragraphs, 100)
    drawn, pairs = sentences.draw(seed, 2), sentences.pairs(seed, 2)
    assert pairs.labels.tolist() == drawn.follows.tolist()
    for row, (first, second) in enumerate(zip(drawn.first, drawn.second, strict=True)):
        a, b = sentences.tokens[int(first)].tolist(), sentences.tokens[int(second)].tolist()
        assert pairs.tokens[row].tolist() == [CLS, *a, SEP, *b, SEP]
        assert pairs.first_lengths[row] == len(a) + 2


def test_draws_are_those_of_d2l_in_the_mean():
    """Half follow; of the others each paragraph is as likely, and each sentence in it."""
    sentences = sentences_of([[1] * 4, [1], [1] * 3], 50)
    draws = [sentences.draw(0, epoch) for epoch in range(3_000)]
    follows = np.concatenate([draw.follows for draw in draws])
    others = np.concatenate([draw.second for draw in draws])[~follows]
    assert abs(follows.mean() - 0.5) < 0.02
    shares = np.bincount(others, minlength=8) / len(others)
    assert shares == pytest.approx([1 / 12] * 4 + [1 / 3] + [1 / 9] * 3, abs=0.02)
    assert not np.array_equal(draws[0].second, draws[1].second)
    again = sentences.draw(0, 0)
    assert np.array_equal(again.second, draws[0].second)
    assert not np.array_equal(sentences.draw(1, 0).second, draws[0].second)


def test_the_real_text_has_as_many_pairs_as_d2l_draws(shared_data, own_environment):
    text = read("wikitext", "train", shared_data)
    tokenizer = build("whitespace", text.sentences, min_freq=5)
    sentences = tokenise_sentences(text, tokenizer, special_tokens(tokenizer), 64, "<unk>")
    assert sentences.count(0, 1) == pytest.approx(43_631, rel=0.005)
    words = [sentence.split() for sentence in text.sentences]
    assert sentences.tokens.lengths.tolist() == [len(each) for each in words]


def test_what_stands_for_a_lost_word_becomes_the_unknown_token(own_environment):
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "<": 3, "un": 4, "##k": 5, ">": 6, "a": 7}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    rows = ["a <unk> a", "", "<unk> <unk>", "un <", "<unk a", "zz"]
    text = Paragraphs(rows, np.array([0, len(rows)]), "a text")
    found = tokenise_sentences(text, tokenizer, special_tokens(tokenizer), 30, "<unk>").tokens
    assert [row.tolist() for row in map(found.__getitem__, range(len(rows)))] == [
        [7, 0, 7],
        [],
        [0, 0],
        [4, 3],
        [3, 4, 5, 7],
        [0],
    ]


def test_a_max_len_with_no_room_is_one_sentence(own_environment):
    tokenizer = build("whitespace", ["a b c d e f"], min_freq=1)
    text = Paragraphs(["a b c", "d e f"], np.array([0, 2]), "a text")
    with pytest.raises(InputError, match="a text: no two sentences fit into max_len 5; raise it"):
        tokenise_sentences(text, tokenizer, special_tokens(tokenizer), 5)
