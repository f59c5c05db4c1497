"""How numbers are shown."""

import math

import pytest

from trimtab.report.tables import Column, Table, p_value, percent, points


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


def test_shares_and_differences():
    assert (percent(0.12345), percent(0.5, 0), percent(None), percent(math.nan)) == ("12.35", "50", "", "")
    assert (points(0.01), points(-0.0123), points(math.nan)) == ("+1.00", "-1.23", "")


def test_a_table_in_every_form(tmp_path):
    columns = [
        Column("a | b", "name", lambda row: row["name"]),
        Column("interval", "low high", lambda row: f"{row['low']} to {row['high']}"),
    ]
    table = Table("one", columns, [{"name": "x, y", "low": 0.1, "high": 1e-20}])
    table.write(tmp_path / "tables")
    assert (tmp_path / "tables" / "one.csv").read_text() == 'name,low,high\n"x, y",0.1,1e-20\n'
    assert "x, y" in (tmp_path / "tables" / "one.md").read_text()
    assert r"\begin{tabular}" in (tmp_path / "tables" / "one.tex").read_text()
    assert "0.1 to 1e-20" in table.text()


def test_a_table_without_rows_keeps_its_head(tmp_path):
    table = Table("none", [Column("head", "key", str)], [])
    table.write(tmp_path)
    assert (tmp_path / "none.csv").read_text() == "key\n"
