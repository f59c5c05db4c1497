"""Tokenisers as transformers 5 makes them: by the class that a folder names, of its vocabulary and settings.

Such a class takes the vocabulary alone from ``tokenizer.json`` and makes the rest itself, by the settings in
``tokenizer_config.json``; a folder of no such class is read as its ``tokenizer.json`` has it.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from trimtab.config import InputError
from trimtab.data.input_template import InputTemplate, Row
from trimtab.data.tokenizer import SpecialTokens

Settings = Mapping[str, Any]  # of tokenizer_config.json; a key that it lacks has the class's default
Names = Mapping[str, str]  # of special tokens, by their roles

_BERT = {
    "unk_token": "[UNK]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
_ROBERTA = {
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "mask_token": "<mask>",
}
_ALBERT = _BERT | {"unk_token": "<unk>", "pad_token": "<pad>"}


@dataclass(frozen=True)
class TokenizerClass:
    """A class of transformers.

    model: the kind of its vocabulary. make: from the description in ``tokenizer.json``, names and settings.
    names: of special tokens by default. around: the roles of the tokens before and after each text.
    separators: between the texts of a pair. token_types: whether models are given any.
    """

    model: str
    make: Callable[[Mapping[str, Any], Names, Settings], Tokenizer]
    names: Names
    around: tuple[str, str] = ("cls_token", "sep_token")
    separators: int = 1
    token_types: bool = False

    def template(self, ids: SpecialTokens) -> InputTemplate:
        """Where the class puts its special tokens."""
        before, after = (ids.cls,), (ids.sep,)
        pair = Row((before, after * self.separators, after), 2, 1)
        return InputTemplate(Row((before, after), 2, 1), pair if self.separators == 1 else pair.one_segment)


def _wordpiece(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    words = description["vocab"]
    ids = words if isinstance(words, dict) else {word: number for number, (word, _) in enumerate(words)}
    if names["unk_token"] not in ids:
        raise ValueError(f"it has no {names['unk_token']}")
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token=names["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer(
        handle_chinese_chars=said.get("tokenize_chinese_chars", True),
        strip_accents=said.get("strip_accents"),
        lowercase=said.get("do_lower_case", True),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _byte_level(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in description["merges"]]
    tokenizer = Tokenizer(models.BPE(description["vocab"], [(first, second) for first, second in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=said.get("add_prefix_space", False))
    return tokenizer


def _unigram(description: Mapping[str, Any], unknown: int) -> Tokenizer:
    return Tokenizer(models.Unigram([(word, score) for word, score in description["vocab"]], unknown))


def _marked(said: Settings) -> pre_tokenizers.PreTokenizer:
    """Words, each with a mark before it."""
    scheme = "always" if said.get("add_prefix_space", True) else "never"
    mark = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), mark])


def _xlm_roberta(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    tokenizer = _unigram(description, 3)
    if (charsmap := _charsmap(description.get("normalizer"))) is not None:
        tokenizer.normalizer = charsmap
    tokenizer.pre_tokenizer = _marked(said)
    return tokenizer


def _camembert(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    tokenizer = _xlm_roberta(description, names, said)
    words = [word for word, _ in description["vocab"]]
    unknown = words.index(names["unk_token"]) if names["unk_token"] in words else 0
    tokenizer.model = _unigram(description, unknown).model
    return tokenizer


def _albert(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    tokenizer = _unigram(description, 1)
    normal: list[normalizers.Normalizer] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    if not said.get("keep_accents", False):
        normal += [normalizers.NFKD(), normalizers.StripAccents()]
    if said.get("do_lower_case", True):
        normal.append(normalizers.Lowercase())
    if (charsmap := _charsmap(description.get("normalizer"))) is not None:
        normal.append(charsmap)
    tokenizer.normalizer = normalizers.Sequence(normal)
    tokenizer.pre_tokenizer = _marked(said)
    return tokenizer


def _deberta_v2(description: Mapping[str, Any], names: Names, said: Settings) -> Tokenizer:
    words = [(word, score) for word, score in description["vocab"]]
    unknown = (names["unk_token"], 0.0)
    tokenizer = _unigram(description, words.index(unknown) if unknown in words else said.get("unk_id", 1))
    normal: list[normalizers.Normalizer] = (
        [normalizers.Lowercase()] if said.get("do_lower_case", False) else []
    )
    normal += [normalizers.Replace(Regex(r"\s{2,}|[\n\r\t]"), " "), normalizers.NFC()]
    tokenizer.normalizer = normalizers.Sequence([*normal, normalizers.Strip(left=False, right=True)])
    scheme = "always" if said.get("add_prefix_space", True) else "first"
    split: list[pre_tokenizers.PreTokenizer] = [pre_tokenizers.Metaspace(prepend_scheme=scheme)]
    if said.get("split_by_punct", False):
        split.insert(0, pre_tokenizers.Punctuation(behavior="isolated"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(split)
    return tokenizer


def _charsmap(normalizer: Mapping[str, Any] | None) -> normalizers.Normalizer | None:
    """SentencePiece's table of characters, where a normaliser in ``tokenizer.json`` has one."""
    for each in (normalizer or {}).get("normalizers", [normalizer or {}]):
        if each.get("type") == "Precompiled" and "precompiled_charsmap" in each:
            return normalizers.Precompiled(base64.b64decode(each["precompiled_charsmap"]))
    return None


_BERTS = TokenizerClass("WordPiece", _wordpiece, _BERT, token_types=True)
_XLM_ROBERTAS = TokenizerClass("Unigram", _xlm_roberta, _ROBERTA, ("bos_token", "eos_token"), 2)
CLASSES = {
    "BertTokenizer": _BERTS,
    "ElectraTokenizer": _BERTS,
    "MobileBertTokenizer": _BERTS,
    "DistilBertTokenizer": replace(_BERTS, token_types=False),
    "RobertaTokenizer": TokenizerClass("BPE", _byte_level, _ROBERTA, separators=2),
    "LongformerTokenizer": TokenizerClass("BPE", _byte_level, _ROBERTA, separators=2),
    "MPNetTokenizer": TokenizerClass(
        "WordPiece", _wordpiece, _ROBERTA | {"unk_token": "[UNK]"}, separators=2
    ),
    "XLMRobertaTokenizer": _XLM_ROBERTAS,
    "CamembertTokenizer": replace(_XLM_ROBERTAS, make=_camembert),
    "AlbertTokenizer": TokenizerClass("Unigram", _albert, _ALBERT),
    "DebertaV2Tokenizer": TokenizerClass("Unigram", _deberta_v2, _BERT, token_types=True),
}
_OF_MODELS = {
    "bert": "BertTokenizer",
    "distilbert": "BertTokenizer",
    "electra": "BertTokenizer",
    "roberta": "RobertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
    "camembert": "CamembertTokenizer",
    "mpnet": "MPNetTokenizer",
    "albert": "AlbertTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
}


def class_name(said: str | None, model_type: str | None) -> str | None:
    """The class that AutoTokenizer takes; None where it reads ``tokenizer.json`` as that is.

    said: tokenizer_class of ``tokenizer_config.json``, else of ``config.json``; model_type: of that.
    """
    if model_type == "modernbert":  # whose published folders name a wrong class
        return None
    if said is None:
        return _OF_MODELS.get(model_type or "")
    name = said.removesuffix("Fast")
    return name if name in CLASSES else None


def rebuilt(
    name: str, description: Mapping[str, Any], names: Names, said: Settings, where: object
) -> Tokenizer:
    """A tokeniser of that class, without special tokens or template.

    description: ``vocab`` of a model, ``merges`` of a byte-level one, and the ``normalizer`` beside it.
    names: of special tokens, where they are not the class's own. InputError where the vocabulary is of
    another kind.
    """
    kind = CLASSES[name]
    try:
        return kind.make(description, {**kind.names, **names}, said)
    except Exception as error:  # whatever a vocabulary of another kind ends in
        what = (
            f"its tokenizer_class is {name}, whose vocabulary is {kind.model}, and this is another ({error})"
        )
        mend = "write tokenizer_class PreTrainedTokenizerFast into tokenizer_config.json to read it as it is"
        raise InputError(f"{where}: {what}; {mend}") from error
