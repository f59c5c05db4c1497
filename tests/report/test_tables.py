"""How numbers are shown."""

import csv
import math
import re
from dataclasses import dataclass
from html import unescape

import markdown_it
import pyarrow.parquet
import pytest

from trimtab.report.escaping import in_latex
from trimtab.report.scale import notes, scale_named
from trimtab.report.tables import Column, Table, p_value, percent, text_column
from trimtab.statistics import SCORES


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "< 0.0001"),
        (1e-300, "< 0.0001"),
        (0.00009999, "< 0.0001"),
        (0.0001, "0.0001"),
        (0.04996, "0.0500"),
        (1.0, "1.0000"),
        (math.nan, ""),
    ],
)
def test_p_is_never_shown_as_0(p, shown):
    assert p_value(p) == shown


def test_shares():
    assert (percent(0.12345), percent(0.5, 0), percent(None), percent(math.nan)) == ("12.35", "50", "", "")


@pytest.mark.parametrize(
    ("name", "head", "axis", "level", "difference", "amount"),
    [
        ("accuracy", "accuracy %", "accuracy on test, %", "12.35 %", "-1.23 points", "1.23 points"),
        (
            "log_loss",
            "minus log loss, nats",
            "minus log loss on test, nats",
            "0.1235 nats",
            "-0.0123 nats",
            "0.0123 nats",
        ),
        (
            "matthews",
            "Matthews correlation",
            "Matthews correlation on test",
            "0.1235",
            "-0.0123",
            "0.0123",
        ),
        ("macro_f1", "macro F1 %", "macro F1 on test, %", "12.35 %", "-1.23 points", "1.23 points"),
    ],
)
def test_each_score_in_its_own_unit(name, head, axis, level, difference, amount):
    scale = scale_named(name)
    assert (scale.head, scale.axis("test")) == (head, axis)
    assert scale.level_with_unit(0.12346) == level
    assert scale.difference_with_unit(-0.0123) == difference
    assert (scale.amount(-0.0123), scale.amount(0.0123)) == (amount, amount)
    assert (scale.level(math.nan), scale.level(None), scale.difference(math.nan)) == ("", "", "")


def test_what_is_turned_or_no_mean_is_said_once():
    assert notes([scale_named("accuracy")]) == ""
    said = notes([scale_named(name) for name in SCORES])
    assert "minus Brier score, minus calibration error and minus squared error: the sign is flipped" in said
    listed = "Matthews correlation, macro F1, minus calibration error, FNC-1 score, Spearman correlation and "
    listed += "Pearson correlation"
    assert f"{listed}: not a mean over examples" in said
    assert said.count("flipped") == said.count("jackknife") == 1


def test_a_table_in_every_form(tmp_path):
    columns = [
        text_column("a | b", "name", lambda row: row["name"]),
        Column(
            "interval",
            lambda row: f"{row['low']} to {row['high']}",
            {"low": lambda row: row["low"], "high": lambda row: row["high"]},
        ),
    ]
    table = Table("one", columns, [{"name": "x, y", "low": 0.1, "high": 1e-20}])
    table.write(tmp_path / "tables")
    assert (tmp_path / "tables" / "one.csv").read_text() == 'name,low,high\n"x, y",0.1,1e-20\n'
    assert "x, y" in (tmp_path / "tables" / "one.md").read_text()
    assert r"\begin{tabular}" in (tmp_path / "tables" / "one.tex").read_text()
    assert "0.1 to 1e-20" in table.text()


def test_of_a_table_too_long_to_be_read_the_first_rows_are_shown(tmp_path):
    """The CSV has them all, and what else is written says in a sentence what it leaves out."""
    table = Table("long", [text_column("number", "number", lambda row: row)], range(1_234))
    table.write(tmp_path)
    said = "The first 1,000 of 1,234 rows; all of them are in long.csv."
    assert len((tmp_path / "long.csv").read_text().splitlines()) == 1_235
    for name in ("long.md", "long.tex"):
        text = (tmp_path / name).read_text()
        assert said in text
        assert "999" in text
        assert "1000" not in text
    assert table.text().endswith(said)


def test_a_table_without_rows_keeps_its_head(tmp_path):
    table = Table("none", [text_column("head", "key", str)], [])
    table.write(tmp_path)
    assert (tmp_path / "none.csv").read_text() == "key\n"


HOSTILE = [
    "a | b",
    "line one\nline two",
    "`code`",
    "<script>alert(1)</script>",
    "[link](http://x)",
    "*bold* _it_ ~~gone~~",
    "$x$ &amp; \\ # { } ~ ^ % _ > <",
    "\u202eturned",
    "w" * 10_000,
    "only_first(otherwise=longest_first)+head_tail",
]


@pytest.fixture(scope="module")
def hostile():
    return Table("hostile", [text_column("a | b", "name", str), text_column("n", "n", len)], HOSTILE)


def test_markdown_shows_hostile_texts_as_they_are(hostile):
    html = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(hostile.markdown())
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
    cells = [[unescape(cell) for cell in re.findall(r"<t[dh]>(.*?)</t[dh]>", row, re.S)] for row in rows]
    assert cells[0] == ["a | b", "n"]
    shown = [first for first, _ in cells[1:]]
    assert shown[:7] == [words.replace("\n", " ") for words in HOSTILE[:7]]
    assert shown[7] == "\\u202eturned"
    assert shown[8] == "w" * 200 + "… (10,000 characters)"
    assert "\\" not in hostile.markdown().splitlines()[-1]  # plain specs stay readable


def test_latex_escapes_what_it_would_read(hostile):
    latex = hostile.latex()
    assert r"\$x\$ \&amp; \textbackslash{} \# \{ \} \textasciitilde{} \textasciicircum{} \% \_" in latex
    assert r"\textless{}script\textgreater{}" in latex
    assert "\u202e" not in latex
    assert latex.count(r" \\") == len(HOSTILE) + 1
    assert r"\begin{tabular}{lr}" in latex  # texts to the left, numbers to the right


@pytest.mark.parametrize(
    ("shown", "latex"),
    [
        ("-1.20", "$-$1.20"),
        ("-33.61 to -29.20", "$-$33.61 to $-$29.20"),
        ("\u22121.2", "$-$1.2"),
        ("1e-20", "1e-20"),
        ("a-1", "a-1"),
        ("< 0.0001", r"\textless{} 0.0001"),
        ("82.10 ± 0.90", r"82.10 $\pm$ 0.90"),
    ],
)
def test_numbers_in_latex(shown, latex):
    assert in_latex(shown) == latex


@dataclass(frozen=True)
class Measured:
    name: str
    value: float
    seeds: tuple[int, ...]
    more: float | None


def test_numbers_agree_over_every_form(tmp_path):
    rows = [Measured("x, y", 0.81254, (0, 1), None), Measured("z", -1 / 3, (2,), 3)]
    columns = [
        text_column("name", "name", lambda row: row.name),
        Column("value %", lambda row: percent(row.value), {"value": lambda row: row.value}),
        Column("seeds", lambda row: " ".join(map(str, row.seeds)), {"seeds": lambda row: row.seeds}),
        text_column("more", "more", lambda row: row.more),
    ]
    Table("one", columns, rows).write(tmp_path)
    with (tmp_path / "one.csv").open(newline="") as file:
        raw = list(csv.DictReader(file))
    typed = pyarrow.parquet.read_table(tmp_path / "one.parquet").to_pylist()
    markdown = [line.split("|")[1:-1] for line in (tmp_path / "one.md").read_text().splitlines()[2:]]
    latex = (tmp_path / "one.tex").read_text().splitlines()[4:6]
    for row, flat, kept, shown, line in zip(rows, raw, typed, markdown, latex, strict=True):
        assert float(flat["value"]) == kept["value"] == row.value
        assert tuple(kept["seeds"]) == row.seeds == tuple(map(int, flat["seeds"].split()))
        assert (kept["name"], kept["more"]) == (flat["name"], row.more)
        cell = f"{100 * row.value:.2f}"
        assert shown[1].strip() == cell
        assert line.split(" & ")[1] == cell.replace("-", "$-$")


def test_without_pyarrow_there_is_no_parquet(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    Table("one", [text_column("a", "a", str)], ["x"]).write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "one.md", "one.tex"]
