"""A study file of pretraining: parsed strictly, every key checked before any text is read. Free of torch."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from trimtab.config import InputError, StrictModel, nearest, validated
from trimtab.data.paragraphs import check, corpus_of
from trimtab.model.architecture import Architecture
from trimtab.model.formats import FORMATS, choose_format
from trimtab.model.sizes import SETTINGS
from trimtab.study.definition import read_table
from trimtab.study.settings import RECIPE_KEYS, resolve_size
from trimtab.training.recipe import Recipe

_SPECIAL = 3


class Own(StrictModel):
    """The keys of [base] that are neither the size's nor the recipe's.

    max_len: the most tokens of a pair; longer ones are left out. steps: optimiser steps, in place of epochs.
    seed. tied: whether the masked words' last matrix is the token table. average: what the masked words' loss
    is the mean over, ``real`` masked words or the tutorial's ``padded`` places. checkpoint_seconds.
    """

    size: str = "small"
    max_len: Annotated[int, Field(ge=_SPECIAL + 2)] = 128
    steps: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    tied: bool | None = None
    average: Literal["real", "padded"] = "real"
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 60.0


class Data(StrictModel):
    """The keys of [data] that are not the reader's."""

    reader: str
    tokenizer: Annotated[str, Field(min_length=1)] = "whitespace"
    min_freq: Annotated[int, Field(ge=1)] = 5
    lowercase: bool = True
    validation: dict[str, Any] | None = None


class File(StrictModel):
    """The top level of the file."""

    question: Annotated[str, Field(min_length=1)]
    data: dict[str, Any]
    base: dict[str, Any] = Field({})
    format: str | None = None


@dataclass(frozen=True)
class Text:
    """Where a text comes from: a reader of paragraphs, one of its splits, its options."""

    reader: str
    split: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Pretraining:
    """A study of pretraining as its file defines it, resolved; ``path`` is that file."""

    path: Path
    question: str
    training: Text
    validation: Text | None
    tokenizer: str
    min_freq: int
    lowercase: bool
    size: Architecture
    max_len: int
    recipe: Recipe
    steps: int | None
    seed: int
    tied: bool
    average: Literal["real", "padded"]
    format: str
    checkpoint_seconds: float

    @property
    def name(self) -> str:
        """``pretrain-`` and the file's name without its ending."""
        return f"pretrain-{self.path.stem}"


def load(path: str | Path) -> Pretraining:
    """Read a study file of pretraining; InputError says where the mistake is and how to correct it."""
    path = Path(path)
    _, document = read_table(path, "studies/wikitext2.toml")
    try:
        return _pretraining(path, document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _pretraining(path: Path, document: dict[str, Any]) -> Pretraining:
    if "grid" in document:
        raise InputError("has a [grid], so it is not a pretraining file; run it with trimtab run")
    _check_keys(document, File.model_fields, "top level")
    file = validated(File, document, "top level")
    data, training, validation = _texts(file.data)
    known = [*Own.model_fields, *SETTINGS, *RECIPE_KEYS]
    if "implementation" in file.base:
        raise InputError(
            "[base]: implementation is for studies, as pretraining is always packed; leave it out"
        )
    _check_keys(file.base, known, "[base]")
    own = validated(Own, {key: file.base[key] for key in Own.model_fields if key in file.base}, "[base]")
    size, recipe = resolve_size(file.base, "[base]")
    if own.steps is not None and "epochs" in file.base:
        raise InputError("[base]: has steps and epochs; keep one of them")
    if own.max_len > size.positions:
        what = f"max_len {own.max_len} is over the {size.positions} rows of the position table"
        raise InputError(f"[base]: {what}; lower it, or set positions")
    format_ = choose_format(size, file.format)
    ties = FORMATS[format_].ties
    if own.tied and not ties:
        raise InputError(f"format {format_!r} has no tied matrices; leave tied out, or set another format")
    return Pretraining(
        path,
        file.question,
        training,
        validation,
        data.tokenizer,
        data.min_freq,
        data.lowercase,
        size,
        own.max_len,
        recipe if own.steps is None else replace(recipe, epochs=1),
        own.steps,
        own.seed,
        ties if own.tied is None else own.tied,
        own.average,
        format_,
        own.checkpoint_seconds,
    )


def _texts(table: dict[str, Any]) -> tuple[Data, Text, Text | None]:
    """[data]'s own keys, the text to train on, and that to validate on, where there is one."""
    if "reader" not in table:
        raise InputError("[data]: reader is missing; name one, such as reader = 'wikitext'")
    data = validated(Data, {key: table[key] for key in Data.model_fields if key in table}, "[data]")
    options = {key: value for key, value in table.items() if key not in Data.model_fields}
    corpus = _checked("[data]", data.reader, options, Data.model_fields)
    training = Text(data.reader, "train", options)
    if data.validation is None:
        return data, training, Text(data.reader, "validation", options) if corpus.splits else None
    own = dict(data.validation)
    reader = own.pop("reader", data.reader)
    _checked("[data.validation]", reader, own, ("reader",))
    return data, training, Text(reader, "validation", own)


def _checked(place: str, reader: str, options: dict[str, Any], beside: Any) -> Any:
    try:
        corpus = corpus_of(reader)
        _check_keys(options, [*corpus.options.model_fields, *beside], place)
        check(reader, **options)
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(place) else f"{place}: {error}") from error
    return corpus


def _check_keys(table: dict[str, Any], known: Any, place: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"{place}: unknown key {key!r}; {nearest(key, known)}")
