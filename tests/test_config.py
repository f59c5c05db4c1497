"""The nearest name, strict tables, the canonical hash."""

import tomllib
from typing import Literal

import pytest
from pydantic import BaseModel

from trimtab.config import STRICT, InputError, canonical_hash, nearest, toml_value, validated


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


def test_nearest():
    assert nearest("tial", ["head", "tail"]) == "did you mean 'tail'?"
    assert nearest("xyz", ["tail", "head"]) == "known: head, tail"


class Settings(BaseModel):
    model_config = STRICT
    epochs: int
    rate: float = 0.1
    text: Literal["parse", "sentence"] = "parse"


def test_validated_settings():
    assert validated(Settings, {"epochs": 3}, "[base]") == Settings(epochs=3, rate=0.1, text="parse")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"epochs": 3, "rat": 1.0}, "unknown key 'rat'; did you mean 'rate'?"),
        ({}, "epochs is missing; give it a value"),
        ({"epochs": "3"}, "epochs = '3' is wrong; it should be a whole number"),
        ({"epochs": 3, "text": "pars"}, "text = 'pars' is wrong; it should be 'parse' or 'sentence'"),
    ],
)
def test_settings_refused_in_one_sentence(table, message):
    with pytest.raises(InputError) as caught:
        validated(Settings, table, "[base]")
    assert str(caught.value) == f"[base]: {message}"


def test_canonical_hash():
    value = {"a": 1, "b": [1, 2.5, None, True, "ä"], "c": {"x": 1, "y": 2}}
    turned = {"c": {"y": 2, "x": 1}, "b": [1, 2.5, None, True, "ä"], "a": 1}
    assert canonical_hash(value) == canonical_hash(turned)
    # Written down, so that a change of the hash does not orphan a ledger unseen.
    assert canonical_hash({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad808"
    different = [{"a": 1.0}, {"a": "1"}, {"a": True}, {"a": [1]}, {"b": 1}, {}]
    assert len({canonical_hash(item) for item in [{"a": 1}, *different]}) == 7
    assert len(canonical_hash({})) == 32


@pytest.mark.parametrize(
    "value", ["\x7f", 'a "b" \\ c', "tab\t, line\n, \x00 and \x1f", "ü # ] '", [1, True, "x"], 0.5]
)
def test_values_as_toml_are_read_as_they_were(value):
    text = toml_value(value)
    assert "\n" not in text
    assert tomllib.loads(f"key = {text}") == {"key": value}
