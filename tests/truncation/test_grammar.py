"""Spec strings as they are written: what is read from them, and where a fault stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.truncation.grammar import OPTIONS, WRITE, Spec, read_specs


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("head", "head", {}),
        (" head ( ) ", "head", {}),
        ("ratio(minimum=1)", "ratio", {"minimum": 1}),
        ("f( a = 0.25 , b=-3,c=1e-3 )", "f", {"a": 0.25, "b": -3, "c": 0.001}),
        ("f(a=true, b=False, c=bert, d='x y')", "f", {"a": True, "b": False, "c": "bert", "d": "x y"}),
        ("f(a=[1], b=None, c=a.b, d={[]: 1})", "f", {"a": "[1]", "b": "None", "c": "a.b", "d": "{[]: 1}"}),
        ("f(a='true', b=TRUE, c='1', d='')", "f", {"a": "true", "b": True, "c": "1", "d": ""}),
        ("f(a=1, b='(x)',)", "f", {"a": 1, "b": "(x)"}),
        ("f(a=1/2, b=1+1)", "f", {"a": "1/2", "b": "1+1"}),
    ],
)
def test_a_strategy_with_options(text, name, options):
    spec, selections = read_specs(text)
    assert (spec, selections) == (Spec(name, options), [])
    assert [type(value) for value in spec.options.values()] == [type(value) for value in options.values()]
    assert read_specs(str(spec))[0] == spec


def test_split_and_selections():
    assert read_specs("a+b") == (Spec("a", {}), [Spec("b", {})])
    assert read_specs(" a ( x = 1 ) + b ( y = 2 ) / c ") == (
        Spec("a", {"x": 1}),
        [Spec("b", {"y": 2}), Spec("c", {})],
    )


@pytest.mark.parametrize(
    ("text", "message", "caret"),
    [
        ("ratio(minimum=1+tail", "this '(' is never closed; add a ')'", "     ^"),
        ("ratio+head_tail(head=0.5", "this '(' is never closed; add a ')'", "               ^"),
        ("ratio)+tail", "this ')' closes nothing; take it out", "     ^"),
        ("ratio+tail)", "this ')' closes nothing; take it out", "          ^"),
        ("ratio+)", "this ')' closes nothing; take it out", "      ^"),
        ("ratio(minimum=(1))", "this '(' follows no name; take it out", "              ^"),
        ("ratio(minimum=1))", "this ')' closes nothing; take it out", "                ^"),
        ("ratio/tail", f"selections stand after '+': {WRITE}", "     ^"),
        ("ratio+head+tail", WRITE, "          ^"),
        ("ratio+head/tail/head", WRITE, "               ^"),
        ("ratio+", WRITE, "      ^"),
        ("+tail", WRITE, "^"),
        ("ratio+ /tail", WRITE, "       ^"),
        ("ratio-tail", WRITE, "     ^"),
        ("3", WRITE, "^"),
        ("(a=1)", "this '(' follows no name; take it out", "^"),
        ("f(a=1)(b=2)", "this '(' follows no name; take it out", "      ^"),
        ("ratio+tail  # as usual", WRITE, "            ^"),
        ("ratio+début", WRITE, "       ^"),
        ("f(1)", f"'1' is not an option: {OPTIONS}", "  ^"),
        ("f(**x)", f"'**x' is not an option: {OPTIONS}", "  ^"),
        ("f(a=1,  a=2)", "option 'a' is given twice; keep one", "        ^"),
    ],
)
def test_a_fault_and_its_place(text, message, caret):
    with pytest.raises(InputError) as caught:
        read_specs(text)
    assert str(caught.value) == f"{message}\n  {text}\n  {caret}"


# Where Python says only that the syntax is wrong, the place of the caret is its own.
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", WRITE),
        ("f(a=1)g", WRITE),
        ("a b", WRITE),
        ("f(b=1, a=)", OPTIONS),
        ("f(=1)", OPTIONS),
        ("f(a=1 b=2)", OPTIONS),
        ("f(a=1.2.3)", OPTIONS),
        ("f(a=" + "-" * 100_000 + "1)", WRITE),
    ],
)
def test_what_python_cannot_read_has_a_caret_too(text, message):
    with pytest.raises(InputError) as caught:
        read_specs(text)
    first, line, caret = str(caught.value).splitlines()
    assert (first, line) == (message, f"  {text}")
    assert caret.strip() == "^"
    assert len(caret) - 3 <= len(text)


def test_the_caret_stands_right_whatever_white_space_there_is():
    with pytest.raises(InputError) as caught:
        read_specs("ratio\n+\ttail)")
    assert str(caught.value).splitlines()[1:] == ["  ratio + tail)", "              ^"]


@given(st.text("ab+/()=, 1\n", max_size=12))
def test_any_text_is_read_or_refused_with_a_caret_inside_it(text):
    try:
        split, selections = read_specs(text)
    except InputError as error:
        caret = str(error).splitlines()[-1]
        assert caret.strip() == "^"
        assert len(caret) - 3 <= len(text)
    else:
        assert read_specs("+".join([str(split), "/".join(map(str, selections))]).rstrip("+")) == (
            split,
            selections,
        )
