"""Tokenisers of Hugging Face folders: ``tokenizer.json``, or ``vocab.txt`` with its configuration."""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer, models, normalizers, processors

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError, validated
from trimtab.data.tokenizer import build, special_tokens
from trimtab.model.weights_archive import parsed

TOKENIZER, VOCABULARY, CONFIGURATION = "tokenizer.json", "vocab.txt", "tokenizer_config.json"

# Names that vocabularies use for the special tokens that transformers knows by role.
_ROLES = {
    "unk_token": ("[UNK]", "<unk>"),
    "pad_token": ("[PAD]", "<pad>"),
    "mask_token": ("[MASK]", "<mask>"),
}


class TokenizerConfiguration(BaseModel):
    """The keys of ``tokenizer_config.json`` that matter for a ``vocab.txt``, with BERT's defaults."""

    model_config = ConfigDict(extra="ignore", strict=True)

    tokenizer_class: str | None = None
    do_lower_case: bool = True
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool = True


def read(folder: Path) -> Tokenizer:
    """The tokeniser of a folder; InputError where it has none, or one of an unknown class."""
    if (folder / TOKENIZER).is_file():
        return build(str(folder / TOKENIZER), (), min_freq=1)
    if not (folder / VOCABULARY).is_file():
        raise InputError(f"{folder}: has neither {TOKENIZER} nor {VOCABULARY}; add the model's own")
    file = folder / CONFIGURATION
    said = validated(TokenizerConfiguration, parsed(file) if file.is_file() else {}, str(file))
    if said.tokenizer_class not in (None, "BertTokenizer", "BertTokenizerFast"):
        what = f"tokenizer_class {said.tokenizer_class!r} is more than a {VOCABULARY} can describe"
        raise InputError(f"{file}: {what}; add a {TOKENIZER}")
    tokenizer = build(str(folder / VOCABULARY), (), min_freq=1, lowercase=said.do_lower_case)
    tokenizer.normalizer = normalizers.BertNormalizer(
        handle_chinese_chars=said.tokenize_chinese_chars,
        strip_accents=said.strip_accents,
        lowercase=said.do_lower_case,
    )
    return tokenizer


def parse(text: bytes, where: object) -> Tokenizer:
    """The tokeniser of a ``tokenizer.json``; ``where`` is its name in errors."""
    try:
        tokenizer = Tokenizer.from_str(text.decode())
    except Exception as error:  # the Rust library raises a plain Exception for every fault of a file
        raise InputError(f"{where}: is not a tokeniser ({error}); save it again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def write(folder: Path, tokenizer: Tokenizer, positions: int) -> None:
    """Write what transformers' AutoTokenizer reads, so that it adds special tokens as we do: cls A sep B sep.

    positions: the longest input. InputError where the vocabulary has no cls or sep.
    """
    vocabulary, special = tokenizer.get_vocab(), special_tokens(tokenizer)
    cls, sep = (str(tokenizer.id_to_token(number)) for number in special)
    names = {"cls_token": cls, "sep_token": sep}
    for role, known in _ROLES.items():
        if found := [name for name in known if name in vocabulary]:
            names[role] = found[0]
    framed = Tokenizer.from_str(tokenizer.to_str())
    if framed.post_processor is None:
        framed.post_processor = _frame(cls, sep, special)
    with atomic_write(folder / TOKENIZER) as temporary:
        framed.save(str(temporary))
    settings: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        **names,
    }
    if isinstance(tokenizer.model, models.WordPiece):
        settings |= _wordpiece(folder, tokenizer)
    write_json(folder / CONFIGURATION, settings)


def padding_id(tokenizer: Tokenizer) -> int | None:
    """The id of the vocabulary's padding token; None where it has none of the known names."""
    found = (tokenizer.token_to_id(name) for name in _ROLES["pad_token"])
    return next((number for number in found if number is not None), None)


def _frame(cls: str, sep: str, ids: tuple[int, int]) -> processors.TemplateProcessing:
    return processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, ids[0]), (sep, ids[1])],
    )


def _wordpiece(folder: Path, tokenizer: Tokenizer) -> dict[str, object]:
    """Write the ``vocab.txt`` that older programs read, and return its configuration."""
    by_id = {number: word for word, number in tokenizer.get_vocab().items()}
    words = [by_id.get(number, f"[unused in {number}]") for number in range(max(by_id) + 1)]
    with atomic_write(folder / VOCABULARY) as temporary:
        temporary.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    normal = json.loads(tokenizer.to_str())["normalizer"] or {}
    kept = {"do_lower_case": "lowercase", "strip_accents": "strip_accents"}
    kept["tokenize_chinese_chars"] = "handle_chinese_chars"
    return {name: normal[theirs] for name, theirs in kept.items() if theirs in normal}
