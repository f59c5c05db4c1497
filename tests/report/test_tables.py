"""How numbers are shown."""

import math

import pytest

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
    assert "Minus log loss, minus Brier score and minus calibration error: the sign is flipped" in said
    listed = "Matthews correlation, macro F1, minus calibration error and FNC-1 score"
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


def test_a_table_without_rows_keeps_its_head(tmp_path):
    table = Table("none", [text_column("head", "key", str)], [])
    table.write(tmp_path)
    assert (tmp_path / "none.csv").read_text() == "key\n"
