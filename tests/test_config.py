"""Spec strings, the nearest name, the canonical hash."""

from typing import Literal

import pytest
from pydantic import BaseModel

from trimtab.config import STRICT, InputError, Spec, canonical_hash, nearest, parse_spec, validated


def test_input_error_is_a_value_error():
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("head", "head", {}),
        (" head ( ) ", "head", {}),
        ("ratio(minimum=1)", "ratio", {"minimum": 1}),
        ("f( a = 0.25 , b=-3,c=1e-3 )", "f", {"a": 0.25, "b": -3, "c": 0.001}),
        ("f(a=true, b=False, c=bert, d='x y')", "f", {"a": True, "b": False, "c": "bert", "d": "x y"}),
        ("f(a=[1], b=None, c=1.2.3)", "f", {"a": "[1]", "b": "None", "c": "1.2.3"}),
    ],
)
def test_parse_spec(text, name, options):
    spec = parse_spec(text)
    assert spec == Spec(name, options)
    assert [type(value) for value in spec.options.values()] == [type(value) for value in options.values()]
    assert parse_spec(str(spec)) == spec


@pytest.mark.parametrize("text", ["", "3", "f(", "f)", "f(a=1)g", "f(a=(1))", "f-g", "(a=1)"])
def test_what_is_no_spec_string(text):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert str(caught.value) == f"{text!r} is not a spec string: write name or name(option=value, ...)"


@pytest.mark.parametrize(("text", "part"), [("f(1)", "1"), ("f(a=)", "a="), ("f(=1)", "=1"), ("f(a=1,)", "")])
def test_what_is_no_option(text, part):
    with pytest.raises(InputError) as caught:
        parse_spec(text)
    assert str(caught.value) == f"{text!r}: {part!r} is not an option: write option=value"


def test_an_option_given_twice():
    with pytest.raises(InputError, match=r"'f\(a=1, a=2\)': option 'a' is given twice; keep one"):
        parse_spec("f(a=1, a=2)")


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
