"""PairTruncation against the tokenisers themselves, key for key, and inside datasets and DataLoader."""

import pickle
import re
import warnings
from functools import partial
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import processors

from trimtab.config import InputError
from trimtab.truncation import PairTruncation, describe, parse

pytestmark = pytest.mark.integration

HF_FAST = "longest_first(tie=hf_fast)"
PADDINGS = [
    {},
    {"padding": True},
    {"padding": "longest", "return_tensors": "np", "padding_side": "left"},
    {"padding": "max_length", "return_tensors": "pt"},
    {"padding": True, "pad_to_multiple_of": 7},
    {"padding": "do_not_pad", "pad_to_multiple_of": 4},
]
KEYS = [
    {"return_token_type_ids": True, "return_special_tokens_mask": True},
    {"return_token_type_ids": False, "return_attention_mask": False},
    {"return_attention_mask": True, "padding": "max_length", "return_special_tokens_mask": True},
    {"return_attention_mask": False, "padding": True},
]
# Lengths 0 to some 20 tokens, ties, marks in the text, a text of blanks alone.
FIRST = [
    "a man",
    "",
    "the dogs is walking on the street",
    "</s> [SEP]",
    "  ",
    "two dogs",
    "a",
    "[CLS] é zebra",
]
SECOND = [
    "a man",
    "two dogs walking",
    "",
    "a man with two dogs is walking on the street while",
    "a",
    " ",
    "a b",
]
SECOND = [*SECOND, "sleeps [MASK]<s>"]


def assert_same(ours, theirs):
    assert list(ours) == list(theirs)
    for key in theirs:
        assert type(ours[key]) is type(theirs[key])
        if isinstance(theirs[key], list):
            assert ours[key] == theirs[key]
        else:
            assert ours[key].dtype == theirs[key].dtype
            np.testing.assert_array_equal(ours[key], theirs[key])


def assert_as_tokenizer(tokenizer, spec, strategy, max_len, *texts, **options):
    ours = PairTruncation(tokenizer, spec, max_len)(*texts, **options)
    theirs = tokenizer(*texts, truncation=strategy, max_length=max_len, **options)
    assert_same(ours, theirs)


@pytest.mark.parametrize("max_len", [16, 31, 128])
def test_hf_fast_is_berts_tokenizer_on_snli(bert, snli_texts, max_len):
    assert_as_tokenizer(bert, HF_FAST, "longest_first", max_len, *snli_texts)


def test_hf_fast_is_berts_tokenizer_on_articles(bert, fnc_texts):
    assert_as_tokenizer(bert, HF_FAST, "longest_first", 128, *fnc_texts)
    assert_as_tokenizer(bert, HF_FAST, "longest_first", 63, fnc_texts[1][:60], padding=True)


def test_hf_fast_is_berts_tokenizer_at_all_lengths(bert):
    letters = list("abcdefghijklm")
    sides = [" ".join(letters[:length]) for length in range(14)]
    first, second = map(list, zip(*product(sides, sides), strict=True))
    for max_len in range(4, 20):
        assert_as_tokenizer(bert, HF_FAST, "longest_first", max_len, first, second)
        for side in sides[::5]:  # a string beside an empty one is a single text
            assert_as_tokenizer(bert, HF_FAST, "longest_first", max_len, side, "")


ALL = [(FIRST, SECOND), (FIRST,), (FIRST[2], SECOND[3]), (FIRST[2],), ("",)]


@pytest.mark.parametrize("options", PADDINGS + KEYS)
def test_hf_fast_is_berts_tokenizer_whatever_it_is_asked_for(bert, options):
    for texts, max_len in product(ALL, [7, 14, 21]):
        assert_as_tokenizer(bert, HF_FAST, "longest_first", max_len, *texts, **options)


@pytest.mark.parametrize("options", PADDINGS + KEYS)
def test_hf_fast_is_any_fast_tokenizer(byte_level, options):
    for texts, max_len in product(ALL, [7, 14, 35]):
        assert_as_tokenizer(byte_level, HF_FAST, "longest_first", max_len, *texts, **options)


TEXTS = st.lists(st.sampled_from(["a", " man", " é", " walking", "<s>", "</s>", "  ", "🐕"]), max_size=8)


KINDS = ["roberta", "gpt", "t5", "llama", "reversed", "nothing"]


@pytest.fixture(scope="module")
def byte_levels(byte_level_of):
    """One tokeniser of each kind, as training one takes its time."""
    return {kind: byte_level_of(kind) for kind in KINDS}


@settings(deadline=None)
@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(TEXTS.map("".join), TEXTS.map("".join)), min_size=1, max_size=5),
    st.integers(5, 30),
)
def test_hf_fast_on_random_texts(byte_levels, kind, pairs, max_len):
    tokenizer = byte_levels[kind]
    first, second = map(list, zip(*pairs, strict=True))
    for texts in [(first, second), (first,), pairs[0]]:
        for padding in (False, "max_length"):
            assert_as_tokenizer(tokenizer, HF_FAST, "longest_first", max_len, *texts, padding=padding)


def test_an_empty_second_string_is_a_single_text_but_not_in_a_list(bert):
    cut = PairTruncation(bert, HF_FAST, 5)
    assert cut("a b c d e", "")["input_ids"] == cut("a b c d e")["input_ids"]
    assert cut(["a b c d e"], [""])["token_type_ids"] == [[0, 0, 0, 0, 1]]
    for texts in [
        ("a b c d e", ""),
        ("a b c d e", " "),
        (["a b c d e"], [""]),
        ("", ""),
        (["", "a"], ["", ""]),
    ]:
        assert_as_tokenizer(bert, HF_FAST, "longest_first", 5, *texts)


@pytest.mark.parametrize("side", [0, 1])
def test_only_one_side_is_berts_tokenizer(bert, snli_texts, side):
    whole = [len(ids) for ids in bert(snli_texts[1 - side], add_special_tokens=False)["input_ids"]]
    rows = np.flatnonzero(np.array(whole) < 16 - 3)[:3000]  # it refuses to cut a side down to nothing
    texts = [[texts[row] for row in rows] for texts in snli_texts]
    name = ("only_first", "only_second")[side]
    assert_as_tokenizer(bert, name, name, 16, *texts)
    assert_as_tokenizer(bert, "only_first", "only_first", 16, texts[0])


def test_the_selection_stands_for_the_truncation_side(byte_level_of):
    tokenizer = byte_level_of("roberta", truncation_side="left")
    assert_as_tokenizer(tokenizer, f"{HF_FAST}+tail", "longest_first", 10, FIRST, SECOND)


def test_tokenizers_that_pad_on_the_left_and_know_types(byte_level_of):
    names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer = byte_level_of("llama", padding_side="left", model_input_names=names)
    tokenizer.add_eos_token = True  # it has one special token more from here on
    assert_as_tokenizer(tokenizer, HF_FAST, "longest_first", 12, FIRST, SECOND, padding=True)


def specs():
    rows = [row for row in describe() if row["kind"] == "split"]
    names = [
        f"{r['name']}(otherwise=longest_first)" if "otherwise" in r["options"] else r["name"] for r in rows
    ]
    selections = [row["name"] for row in describe() if row["kind"] == "selection"]
    return [
        *names,
        *(f"ratio+{name}" for name in selections),
        "only_first(otherwise=longest_first)+tail/head",
    ]


@pytest.mark.parametrize("spec", specs())
def test_what_fits_is_left_alone_and_the_rest_is_cut_to_max_len(bert, byte_level_of, snli_texts, spec):
    first, second = (side[:300] for side in snli_texts)
    for tokenizer, max_len in [(bert, 20), (byte_level_of("roberta"), 70)]:
        plain = tokenizer(first, second)
        cut = PairTruncation(tokenizer, spec, max_len).fit(first, second)(first, second)
        lengths = [len(ids) for ids in plain["input_ids"]]
        assert [len(ids) for ids in cut["input_ids"]] == [min(length, max_len) for length in lengths]
        fitting = [row for row, length in enumerate(lengths) if length <= max_len]
        assert 20 < len(fitting) < 280
        for key in plain:
            assert [cut[key][row] for row in fitting] == [plain[key][row] for row in fitting]


def test_a_capped_query_is_that_of_rerankers(bert, snli_texts):
    # The query is cut by itself, then the pair with truncation="only_second".
    first, second = (side[:200] for side in snli_texts)
    spans = bert(first, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    queries = [text[: row[5][1]] if len(row) > 6 else text for text, row in zip(first, spans, strict=True)]
    assert queries != first
    theirs = bert(queries, second, truncation="only_second", max_length=16)
    assert_same(PairTruncation(bert, "capped(first=6, otherwise=only_second)", 16)(first, second), theirs)


def test_both_sides_are_cut_as_the_truncation_says(bert):
    cut = PairTruncation(bert, "ratio+head_tail(head=0.5)/tail", 9)("a b c d e f g h", "i j k l")
    assert bert.decode(cut["input_ids"]) == "[CLS] a b g h [SEP] k l [SEP]"
    assert cut["token_type_ids"] == [0] * 6 + [1] * 3


def test_no_texts_give_no_rows(bert):
    cut = PairTruncation(bert, "ratio", 8)
    for texts in [([],), ([], [])]:
        assert dict(cut(*texts)) == {"input_ids": [], "token_type_ids": [], "attention_mask": []}


@pytest.mark.parametrize("split_special", [False, True])
def test_the_tokenizer_is_left_as_it_was(byte_level_of, split_special):
    tokenizer = byte_level_of("roberta")
    backend = tokenizer.backend_tokenizer
    backend.enable_truncation(9, stride=2, strategy="only_second", direction="left")
    backend.enable_padding(length=11, pad_id=2, pad_token="<pad>", direction="left", pad_to_multiple_of=4)
    backend.encode_special_tokens = split_special
    before = pickle.dumps(tokenizer), backend.to_str(), backend.encode_special_tokens
    cut = PairTruncation(tokenizer, "ratio", 8)
    cut(FIRST, SECOND, padding="max_length")
    with pytest.raises(InputError, match="only_first keeps the second text whole"):
        PairTruncation(tokenizer, "only_first", 8)(FIRST, SECOND)
    assert (pickle.dumps(tokenizer), backend.to_str(), backend.encode_special_tokens) == before
    tokenizer(FIRST[:1])
    assert backend.truncation is None
    cut(FIRST, SECOND)
    assert backend.truncation is None
    assert backend.padding is None


def test_a_selection_that_is_fitted(bert):
    cut = PairTruncation(bert, "ratio+salient/head", 8)
    with pytest.raises(InputError, match=re.escape("salient must be fitted first: call fit(first, second)")):
        cut(FIRST, SECOND)
    fitted = cut.fit(["a b c d", "a b e"], ["a b", "d f"])
    assert bert.decode(fitted("a b c e d f", "a b c")["input_ids"]) == "[CLS] c e f [SEP] a b [SEP]"
    single = cut.fit(["a b c e", "a b"])("a b a c a b a e")
    assert bert.decode(single["input_ids"]) == "[CLS] a b a c a e [SEP]"
    with pytest.raises(InputError, match="must be fitted first"):
        cut("a " * 9)
    plain = PairTruncation(bert, "ratio", 8)
    assert plain.fit(["a"]) is plain


def test_a_truncation_may_stand_for_its_spec(bert):
    cut = PairTruncation(bert, parse("ratio+tail"), np.int64(8))
    assert repr(cut) == "PairTruncation(BertTokenizer, 'ratio+tail', 8)"
    assert_same(cut(FIRST, SECOND), PairTruncation(bert, "ratio(minimum=1)+tail/tail", 8)(FIRST, SECOND))


def test_it_can_be_pickled(bert):
    cut = PairTruncation(bert, "ratio+tail", 8)
    assert_same(pickle.loads(pickle.dumps(cut))(FIRST, SECOND), cut(FIRST, SECOND))


def test_in_a_data_set_of_hugging_face(bert, snli_texts):
    datasets = pytest.importorskip("datasets", reason="the extra `datasets` is not installed")
    from datasets.fingerprint import Hasher

    first, second = (side[:200] for side in snli_texts)
    table = datasets.Dataset.from_dict({"first": first, "second": second})
    cut = PairTruncation(bert, HF_FAST, 16)
    before = Hasher.hash(cut)
    done = table.map(cut, batched=True, batch_size=64, input_columns=["first", "second"])
    expected = bert(first, second, truncation="longest_first", max_length=16)
    assert {key: done[key][:] for key in expected} == dict(expected)
    bert.backend_tokenizer.no_truncation()  # which the line before the last left in it
    assert before == Hasher.hash(cut) == Hasher.hash(PairTruncation(bert, HF_FAST, 16))
    assert before != Hasher.hash(PairTruncation(bert, HF_FAST, 17))
    assert before != Hasher.hash(PairTruncation(bert, "longest_first", 16))


def collate(cut, rows):
    return cut(*map(list, zip(*rows, strict=True)), padding=True, return_tensors="pt")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # Python 3.12 warns of it beside threads
@pytest.mark.parametrize("workers", [0, 2])
def test_in_a_collator(bert, snli_texts, workers):
    from torch.utils.data import DataLoader

    rows = list(zip(*snli_texts, strict=True))[:64]
    cut = PairTruncation(bert, HF_FAST, 16)
    loader = DataLoader(rows, 16, collate_fn=partial(collate, cut), num_workers=workers)
    for start, batch in zip(range(0, 64, 16), loader, strict=True):
        texts = map(list, zip(*rows[start : start + 16], strict=True))
        theirs = bert(*texts, truncation="longest_first", max_length=16, padding=True, return_tensors="pt")
        assert_same(batch, theirs)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((["a", 3],), "the first text of row 1 (counted from 0) is 3, not a string; give one"),
        ((["a"], [None]), "the second text of row 0 (counted from 0) is None, not a string; give one"),
        (([("a", "b" * 99)],), f"of row 0 (counted from 0) is ('a', '{'b' * 50}..., not a string; give one"),
        ((["a", "b"], ["c"]), "2 first texts, but 1 second texts: there must be as many"),
        (("a", ["b"]), "the first text is one string, but the second is not; give two strings or two lists"),
        ((["a"], "b"), "the second text is one string, but the first is not; give two strings or two lists"),
        ((None, ["b"]), "the first texts are None; give a list of strings"),
    ],
)
def test_refuses_wrong_texts(bert, texts, message):
    with pytest.raises(InputError, match=re.escape(message)):
        PairTruncation(bert, "ratio", 8)(*texts)


def test_refuses_wrong_settings(bert, bert_vocabulary):
    from transformers.models.bert.tokenization_bert_legacy import BertTokenizerLegacy

    for tokenizer, kind in [(BertTokenizerLegacy(bert_vocabulary), "BertTokenizerLegacy"), ("bert", "str")]:
        with pytest.raises(InputError, match=f"the tokenizer is a {kind}, not a fast tokeniser of transfor"):
            PairTruncation(tokenizer, "ratio", 8)
    with pytest.raises(InputError, match="truncation 'ratoi': no split is called 'ratoi'; did you mean"):
        PairTruncation(bert, "ratoi", 8)
    with pytest.raises(InputError, match=r"max_len must be a whole number of tokens, not 8\.0"):
        PairTruncation(bert, "ratio", 8.0)
    with pytest.raises(InputError, match="max_len 1 leaves no room beside the special tokens; use 3 or more"):
        PairTruncation(bert, "ratio", 1)
    two = PairTruncation(bert, "ratio", 2)
    assert two("a")["input_ids"] == [101, 102]
    with pytest.raises(InputError, match="max_len 2 leaves no room beside the special tokens; use 4 or more"):
        two("a", "b")
    with pytest.raises(
        InputError, match=r"max_len 9 must be divisible by pad_to_multiple_of \(8\), else rows"
    ):
        PairTruncation(bert, "ratio", 9)("a", padding=True, pad_to_multiple_of=8)
    with pytest.raises(TypeError, match="max_length"):
        two("a", max_length=3)


def test_refuses_what_the_split_refuses_in_its_words(bert):
    with pytest.raises(InputError) as theirs:
        parse("only_first").split([1, 1], [1, 7], 5)
    words = f"among the 2 rows of this call, {theirs.value}"
    with pytest.raises(InputError, match=f"^{re.escape(words)}$"):
        PairTruncation(bert, "only_first", 8)(["a", "a"], ["b", "a b c d e f g"])


def test_refuses_a_tokenizer_that_repeats_a_text(byte_level_of):
    tokenizer = byte_level_of("nothing")
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("$A $A", "$A $B", [])
    with pytest.raises(InputError, match="does more than add special tokens around texts"):
        PairTruncation(tokenizer, "ratio", 8)("a")


def test_nothing_is_said_about_long_texts(bert, caplog):
    bert.model_max_length = 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PairTruncation(bert, "ratio", 4)(["a b c d e f g"], padding=True)
    assert not caplog.records


def test_max_length_is_max_len(bert):
    texts = "a b c", "d e f"
    assert PairTruncation(bert, "ratio", max_length=6)(*texts) == PairTruncation(bert, "ratio", 6)(*texts)
    for lengths in ({}, {"max_len": 6, "max_length": 6}):
        with pytest.raises(InputError, match="give max_len, or max_length as transformers calls it"):
            PairTruncation(bert, "ratio", **lengths)
