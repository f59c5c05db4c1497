"""Tokenisers of Hugging Face folders: ``tokenizer.json`` or ``vocab.txt``, as transformers 5 reads them."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, models, processors

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError
from trimtab.data.input_template import InputTemplate, Row
from trimtab.data.tokenizer import SpecialTokens, build, read_vocabulary
from trimtab.model.tokenizer_classes import CLASSES, class_name, rebuilt
from trimtab.model.tokenizer_settings import (
    CONFIGURATION,
    MEND,
    TokenizerConfiguration,
    added_tokens,
    read_settings,
    special,
)
from trimtab.model.weights_archive import json_object, parsed

TOKENIZER, VOCABULARY, _MODEL = "tokenizer.json", "vocab.txt", "config.json"

# Names that vocabularies use for the special tokens that transformers knows by role.
_ROLES = {
    "unk_token": ("[UNK]", "<unk>"),
    "pad_token": ("[PAD]", "<pad>"),
    "mask_token": ("[MASK]", "<mask>"),
}
_TYPES = "token_type_ids"
_NOTHING = InputTemplate(single=Row(((), ()), 0, 1), pair=Row(((), (), ()), 0, 1))


def read(folder: Path) -> Tokenizer:
    """The tokeniser of a folder, as transformers' AutoTokenizer makes it.

    Its post-processor puts special tokens where that does, with the token types that it gives to a model.
    InputError where the folder has no tokeniser, or a vocabulary that does not fit its class.
    """
    said, model = read_settings(folder), json_object(folder / _MODEL, MEND)
    name = class_name(said.tokenizer_class or model.get("tokenizer_class"), model.get("model_type"))
    if (folder / TOKENIZER).is_file():
        description = parsed(folder / TOKENIZER)
        tokenizer = build(str(folder / TOKENIZER), (), min_freq=1)
    elif (folder / VOCABULARY).is_file():
        name = _class_of_vocabulary(folder / CONFIGURATION, said, name)
        description = {"model": {"vocab": read_vocabulary(folder / VOCABULARY)}}
    else:
        mend = "add the model's own, or save it anew with transformers' AutoTokenizer, which writes the first"
        raise InputError(f"{folder}: has neither {TOKENIZER} nor {VOCABULARY}; {mend}")
    names, types = said.names, False
    if name:
        names, types = {**CLASSES[name].names, **names}, CLASSES[name].token_types
        whole = {**description["model"], "normalizer": description.get("normalizer")}
        tokenizer = rebuilt(name, whole, names, said.normalising, folder)
    _register(tokenizer, added_tokens(folder, said, description.get("added_tokens", ()), names.values()))
    vocabulary = tokenizer.get_vocab()
    _register(tokenizer, [special(each) for each in names.values() if each in vocabulary])
    _register(tokenizer, said.extras)
    template = _template(tokenizer, name, names, folder)
    if not (types if said.model_input_names is None else _TYPES in said.model_input_names):
        template = template.one_segment
    if tokenizer.post_processor is None or InputTemplate.of(tokenizer) != template:
        tokenizer.post_processor = template.post_processor(tokenizer)
    return tokenizer


def _class_of_vocabulary(file: Path, said: TokenizerConfiguration, name: str | None) -> str:
    """The class of a folder with a ``vocab.txt`` alone; InputError where that cannot describe it."""
    if name is None and said.tokenizer_class is None:
        return "BertTokenizer"
    if name is None or CLASSES[name].model != "WordPiece":
        what = f"tokenizer_class {said.tokenizer_class or name!r} is more than a {VOCABULARY} can describe"
        raise InputError(f"{file}: {what}; add a {TOKENIZER}")
    return name


def _register(tokenizer: Tokenizer, tokens: Iterable[AddedToken]) -> None:
    """Add the tokens that are not added yet; those that the vocabulary has keep their ids."""
    known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    tokenizer.add_tokens([token for token in tokens if token.content not in known])


def _template(tokenizer: Tokenizer, name: str | None, names: dict[str, str], folder: Path) -> InputTemplate:
    if name is None:
        # transformers adds no special tokens where no post-processor does.
        aligns = tokenizer.post_processor is None or isinstance(
            tokenizer.post_processor, processors.ByteLevel
        )
        try:
            return _NOTHING if aligns else InputTemplate.of(tokenizer)
        except InputError as error:
            raise InputError(f"{folder}: {error}") from error
    kind = CLASSES[name]
    ids = []
    for role in kind.around:
        if (number := tokenizer.token_to_id(names[role])) is None:
            what = f"the vocabulary has no {role} {names[role]!r}"
            raise InputError(f"{folder}: {what}; name it in {CONFIGURATION}")
        ids.append(number)
    return kind.template(SpecialTokens(*ids))


def parse(text: bytes, where: object) -> Tokenizer:
    """The tokeniser of a ``tokenizer.json``; ``where`` is its name in errors."""
    try:
        tokenizer = Tokenizer.from_str(text.decode())
    except Exception as error:  # the Rust library raises a plain Exception for every fault of a file
        raise InputError(f"{where}: is not a tokeniser ({error}); save it again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def write(folder: Path, tokenizer: Tokenizer, positions: int, *, token_types: bool = True) -> None:
    """Write what transformers' AutoTokenizer reads, so that it makes the rows of our template.

    positions: the longest input. token_types: whether the model takes token types. InputError where the
    tokeniser has no template, see ``InputTemplate.of``.
    """
    template = InputTemplate.of(tokenizer)
    framed = Tokenizer.from_str(tokenizer.to_str())
    if framed.post_processor is None or isinstance(framed.post_processor, processors.ByteLevel):
        framed.post_processor = template.post_processor(framed)
    with atomic_write(folder / TOKENIZER) as temporary:
        framed.save(str(temporary))
    types = [_TYPES] if token_types and template.segments == 2 else []
    settings: dict[str, object] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": positions,
        "model_input_names": ["input_ids", *types, "attention_mask"],
        **_written_names(tokenizer, template),
    }
    if isinstance(tokenizer.model, models.WordPiece):
        settings |= _wordpiece(folder, tokenizer)
    write_json(folder / CONFIGURATION, settings)


def padding_id(tokenizer: Tokenizer) -> int | None:
    """The id of the vocabulary's padding token; None where it has none of the known names."""
    found = (tokenizer.token_to_id(name) for name in _ROLES["pad_token"])
    return next((number for number in found if number is not None), None)


def _written_names(tokenizer: Tokenizer, template: InputTemplate) -> dict[str, str]:
    """The names of special tokens by role: those of the template, and others that the vocabulary has."""
    before, after = template.single.special
    found = {"cls_token": before[:1], "sep_token": after[:1]}
    names = {role: str(tokenizer.id_to_token(number)) for role, ids in found.items() for number in ids}
    vocabulary = tokenizer.get_vocab()
    for role, known in _ROLES.items():
        if found_names := [name for name in known if name in vocabulary]:
            names[role] = found_names[0]
    return names


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
