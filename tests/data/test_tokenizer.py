import re
from collections import Counter

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, trainers

from trimtab.config import InputError
from trimtab.data.tokenizer import SPECIAL_TOKENS, WORD_TOKENIZERS, build, largest_id, special_tokens

QUOTE = "Our friends won't buy this analysis, let alone the next one we propose."
PIECES = [
    2256,
    2814,
    2180,
    1005,
    1056,
    4965,
    2023,
    4106,
    1010,
    2292,
    2894,
    1996,
    2279,
    2028,
    2057,
    16599,
    1012,
]
TINY = ["[UNK]", "[CLS]", "[SEP]", "play", "##ing", "the"]


def split_by_whitespace(text):
    return text.split()


def split_off_punctuation(text):
    """Runs of letters and digits, and each other sign that is no white space by itself."""
    return re.findall(r"[^\W_]+|[^\w\s]|_", text)


SPLITTERS = {"whitespace": split_by_whitespace, "words": split_off_punctuation}
some_texts = st.lists(st.text("abAB1é.,!?'-_$@ \t\n", max_size=25), max_size=8)


def words_of(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False).tokens


@pytest.mark.parametrize("name", SPLITTERS)
@settings(max_examples=80, deadline=None)
@given(train=some_texts, other=some_texts, min_freq=st.integers(1, 4), lowercase=st.booleans())
def test_words_equal_plain_python(name, train, other, min_freq, lowercase):
    def words(text):
        return SPLITTERS[name](text.lower() if lowercase else text)

    tokenizer = build(name, iter(train), min_freq=min_freq, lowercase=lowercase)
    counted = Counter(word for text in train for word in words(text))
    known = {word for word, count in counted.items() if count >= min_freq}
    vocabulary = tokenizer.get_vocab()
    assert set(vocabulary) == known | set(SPECIAL_TOKENS)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    for text in train + other:
        expected = [word if word in known else "<unk>" for word in words(text)]
        assert words_of(tokenizer, text) == expected
        assert tokenizer.encode(text).ids == [vocabulary[word] for word in expected]


def test_special_tokens_come_first_and_are_found():
    tokenizer = build("words", ["a"], min_freq=1)
    assert [tokenizer.id_to_token(number) for number in range(5)] == SPECIAL_TOKENS
    assert special_tokens(tokenizer) == (3, 4)


def test_the_same_texts_make_the_same_tokenizer():
    texts = ["b a", "c b a d", "e d c"]
    made = {build("words", each, min_freq=1).to_str() for each in (texts, texts[::-1], texts)}
    assert len(made) == 1


def test_word_pieces_are_those_of_bert(bert_vocabulary):
    tokenizer = build(str(bert_vocabulary), [], min_freq=1)
    assert tokenizer.encode(QUOTE, add_special_tokens=False).ids == PIECES
    assert tokenizer.encode(QUOTE.upper(), add_special_tokens=False).ids == PIECES
    assert words_of(tokenizer, "Unaffable café") == ["una", "##ffa", "##ble", "cafe"]
    assert tokenizer.get_vocab_size() == 30_522
    assert special_tokens(tokenizer) == (101, 102)
    cased = build(str(bert_vocabulary), [], min_freq=1, lowercase=False)
    assert cased.encode(QUOTE, add_special_tokens=False).ids != PIECES


def test_word_pieces_of_a_small_vocabulary(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(TINY) + "\n")
    tokenizer = build(str(path), [], min_freq=1)
    assert words_of(tokenizer, "The playing zebra") == ["the", "play", "##ing", "[UNK]"]
    assert special_tokens(tokenizer) == (1, 2)


@pytest.mark.parametrize("name", SPLITTERS)
def test_a_saved_tokenizer_reads_back(name, tmp_path):
    made = build(name, [QUOTE, "our friends"], min_freq=1)
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    read = build(str(path), [], min_freq=9)
    assert read.to_str() == made.to_str()
    assert words_of(read, QUOTE + " zebra") == words_of(made, QUOTE + " zebra")
    assert special_tokens(read) == special_tokens(made)


def test_a_files_own_truncation_and_padding_are_left_out(tmp_path):
    made = build("whitespace", ["a b c d"], min_freq=1)
    made.enable_truncation(2)
    made.enable_padding(length=9)
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    assert words_of(build(str(path), [], min_freq=1), "a b c d") == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.txt", b"\xff\xfe\x00\x80"),
        ("vocab.txt", b""),
        ("vocab.txt", b"[CLS]\n[SEP]\nword\n"),
        ("vocab.txt", None),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", b"{"),
        ("tokenizer.json", b'["a"]'),
        ("tokenizer.json", None),
        ("whitespaces", None),
    ],
)
def test_a_bad_vocabulary_is_an_input_error(name, content, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=f"{name}: not a vocabulary .*whitespace, words") as caught:
        build(str(path), [], min_freq=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("left_out", "role"), [("[CLS]", "opening"), ("[SEP]", "separating")])
def test_a_vocabulary_without_special_tokens_is_an_input_error(left_out, role, tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(token for token in TINY if token != left_out))
    with pytest.raises(InputError, match=role):
        special_tokens(build(str(path), [], min_freq=1))


def trained(name, texts, min_freq, lowercase):
    """The same vocabulary as the library itself counts it."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    if lowercase:
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = WORD_TOKENIZERS[name]()
    trainer = trainers.WordLevelTrainer(
        vocab_size=2**31 - 1, min_frequency=min_freq, special_tokens=SPECIAL_TOKENS, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


@pytest.mark.parametrize("name", WORD_TOKENIZERS)
@settings(max_examples=80, deadline=None)
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8") | st.sampled_from(" \t\n\u00a0\x1cΣİÉ.,<>aabbAB"), max_size=20)
        | st.sampled_from(["a a < sep >", "b  b a"]),
        max_size=8,
    ),
    min_freq=st.integers(1, 3),
    lowercase=st.booleans(),
)
def test_the_vocabulary_is_that_of_the_librarys_trainer(name, texts, min_freq, lowercase):
    assume(not {*SPECIAL_TOKENS} & {*" ".join(texts).lower().split()})  # see the next test
    made = build(name, texts, min_freq=min_freq, lowercase=lowercase)
    assert made.to_str() == trained(name, texts, min_freq, lowercase).to_str()


@pytest.mark.parametrize("name", WORD_TOKENIZERS)
def test_special_tokens_in_the_texts_are_no_words(name):
    """WikiText says <unk> itself, more often than most words."""
    made = build(name, ["b <unk> <unk> <sep> a b"], min_freq=1)
    words = ["b", "a"] if name == "whitespace" else ["<", ">", "b", "unk", "a", "sep"]
    assert [made.id_to_token(number) for number in range(5)] == SPECIAL_TOKENS
    assert set(made.get_vocab()) == {*SPECIAL_TOKENS, *words}
    assert sorted(made.get_vocab().values()) == list(range(5 + len(words)))


def test_the_largest_id_counts_gaps(tmp_path):
    path = tmp_path / "tokenizer.json"
    Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 7, "[SEP]": 40_000}, unk_token="[UNK]")).save(str(path))
    tokenizer = build(str(path), (), min_freq=1)
    assert (tokenizer.get_vocab_size(), largest_id(tokenizer)) == (3, 40_000)
