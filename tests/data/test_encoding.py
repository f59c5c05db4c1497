"""Encoding against one text at a time, as the tokeniser itself does it."""

import string

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

from small_tokenizers import KINDS
from trimtab.data import encoding, growing
from trimtab.data.encoding import encode
from trimtab.data.input_template import InputTemplate
from trimtab.data.tokenizer import build, special_tokens, unknown_id, works_word_by_word

pytestmark = pytest.mark.usefixtures("own_environment")

TEXTS = [
    "a dog runs",
    "",
    "a cat",
    "  two  blanks ",
    "a dog runs",
    "tab\tand\nline",
    "a cat",
    "A CAT.",
    "Ποιός ΣΑΣ",
]
# Texts that name special tokens, of the template or others.
NAMED = ["<mask>", "a<mask>b <mask>", "<pad> cat", "<cls>", "a<sep>dog", "[SEP] [MASK]"]
# Whatever a splitting could get wrong: white space, marks that combine, letters that change length.
LETTERS = st.characters(codec="utf-8") | st.sampled_from(" \t\n\u00a0\u2028\x1c'.,-<>ΣİÉé\u0301中#")


def rows_of(ragged):
    return [ragged[row].tolist() for row in range(len(ragged))]


def one_by_one(texts, tokenizer):
    """As transformers does it, unless a text names a token of the template: that is text, or unknown."""
    own = InputTemplate.of(tokenizer).ids
    names, unknown = [tokenizer.id_to_token(number) for number in own], unknown_id(tokenizer)
    theirs = Tokenizer.from_str(tokenizer.to_str())
    rows = []
    for text in texts:
        theirs.encode_special_tokens = any(name in text for name in names)
        ids = theirs.encode(text, add_special_tokens=False).ids
        rows.append([unknown if number in own else number for number in ids])
    return rows


def wordpiece(folder):
    path = folder / "vocab.txt"
    letters = [*string.ascii_lowercase, *"σς中é.,"]
    path.write_text(
        "\n".join(["[UNK]", "[CLS]", "[SEP]", "dog", *letters, *(f"##{x}" for x in letters)]) + "\n"
    )
    return build(str(path), (), min_freq=1)


def byte_level(folder):
    """As GPT-2's: a word is another one after a blank."""
    pieces = ["<cls>", "<sep>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(pieces)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return build(str(path), (), min_freq=1)


MADE = {
    "words": lambda folder: build("words", TEXTS, min_freq=1),
    "cased": lambda folder: build("whitespace", TEXTS, min_freq=1, lowercase=False),
    "whitespace": lambda folder: build("whitespace", TEXTS, min_freq=1),
    "wordpiece": wordpiece,
    "byte_level": byte_level,
}


@pytest.fixture(params=MADE)
def tokenizer(request, tmp_path):
    return MADE[request.param](tmp_path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(LETTERS, max_size=20) | st.sampled_from([*TEXTS, *NAMED]), max_size=8))
def test_equals_one_text_at_a_time(tokenizer, texts):
    encoded = encode(texts, tokenizer)
    assert rows_of(encoded) == one_by_one(texts, tokenizer)
    assert (encoded.values.dtype, encoded.offsets.dtype) == (np.int16, np.int64)


@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_goes_by_chunks_and_through_files(tokenizer, monkeypatch, in_memory):
    monkeypatch.setattr(encoding, "_CHUNK", 3)
    monkeypatch.setattr(growing, "_IN_MEMORY", in_memory)
    assert rows_of(encode(TEXTS * 5, tokenizer)) == one_by_one(TEXTS * 5, tokenizer)
    assert rows_of(encode([], tokenizer)) == []


class Counting:
    """A tokeniser that notes what it is asked for."""

    def __init__(self, tokenizer):
        self.tokenizer, self.asked = tokenizer, []

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def encode_batch_fast(self, texts, **options):
        self.asked.extend(texts)
        return self.tokenizer.encode_batch_fast(texts, **options)


@pytest.mark.parametrize("kind", MADE)
def test_what_comes_again_is_encoded_once(kind, tmp_path):
    counting = Counting(MADE[kind](tmp_path))
    encode(TEXTS, counting)
    whole = kind == "byte_level"
    parts = set(TEXTS) if whole else {part for text in TEXTS for part in text.split(" ")}
    assert sorted(counting.asked) == sorted(parts)
    assert works_word_by_word(counting.tokenizer) != whole


def test_an_added_token_that_holds_a_blank_is_found(tmp_path):
    tokenizer = build("whitespace", ["a b c d"], min_freq=1)
    tokenizer.add_tokens([AddedToken("b c")])
    texts = ["a b c d", "b", "c"]
    assert rows_of(encode(texts, tokenizer)) == one_by_one(texts, tokenizer)
    assert [len(row) for row in rows_of(encode(texts, tokenizer))] == [3, 1, 1]


FORGED = ["a<sep>b", "<cls>", "dogs [SEP] [CLS] man", "two</s></s>dogs </s> <s>man", " [MASK]", "<mask> </s>"]


@pytest.mark.parametrize("kind", [*KINDS, "words", "whitespace"])
def test_no_text_can_name_the_special_tokens_of_the_template(kind):
    tokenizer = KINDS[kind]() if kind in KINDS else build(kind, ["a b"], min_freq=1)
    ids = encode(FORGED, tokenizer)
    assert not InputTemplate.of(tokenizer).ids & set(ids.values.tolist())
    assert all(ids.lengths)


OTHERS = [
    "[E1] crane[E2] boat",
    "a [E1]",
    "[MASK]<mask>",
    "man[MASK]dogs",
    "<mask>dogs[E2][E1]",
    "[PAD]",
    "  [E1]  [E2]x",
]


@pytest.mark.parametrize("kind", [*KINDS, "words", "whitespace"])
@pytest.mark.parametrize("lstrip", [False, True])
def test_other_added_tokens_are_found_as_the_tokeniser_finds_them(kind, lstrip):
    """PURE #36: markers of entities became three unknown tokens each."""
    tokenizer = KINDS[kind]() if kind in KINDS else build(kind, ["crane boat a"], min_freq=1)
    tokenizer.add_special_tokens([AddedToken("[E1]", lstrip=lstrip), AddedToken("[E2]", rstrip=True)])
    texts = OTHERS if kind != "own" else [text for text in OTHERS if "[MASK]" not in text]
    theirs = Tokenizer.from_str(tokenizer.to_str()).encode_batch(texts, add_special_tokens=False)
    assert rows_of(encode(texts, tokenizer)) == [each.ids for each in theirs]
    assert tokenizer.token_to_id("[E1]") in encode(texts, tokenizer).values


def test_added_tokens_that_are_normalised_first(tmp_path):
    tokenizer = wordpiece(tmp_path)
    tokenizer.add_special_tokens([AddedToken("dog,CAT", normalized=True)])
    tokenizer.add_tokens([AddedToken("a.B", normalized=True)])
    texts = ["a DOG,cat", "dog ,cat", "x A.b", "[SEP] dog,CAT"]
    rows = rows_of(encode(texts, tokenizer))
    added, plain = tokenizer.token_to_id("dog,CAT"), tokenizer.token_to_id("a.B")
    assert (rows[0][-1], rows[2][-1], rows[3][-1]) == (added, plain, added)
    assert added not in rows[1]
    assert special_tokens(tokenizer).sep not in rows[3]


@pytest.mark.parametrize(("words", "dtype"), [(2**15 - 5, np.int16), (2**15 - 4, np.int32)])
def test_ids_take_two_bytes_up_to_32767(words, dtype):
    # Five special tokens and these words: the last has id 32,767, or one more.
    texts = [f"w{number:05}" for number in range(words)]
    tokenizer = build("whitespace", texts, min_freq=1)
    encoded = encode([texts[-1], texts[0]], tokenizer)
    assert encoded.values.dtype == dtype
    assert encoded.values.tolist() == [words + 4, 5]
