"""Masked words against d2l's loop in its counts and shares, and what must hold whatever the rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from trimtab.config import InputError
from trimtab.data.masking import KEPT, Masking, masked_words, masking_of
from trimtab.data.tokenizer import build

MASKING = Masking(2, np.arange(5, 40))
sides = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=20)


def arrays(rows):
    first, second = np.array(rows).T
    return (first + second + 3).astype(np.int64), (first + 2).astype(np.int64)


@given(sides, st.integers(0, 5))
def test_of_each_row_15_percent_of_its_words_and_nothing_special(rows, seed):
    lengths, firsts = arrays(rows)
    masked = MASKING.draw(lengths, firsts, np.random.default_rng(seed))
    assert (np.diff(masked.places) > 0).all()
    begin = 0
    for row, (length, first) in enumerate(zip(lengths.tolist(), firsts.tolist(), strict=True)):
        places = masked.places[masked.offsets[row] : masked.offsets[row + 1]] - begin
        assert len(places) == min(max(1, round(length * 0.15)), length - 3)  # d2l's own words
        assert ((places > 0) & (places < length - 1) & (places != first - 1)).all()
        begin += length
    assert masked.offsets[-1] == len(masked.places) == len(masked.put)
    assert set(masked.put.tolist()) <= {MASKING.mask, KEPT, *MASKING.words.tolist()}


def test_80_percent_are_hidden_10_replaced_10_kept_each_word_as_likely():
    lengths, firsts = np.full(4_000, 43), np.full(4_000, 21)
    masked = MASKING.draw(lengths, firsts, np.random.default_rng(0))
    put = masked.put
    shares = [(put == MASKING.mask).mean(), np.isin(put, MASKING.words).mean(), (put == KEPT).mean()]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    words = np.bincount(put[np.isin(put, MASKING.words)], minlength=40)[5:]
    assert words.min() > 0.5 * words.mean()
    places = np.bincount(masked.places % 43, minlength=43)
    assert places[[0, 20, 42]].tolist() == [0, 0, 0]
    assert np.delete(places, [0, 20, 42]) == pytest.approx(np.full(40, 4_000 * 6 / 40), rel=0.2)


def test_draws_follow_the_generator():
    lengths, firsts = arrays([(20, 20)] * 30)
    one, same, other = (MASKING.draw(lengths, firsts, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.places, same.places)
    assert np.array_equal(one.put, same.put)
    assert not np.array_equal(one.places, other.places)


def test_the_number_of_masked_words_is_rounded_as_python_rounds():
    lengths = np.arange(3, 600)
    assert masked_words(lengths).tolist() == [min(max(1, round(n * 0.15)), n - 3) for n in lengths.tolist()]


def test_the_vocabulary_has_the_mask_and_the_replacements():
    tokenizer = build("whitespace", ["b a <unk> a"], min_freq=1)
    found = masking_of(tokenizer)
    assert found.mask == tokenizer.token_to_id("<mask>")
    assert [tokenizer.id_to_token(number) for number in found.words] == ["a", "b"]
    assert tokenizer.get_vocab_size() == 7  # <unk> stands there once
    for words, message in (
        ({"<unk>": 0, "a": 1}, "the vocabulary has no mask token: add one of <mask>, "),
        ({"<unk>": 0, "<mask>": 1}, "the vocabulary has no words besides its special tokens"),
    ):
        with pytest.raises(InputError, match=message):
            masking_of(Tokenizer(models.WordLevel(words, unk_token="<unk>")))
