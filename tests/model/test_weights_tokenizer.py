"""Tokenisers of folders against transformers' AutoTokenizer: the same ids, the same token types."""

import json

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors

from small_tokenizers import BERT, KINDS, SENTENCES, byte_level, own, template, unigram, wordpiece
from trimtab.config import InputError
from trimtab.data.encoding import encode
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import build
from trimtab.model import weights_tokenizer
from trimtab.truncation import parse

transformers = pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")
pytestmark = pytest.mark.usefixtures("own_environment")

GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast"}
TYPES = {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}
TEXTS = ["A man ÉE dogs", "two 中文 dogs[E1]", "", "Reading ``books'' in  the\tstreet ", "x [E2] y", "🐕 Ünï"]


def folder_of(folder, tokenizer, settings=None, model_type="bert", **files):
    """A folder with a tokenizer.json, its settings, the type of a model, and other files of JSON."""
    if tokenizer is not None:
        tokenizer.save(str(folder / "tokenizer.json"))
    files |= {} if settings is None else {"tokenizer_config": settings}
    files |= {} if model_type is None else {"config": {"model_type": model_type}}
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


def assert_as_transformers(folder, tokens_of, texts=TEXTS):
    theirs, ours = transformers.AutoTokenizer.from_pretrained(folder), weights_tokenizer.read(folder)
    first, second = texts, texts[1:] + texts[:1]
    for sides in ((first, second), (first,)):
        expected = theirs(*sides)
        ids = ([side[row] for row in range(len(texts))] for side in (encode(side, ours) for side in sides))
        pairs = make_pairs(tokens_of(*ids), parse("longest_first"), 200, InputTemplate.of(ours))
        assert [pairs.tokens[row].tolist() for row in range(len(texts))] == expected["input_ids"]
        nothing = [[0] * len(row) for row in expected["input_ids"]]  # as a model has it without token types
        types = expected.get("token_type_ids", nothing)
        assert pairs.first_lengths.tolist() == [row.count(0) for row in types]
    return ours


MARKERS = [
    AddedToken("[E1]", special=True, normalized=False),
    AddedToken("[E2]", lstrip=True, normalized=True),
]

FOLDERS = {
    "bert": (wordpiece, None, "bert"),
    "bert, generic": (wordpiece, GENERIC, "bert"),
    "bert, generic, with types": (wordpiece, GENERIC | TYPES, "bert"),
    "bert without a model": (wordpiece, {"tokenizer_class": "BertTokenizerFast"}, None),
    "bert without types": (wordpiece, {"model_input_names": ["input_ids", "attention_mask"]}, "bert"),
    "distilbert": (wordpiece, None, "distilbert"),
    "distilbert by name": (wordpiece, {"tokenizer_class": "DistilBertTokenizer"}, "distilbert"),
    "electra": (wordpiece, {"tokenizer_class": "ElectraTokenizerFast"}, "electra"),
    "modernbert": (wordpiece, {"tokenizer_class": "BertTokenizer"}, "modernbert"),
    "roberta": (byte_level, {}, "roberta"),
    "roberta in a bert": (byte_level, {"tokenizer_class": "RobertaTokenizer"}, "bert"),
    "roberta, generic in a bert": (byte_level, GENERIC, "bert"),
    "roberta, with a space": (byte_level, {"add_prefix_space": True}, "roberta"),
    "xlm-roberta": (unigram, None, "xlm-roberta"),
    "xlm-roberta, generic with types": (unigram, GENERIC | TYPES, "bert"),
    "xlm-roberta without a space": (unigram, {"add_prefix_space": False}, "xlm-roberta"),
    "camembert": (unigram, {"tokenizer_class": "CamembertTokenizer"}, "camembert"),
    "own template": (own, GENERIC | TYPES, "bert"),
    "own template, of which the class takes no notice": (own, None, "bert"),
    "an unknown class": (own, {"tokenizer_class": "SomeTokenizer"} | TYPES, None),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_classes(case, tmp_path, tokens_of):
    make, settings, model_type = FOLDERS[case]
    assert_as_transformers(folder_of(tmp_path, make(), settings, model_type), tokens_of)


@pytest.mark.parametrize("case", FOLDERS)
def test_what_transformers_has_saved(case, tmp_path, tokens_of):
    """With all that it writes: added tokens, special ones, settings of its own."""
    make, settings, model_type = FOLDERS[case]
    tokenizer = make()
    tokenizer.add_tokens(MARKERS)
    folders = [tmp_path / name for name in ("made", "saved")]
    for folder in folders:
        folder.mkdir()
    folder_of(folders[0], tokenizer, settings, model_type)
    transformers.AutoTokenizer.from_pretrained(folders[0]).save_pretrained(folders[1])
    assert_as_transformers(folder_of(folders[1], None, None, model_type), tokens_of)


@pytest.mark.parametrize("settings", [{}, {"keep_accents": True}, {"do_lower_case": False}])
def test_albert(tmp_path, tokens_of, settings):
    tokenizer = sentencepiece(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], "<unk>")
    assert_as_transformers(folder_of(tmp_path, tokenizer, settings, "albert"), tokens_of)


@pytest.mark.parametrize("settings", [{}, {"do_lower_case": True, "split_by_punct": True}])
def test_deberta(tmp_path, tokens_of, settings):
    tokenizer = sentencepiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], "[UNK]")
    assert_as_transformers(folder_of(tmp_path, tokenizer, settings, "deberta-v2"), tokens_of)


def test_mpnet(tmp_path, tokens_of):
    words = [
        "<s>",
        "<pad>",
        "</s>",
        "[UNK]",
        "<mask>",
        *"abdegimnorstw",
        *(f"##{x}" for x in "abdegimnorstw"),
    ]
    tokenizer = Tokenizer(models.WordPiece({w: n for n, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    tokenizer.add_special_tokens(words[:5])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    assert_as_transformers(folder_of(tmp_path, tokenizer, None, "mpnet"), tokens_of)


def sentencepiece(special, unknown):
    """A Unigram tokeniser with these special tokens first, and the unknown one of them with a score of 0."""
    made = json.loads(unigram().to_str())
    words = [[name, 0.0] for name in special]
    words += [each for each in made["model"]["vocab"] if not each[0].startswith("<")]
    made["model"]["vocab"], made["model"]["unk_id"] = words, special.index(unknown)
    made["added_tokens"], made["post_processor"] = [], None
    tokenizer = Tokenizer.from_str(json.dumps(made))
    tokenizer.add_special_tokens(special)
    return tokenizer


NORMALISING = [
    {"do_lower_case": False},
    {"do_lower_case": True, "strip_accents": False},
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False},
]


@pytest.mark.parametrize("settings", NORMALISING)
@pytest.mark.parametrize("kind", ["BertTokenizer", "PreTrainedTokenizerFast", None])
def test_settings_of_the_normaliser(tmp_path, tokens_of, settings, kind):
    """transformers #10650: the file lower-cases, and its configuration says that it does not."""
    said = settings | ({} if kind is None else {"tokenizer_class": kind}) | TYPES
    assert_as_transformers(folder_of(tmp_path, wordpiece(), said), tokens_of)


@pytest.mark.parametrize("settings", [None, GENERIC | TYPES])
@pytest.mark.parametrize("make", [wordpiece, byte_level, unigram])
def test_added_tokens_of_the_file(tmp_path, tokens_of, make, settings):
    tokenizer = make()
    tokenizer.add_tokens(MARKERS)
    model_type = {wordpiece: "bert", byte_level: "roberta", unigram: "xlm-roberta"}[make]
    ours = assert_as_transformers(folder_of(tmp_path, tokenizer, settings, model_type), tokens_of)
    assert ours.token_to_id("[E1]") in encode(TEXTS, ours).values


@pytest.mark.parametrize("kind", ["BertTokenizer", "PreTrainedTokenizerFast"])
def test_added_tokens_of_the_configuration(tmp_path, tokens_of, kind):
    tokenizer = wordpiece()
    size = tokenizer.get_vocab_size()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    names = dict(enumerate(BERT)) | {size: "[E1]", size + 1: "[E2]"}
    added = {str(number): {"content": name, **flags} for number, name in names.items()}
    said = {"tokenizer_class": kind, "added_tokens_decoder": added} | TYPES
    ours = assert_as_transformers(folder_of(tmp_path, tokenizer, said), tokens_of)
    assert [ours.token_to_id(name) for name in ("[E1]", "[E2]")] == [size, size + 1]


@pytest.mark.parametrize("key", ["additional_special_tokens", "extra_special_tokens"])
def test_special_tokens_without_a_role(tmp_path, tokens_of, key):
    said = {"tokenizer_class": "BertTokenizer", key: ["[E1]", "[E2]"]}
    ours = assert_as_transformers(folder_of(tmp_path, wordpiece(), said), tokens_of)
    assert ours.token_to_id("[E2]") == ours.get_vocab_size() - 1


def vocabulary_of(folder, words):
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    return folder


WORDS = [*BERT, "a", "man", "dogs", "two", "e", "[unused1]", "x", "y", "中", "文"]


@pytest.mark.parametrize(
    "settings", [None, {"do_lower_case": False}, {"tokenizer_class": "DistilBertTokenizer"}]
)
def test_a_vocabulary_of_words_with_added_tokens_beside_it(tmp_path, tokens_of, settings):
    """SpanBERT #61: added_tokens.json was ignored without a word."""
    folder_of(
        vocabulary_of(tmp_path, WORDS),
        None,
        settings,
        added_tokens={"[E1]": len(WORDS), "[E2]": len(WORDS) + 1},
    )
    ours = assert_as_transformers(tmp_path, tokens_of)
    assert ours.token_to_id("[E2]") == len(WORDS) + 1


def test_names_of_older_versions(tmp_path, tokens_of):
    words = ["<pad>", "[UNK]", "<cls>", "<sep>", *WORDS[5:]]
    names = {"cls_token": "<cls>", "sep_token": {"content": "<sep>"}, "pad_token": "<pad>", "mask_token": "x"}
    folder = folder_of(vocabulary_of(tmp_path, words), None, {}, special_tokens_map=names)
    ours = assert_as_transformers(folder, tokens_of)
    assert InputTemplate.of(ours).single.special == ((2,), (3,))


def test_a_blank_last_line_of_a_vocabulary_is_no_word(tmp_path, tokens_of):
    folder_of(vocabulary_of(tmp_path, [*WORDS, "", ""]), None)
    assert weights_tokenizer.read(tmp_path).get_vocab_size() == len(WORDS)
    assert build(str(tmp_path / "vocab.txt"), (), min_freq=1).get_vocab_size() == len(WORDS)


@pytest.mark.parametrize("post", [None, processors.ByteLevel()])
def test_without_a_template_transformers_adds_no_special_tokens(tmp_path, tokens_of, post):
    tokenizer = byte_level()
    described = json.loads(tokenizer.to_str()) | {"post_processor": None}
    tokenizer = Tokenizer.from_str(json.dumps(described))
    if post is not None:
        tokenizer.post_processor = post
    texts = [text or "a" for text in TEXTS]
    assert_as_transformers(folder_of(tmp_path, tokenizer, GENERIC | TYPES), tokens_of, texts)


@pytest.mark.parametrize(
    ("make", "said", "wrong"),
    [
        (
            byte_level,
            None,
            "BertTokenizer, whose vocabulary is WordPiece, and this is another (it has no [UNK])",
        ),
        (
            wordpiece,
            {"tokenizer_class": "RobertaTokenizer"},
            "RobertaTokenizer, whose vocabulary is BPE, and this",
        ),
        (
            wordpiece,
            {"tokenizer_class": "XLMRobertaTokenizer"},
            "whose vocabulary is Unigram, and this is another",
        ),
        (
            wordpiece,
            {"cls_token": "<cls>"},
            "the vocabulary has no cls_token '<cls>'; name it in tokenizer_config",
        ),
        (
            wordpiece,
            {"do_lower_case": "no"},
            "tokenizer_config.json: do_lower_case = 'no' is wrong; it should",
        ),
        (wordpiece, [], "tokenizer_config.json: is not a JSON object; save the tokeniser again"),
    ],
)
def test_what_does_not_fit_is_an_input_error(tmp_path, make, said, wrong):
    with pytest.raises(InputError) as raised:
        weights_tokenizer.read(folder_of(tmp_path, make(), said))
    assert wrong in str(raised.value)


def test_a_template_that_rows_cannot_hold_is_named_with_its_folder(tmp_path):
    tokenizer = wordpiece()
    tokenizer.post_processor = template("$A [CLS]", "$A [SEP] $B [SEP] [CLS]:2", tokenizer)
    with pytest.raises(
        InputError, match=r"the tokenizer's template for a pair has the token types 0 .* 2, not"
    ):
        weights_tokenizer.read(folder_of(tmp_path, tokenizer, GENERIC | TYPES))


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "tokenizer_config.json"])
def test_a_pointer_of_git_lfs_is_named(tmp_path, name):
    folder = folder_of(tmp_path, wordpiece() if name == "tokenizer_config.json" else None)
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    wanted = f"{folder / name}: is a pointer of git-lfs, not the file itself; run git lfs pull"
    with pytest.raises(InputError) as raised:
        weights_tokenizer.read(folder)
    assert str(raised.value) == wanted


@pytest.mark.parametrize("kind", [*KINDS, "words", "aligned"])
def test_what_is_written_makes_our_rows(tmp_path, tokens_of, kind):
    """transformers #10395: an export kept the file's template, and the model was trained in another."""
    tokenizer = build("words", SENTENCES, min_freq=1) if kind == "words" else KINDS.get(kind, byte_level)()
    if kind == "aligned":
        tokenizer.post_processor = processors.ByteLevel()
    weights_tokenizer.write(tmp_path, tokenizer, 64)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    template_before, before = InputTemplate.of(tokenizer), encode(TEXTS, tokenizer)
    ours = assert_as_transformers(tmp_path, tokens_of)
    assert InputTemplate.of(ours) == template_before
    after = encode(TEXTS, ours)
    assert np.array_equal(after.values, before.values)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert theirs.pad_token_id is not None
    assert ("token_type_ids" in theirs.model_input_names) == (template_before.segments == 2)


def test_a_model_without_token_types_is_given_none(tmp_path):
    weights_tokenizer.write(tmp_path, wordpiece(), 64, token_types=False)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert list(theirs("a", "b")) == ["input_ids", "attention_mask"]
    assert InputTemplate.of(weights_tokenizer.read(tmp_path)).segments == 1


def test_the_template_helper_is_what_it_says():
    tokenizer = wordpiece()
    tokenizer.post_processor = template("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", tokenizer)
    assert tokenizer.encode("a", "b").tokens == ["[CLS]", "a", "[SEP]", "b", "[SEP]"]
