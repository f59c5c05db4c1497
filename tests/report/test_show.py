"""A row on a terminal: brackets where there are no colours, styles where there are."""

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from trimtab.plan.show import Block, Shown, Side
from trimtab.report.show import print_shown


def side(text, evidence=None, unknown=()):
    places = np.cumsum([0, *(len(word) + 1 for word in text.split())])
    spans = np.stack([places[:-1], places[1:] - 1], axis=1)
    return Side(text, np.arange(len(spans), dtype=np.int32), spans, evidence, unknown)


def mask(*values):
    return np.array(values, bool)


SHOWN = Shown(
    split="test",
    row=3,
    rows=1234,
    label="yes\x1b[31m",
    sides=(side("a [b] c d", 2), side("x \x1b[2J", 0, ("\x1b[2J",))),
    blocks=(
        Block(("ratio, max_len 6", "fixed, max_len 6"), (mask(1, 1, 0, 0), mask(1, 0)), 3),
        Block(("longest_first+salient, max_len 5",), (mask(0, 1, 0, 1), mask(0, 0)), 2),
        Block(("only_first, max_len 4",), None, 1),
    ),
    unknown_token="<unk>",
)


def printed(shown=SHOWN, **options):
    file = io.StringIO()
    print_shown(shown, Console(file=file, highlight=False, **options))
    return file.getvalue()


@pytest.mark.parametrize("target", ["score", "relevance"])
def test_what_the_label_is_stands_before_it(target):
    shown = replace(SHOWN, label="2", target=target)
    assert printed(shown, width=80).splitlines()[0] == f"test, row 3 of 1,234 (counted from 0), {target} 2"


def test_without_colours_what_is_cut_stands_in_brackets():
    assert printed(width=80).splitlines() == [
        "test, row 3 of 1,234 (counted from 0), label yes\ufffd[31m",
        "4 + 2 tokens; what is cut is in [-square brackets-]",
        "decisive words: 'c' and 'x'",
        "the model sees <unk> for: \ufffd[2J",
        "",
        "ratio, max_len 6",
        "fixed, max_len 6",
        "  first: 2 of 4 tokens, the decisive word CUT",
        "  a [b] [-c d-]",
        "  second: 1 of 2 tokens, the decisive word kept",
        "  x [-\ufffd[2J-]",
        "",
        "longest_first+salient, max_len 5",
        "  first: 2 of 4 tokens, the decisive word CUT",
        "  [-a-] [b] [-c-] d",
        "  second: cut to nothing, 2 tokens lost, the decisive word CUT",
        "  [-x \ufffd[2J-]",
        "",
        "only_first, max_len 4",
        "  does not apply to this pair: 4 + 2 tokens, a budget of 1",
    ]


@pytest.mark.parametrize("options", [{"no_color": True, "force_terminal": True}, {"force_terminal": False}])
def test_no_colours_no_styles(options):
    assert "\x1b" not in printed(width=80, **options)


def test_with_colours_what_is_cut_is_struck_through():
    text = printed(width=80, force_terminal=True, color_system="standard")
    assert "\x1b[1ma [b] \x1b[0m\x1b[2;9mc d\x1b[0m" in text
    assert "what is cut is struck through" in text
    assert "\x1b[2J" not in text


def test_a_long_text_wraps_and_remains_whole():
    words = [f"word{number}" for number in range(300)]
    long = Shown("t", 0, 1, "l", (side(" ".join(words)),), (Block(("a",), (mask(*[1] * 300),), 300),), "")
    file = io.StringIO()
    print_shown(long, Console(file=file, width=40))
    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(file.getvalue().split()[-300:]) == " ".join(words)
