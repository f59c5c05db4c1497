"""Reading settings: input errors, strict tables and the canonical hash."""

import hashlib
import json
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

# How every table of settings is read: no conversion between types, no unknown keys.
STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class StrictModel(BaseModel):
    """A table of settings, read strictly, and frozen."""

    model_config: ClassVar[ConfigDict] = ConfigDict(**STRICT, frozen=True)


_CARET = re.compile(r"\n  [^\n]*\n *\^$")  # a line, and a caret under one of its places


class InputError(ValueError):
    """A mistake in the user's input: one sentence that says where it is, what is wrong and how to fix it.

    The command line prints it without a traceback and exits with code 2. What cannot be printed in one line,
    such as a line end in a name, stands in it as an escape; but for a line at its end with a caret under it.
    """

    def __init__(self, sentence: str = "") -> None:
        drawing = _CARET.search(sentence)
        words, tail = (sentence[: drawing.start()], drawing[0]) if drawing else (sentence, "")
        super().__init__("".join(each if each.isprintable() else repr(each)[1:-1] for each in words) + tail)


# What names of ours are called elsewhere, where spelling alone would lead to another or to none.
_ELSEWHERE = {
    "acc": "accuracy",
    "batch": "batch_size",
    "bs": "batch_size",
    "csv": "table",
    "f1": "macro_f1",
    "huggingface": "hub",
    "json": "table",
    "jsonl": "table",
    "lr": "learning_rate",
    "max_length": "max_len",
    "max_seq_length": "max_len",
    "mcc": "matthews",
    "metric": "score",
    "model": "weights",
    "nll": "log_loss",
    "num_train_epochs": "epochs",
    "parquet": "table",
    "pretrained": "weights",
    "seed": "seeds",
    "strategy": "truncation",
    "tsv": "table",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known one, else all of them."""
    known = sorted(known)
    meant = _ELSEWHERE.get(name.lower())
    if meant in known:
        return f"did you mean {meant!r}?"
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"


def explain(error: ValidationError, known: Iterable[str]) -> str:
    """The first error that pydantic found in a settings table, as a sentence; ``known`` are its keys."""
    fault = error.errors()[0]
    if not fault["loc"]:
        return fault["msg"].removeprefix("Value error, ")
    key = str(fault["loc"][0])
    if fault["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"unknown key {key!r}; {nearest(key, known)}"
    if fault["type"] in ("missing", "missing_argument"):
        return f"{key} is missing; give it a value"
    rule = fault["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    rule = (
        rule.removeprefix("should ")
        .replace("a valid dictionary", "a table")
        .replace("a valid integer", "a whole number")
        .replace("a valid boolean", "true or false")
    )
    return f"{key} = {fault['input']!r} is wrong; it should {rule}"


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], table: dict[str, Any], place: str) -> Model:
    """``table`` as a settings model; InputError names ``place`` and the key that is wrong."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise InputError(f"{place}: {explain(error, model.model_fields)}") from error


def canonical_hash(value: Any) -> str:
    """32 hexadecimal digits of a JSON-able value, the same whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def toml_value(value: Any) -> str:
    """A string, number, truth, list or table of such as one line of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    # JSON's escapes are TOML's; but JSON leaves the delete character as it is, which TOML refuses.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
