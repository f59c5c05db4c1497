"""Settings beside a tokeniser's vocabulary: ``tokenizer_config.json`` and the files of older versions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from tokenizers import AddedToken

from trimtab.config import validated
from trimtab.model.weights_archive import json_object

CONFIGURATION = "tokenizer_config.json"
MEND = "save the tokeniser again"
_ADDED, _SPECIAL = "added_tokens.json", "special_tokens_map.json"
_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_NORMALISING = (
    "do_lower_case",
    "strip_accents",
    "tokenize_chinese_chars",
    "keep_accents",
    "add_prefix_space",
    "split_by_punct",
    "unk_id",
)
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

_Token = str | dict[str, Any]  # an object has its content and flags


class TokenizerConfiguration(BaseModel):
    """The keys of ``tokenizer_config.json`` that matter; what it lacks has the default of its class."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", strict=True)

    tokenizer_class: str | None = None
    model_input_names: list[str] | None = None
    do_lower_case: bool | None = None
    strip_accents: bool | None = None
    tokenize_chinese_chars: bool | None = None
    add_prefix_space: bool | None = None
    keep_accents: bool | None = None
    split_by_punct: bool | None = None
    unk_id: int | None = None
    added_tokens_decoder: dict[str, dict[str, Any]] | None = None
    additional_special_tokens: list[_Token] | None = None
    extra_special_tokens: list[_Token] | dict[str, _Token] | None = None
    bos_token: _Token | None = None
    eos_token: _Token | None = None
    unk_token: _Token | None = None
    sep_token: _Token | None = None
    pad_token: _Token | None = None
    cls_token: _Token | None = None
    mask_token: _Token | None = None

    @property
    def names(self) -> dict[str, str]:
        """The special tokens that are named, by their roles."""
        named = {role: getattr(self, role) for role in _ROLES}
        return {role: content(token) for role, token in named.items() if token is not None}

    @property
    def normalising(self) -> dict[str, Any]:
        """The settings of normalisers and pre-tokenisers that are given."""
        return {key: value for key in _NORMALISING if (value := getattr(self, key)) is not None}

    @property
    def extras(self) -> list[AddedToken]:
        """The special tokens beside those with a role."""
        extra = self.extra_special_tokens or self.additional_special_tokens or []
        tokens = extra.values() if isinstance(extra, dict) else extra
        return [special(token) for token in tokens]


def read_settings(folder: Path) -> TokenizerConfiguration:
    """The settings in a folder: the defaults where it has none; InputError where they are wrong."""
    file = folder / CONFIGURATION
    said = json_object(file, MEND)
    if "added_tokens_decoder" not in said:
        said |= json_object(
            folder / _SPECIAL, MEND
        )  # of older versions, which it overrides in transformers, too
    return validated(TokenizerConfiguration, said, str(file))


def added_tokens(
    folder: Path, said: TokenizerConfiguration, file: Iterable[dict[str, Any]], names: Iterable[str]
) -> list[AddedToken]:
    """The added tokens of a folder by their ids: of its configuration, else of the files beside it.

    file: ``added_tokens`` of tokenizer.json, with their ids; names: of special tokens.
    """
    if said.added_tokens_decoder is not None:
        found = {int(number): _token(each) for number, each in said.added_tokens_decoder.items()}
    else:
        extras = {token.content for token in said.extras}
        found = {}
        for text, number in json_object(folder / _ADDED, MEND).items():
            is_special = text in extras or text in names
            found[number] = AddedToken(text, normalized=not is_special, special=is_special)
        found |= {each["id"]: _token(each) for each in file}
    return [token for _, token in sorted(found.items(), key=lambda item: item[0])]


def special(token: _Token) -> AddedToken:
    """A special token from its name, or from an object with its flags."""
    return (
        AddedToken(token, special=True, normalized=False)
        if isinstance(token, str)
        else _token(token | {"special": True})
    )


def content(token: _Token) -> str:
    """What a token stands for in texts."""
    return token if isinstance(token, str) else str(token["content"])


def _token(said: dict[str, Any]) -> AddedToken:
    flags = {key: bool(said[key]) for key in _FLAGS if key in said}
    return AddedToken(str(said["content"]), **flags)
