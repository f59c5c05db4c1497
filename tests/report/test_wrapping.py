"""Names in lines: nothing is lost but what does not fit, and breaks stand where a reader expects them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.report.drawing import text
from trimtab.report.wrapping import wrapped


@pytest.mark.parametrize(
    ("words", "characters", "lines"),
    [
        ("ratio, max_len 16", 30, ["ratio, max_len 16"]),
        (
            "only_first(otherwise=longest_first)+head_tail",
            24,
            ["only_first(otherwise=", "longest_first)+head_tail"],
        ),
        ("longest_first+head_tail(head=0.5)", 24, ["longest_first", "+head_tail(head=0.5)"]),
        ("first, then both; head+tail", 16, ["first, then", "both; head+tail"]),
        ("x" * 20, 8, ["xxxxxxxx", "xxxxxxxx", "xxxx"]),
    ],
)
def test_breaks(words, characters, lines):
    assert wrapped(words, characters).split("\n") == lines


@given(st.text(alphabet="ab+(=, _)", max_size=60), st.integers(4, 20))
def test_no_line_is_longer(words, characters):
    lines = wrapped(words, characters).split("\n")
    assert len(words) <= characters or all(len(line) <= characters for line in lines)
    if len(lines) < 4:
        assert "".join("".join(lines).split()) == "".join(words.split())


def test_ten_thousand_letters_end_in_an_ellipsis():
    lines = wrapped("w" * 10_000, 20).split("\n")
    assert (len(lines), lines[-1][-1]) == (4, "…")


def test_a_figure_reads_no_mathematics():
    assert text("$a$ or $b$", 40) == r"\$a\$ or \$b\$"
    assert text("_hidden", 40) == " _hidden"
