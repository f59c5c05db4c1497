"""What a person sees: no line is wider than the terminal, and no word is cut off or left out."""

import re
from pathlib import Path

import pytest

from screen import needs_tmux, screen
from trimtab.report import terminal
from trimtab.report.terminal import fitted_table, table_text, wrapped

pytestmark = pytest.mark.integration

LONG = "only_second(otherwise=longest_first)+head_tail"
STUDY = ('"ratio"', f'"{LONG}"', "[12, 40]", "[12, 16]")
COMMANDS = (
    ("strategies",),
    ("sizes",),
    ("sizes", "2x32/64/2"),
    ("datasets",),
    ("datasets", "snli"),
    ("plan", "study.toml", "--no-time"),
    ("audit", "study.toml"),
    ("show", "study.toml"),
)
# A terminal has what is cut struck through, and a record has no empty cells.
NOT_SHOWN = {"in", "square", "brackets", "same", "inputs", "as"}
PROGRAM = f"""
from trimtab.cli import main
for words in {COMMANDS!r}:
    main(list(words))
"""


def words_of(lines):
    """Words, without what one layout has alone: rulers, colons of records, the brackets of show."""
    found = {word.strip(":[]") for line in lines for word in line.split()}
    return {word for word in found if not re.fullmatch(r"-*", word)}


@needs_tmux
@pytest.mark.parametrize("columns", [80, 160])
def test_every_command_fits_the_terminal(columns, tiny, trimtab):
    Path("study.toml").write_text(tiny(*STUDY))
    with screen(PROGRAM, columns, rows=400) as shown:
        lines = shown.at_the_end()
    assert [line for line in lines if len(line) > columns] == []
    piped = [line for command in COMMANDS for line in trimtab(*command)[1]]
    assert words_of(piped) - words_of(lines) <= NOT_SHOWN
    assert any(len(line) > 160 for line in piped)  # which is not folded


@pytest.mark.parametrize("columns", [80, 160])
def test_every_help_fits_and_is_whole(columns, trimtab, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    _, said, _ = trimtab("--help")
    commands = [line.split()[0] for line in said[said.index("Commands:") + 1 :] if line.startswith("  ")]
    for command in commands[: commands.index("datasets") + 1]:
        said += trimtab(command, "-h")[1]
    assert max(map(len, said)) <= columns
    assert not any(line.endswith("...") for line in said if not line.startswith("Usage"))


ROWS = [["ratio, max_len 16", "12.5", ""], [f"{LONG}, max_len 16", "3.0", "ratio, max_len 16"]]
HEADS = ["variant", "cut of test %", "same inputs as"]


@pytest.mark.parametrize("columns", [200, 90, 80, 70, 50, 48])
def test_a_table_folds_or_becomes_records(columns):
    lines = fitted_table(ROWS, HEADS, ["left"] * 3, columns).splitlines()
    assert max(map(len, lines)) <= columns
    assert words_of(lines) == words_of([" ".join(HEADS), *map(" ".join, ROWS)])
    assert (lines[0] == "variant") == (columns < 70)  # which then stands above the rest of its row


def test_what_fits_in_no_table_becomes_records():
    row = ["a b", "first: " + "x" * 30, "", "y" * 30]
    said = fitted_table([row], ["name", "one", "none", "two"], ["left"] * 4, 40)
    assert said.splitlines() == ["name: a b", "  one: first:", "    " + "x" * 30, "  two: " + "y" * 30]


def test_a_table_that_fits_or_is_piped_is_left_as_it_is(monkeypatch):
    plain = table_text(ROWS, HEADS)
    assert len(plain.splitlines()) == 4
    monkeypatch.setenv("COLUMNS", "200")
    assert table_text(ROWS, HEADS) == plain
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, table_text(ROWS, HEADS).splitlines())) <= 60
    assert table_text([], HEADS)


def test_numbers_stay_at_the_right():
    said = fitted_table([["a b c d e f", "1.0"], ["g", "12.0"]], ["token", "norm"], ["left", "right"], 12)
    assert said.splitlines()[-1].endswith("12.0")


def test_sentences_wrap_between_words():
    text = "  one two three\n\nfour"
    assert wrapped(text, None) == text
    assert wrapped(text, 9) == "  one two\n    three\n\nfour"
    assert wrapped("x" * 20, 9) == "x" * 20


def test_the_width_is_that_of_columns(monkeypatch):
    assert terminal.width() is None
    monkeypatch.setenv("COLUMNS", "77")
    assert terminal.width() == 77
