"""``trimtab init`` and ``trimtab schema``: what they write, what they say, and what they leave alone."""

import json
import shlex
from pathlib import Path

import pytest

from trimtab.study import load

ROWS = "premise,hypothesis,label\n" + "".join(
    f"some words of row {n},more words of {n} to read,{'yes' if n % 2 else 'no'}\n" for n in range(60)
)


@pytest.fixture
def table():
    Path("my data").mkdir()
    path = Path("my data", "pairs.csv")
    path.write_text(ROWS)
    return path


def test_init_writes_a_study_whose_commands_run(table, trimtab):
    code, said, complained = trimtab("init", table)
    assert (code, complained) == (0, [])
    assert said[0] == "pairs.csv: 60 rows, 3 columns"
    assert load("pairs.toml").name == "pairs"
    commands = [shlex.split(line) for line in said if line.startswith("    trimtab ")]
    assert commands == [["trimtab", word, "pairs.toml", "--data", "my data"] for word in ("plan", "run")]
    code, planned, complained = trimtab(*commands[0][1:], "--no-time")
    assert (code, complained) == (0, [])
    assert any("longest_first, max_len " in line for line in planned)


def test_the_data_folder_may_be_named(table, trimtab, monkeypatch, tmp_path):
    assert trimtab("init", "pairs.csv", "--data", "my data", "--out", "new/mine.toml")[0] == 0
    assert load("new/mine.toml").data.train.options["file"] == "pairs.csv"
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path / "my data"))
    code, said, _ = trimtab("init", "pairs.csv")
    assert (code, said[-1]) == (0, "    trimtab run pairs.toml")


def test_a_study_is_overwritten_only_where_that_is_asked_for(table, trimtab, wrong):
    Path("pairs.toml").write_text("mine")
    assert wrong("init", table) == (
        "pairs.toml: is there already; name another with --out, or overwrite it with --force"
    )
    assert Path("pairs.toml").read_text() == "mine"
    assert trimtab("init", table, "--force")[0] == 0
    assert load("pairs.toml").question


def test_nothing_is_written_where_the_table_is_wrong(table, wrong):
    table.write_text(ROWS + "a b,,yes\n")
    assert wrong("init", table).endswith(
        "pairs.csv: 1 of 61 rows have nothing in column 'hypothesis'; fill them in, take these rows out, or "
        "name another column with --second"
    )
    assert not Path("pairs.toml").exists()


def test_the_example(trimtab, wrong):
    code, said, complained = trimtab("init", "--example", "shop")
    assert (code, complained) == (0, [])
    assert said[0] == "written: shop/letters.csv"
    assert said[-2:] == [f"    trimtab {word} shop/letters.toml --data shop" for word in ("plan", "run")]
    assert len(Path("shop/letters.csv").read_text().splitlines()) == 1_501
    assert load("shop/letters.toml").name == "letters"
    assert "letters.csv: is there already" in wrong("init", "--example", "shop")


def test_a_schema_beside_the_study(table, trimtab):
    assert trimtab("init", table, "--schema")[0] == 0
    assert Path("pairs.toml").read_text().startswith("#:schema ./trimtab.schema.json\n")
    assert load("pairs.toml").question
    code, said, _ = trimtab("schema")
    assert (code, "\n".join(said) + "\n") == (0, Path("trimtab.schema.json").read_text())
    assert json.loads("\n".join(said))["title"] == "a study of trimtab"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "init: FILE is missing; name a table of labelled texts, or give --example"),
        (["--example", "--label", "x"],
         "--example: brings a table of its own; leave out the options that are for a FILE"),
        (["my data/pairs.csv", "--out", "a.json"],
         "--out: a.json should end in .toml, as study files do; name another"),
        (["my data/pairs.csv", "--test", "my data/pairs.csv"],
         "--test: my data/pairs.csv is the table itself; name another file, or leave --test out"),
    ],
)  # fmt: skip
def test_words_that_do_not_go_together(table, wrong, words, said):
    assert wrong("init", *words) == said
    assert not list(Path().glob("pairs.*"))


def test_other_columns_in_the_test_file(table, wrong):
    Path("other.csv").write_text("text,klass\na b,x\n")
    assert "other.csv: no column 'label' in the header" in wrong("init", table, "--test", "other.csv")
