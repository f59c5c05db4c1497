"""What a report says first of max_len: in the summary, the short report, the page and the section."""

import csv

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.html_page import html_page
from trimtab.report.markdown import short
from trimtab.report.page import summary_lines
from trimtab.report.sections import sections
from trimtab.report.shortest_words import listed, shortest_words

SEEDS, ROWS = 4, 1500
HOSTILE = "<img src=x>*a*|_b_"


def rights(*rates, seeds=SEEDS):
    rng = np.random.default_rng(0)
    level = rng.random(ROWS) + 0.01 * rng.standard_normal((len(rates), seeds, ROWS))
    return level < np.array(rates)[:, None, None]


@pytest.fixture
def analysed(tmp_path, handmade):
    def made(scores, max_lens, **options):
        options = {"tokens": [length / 2 for _, length in max_lens], "margin": 0.01} | options
        return analyse(handmade.write(tmp_path / "made", {"test": scores}, max_lens=max_lens, **options))

    return made


def said(analysis):
    return shortest_words(analysis.tests[0], analysis.study)


def lengths(*values, truncation="t"):
    return [(truncation, value) for value in values]


@pytest.fixture
def found(analysed):
    return analysed(rights(0.6, 0.75, 0.8, 0.8), lengths(24, 32, 64, 128), margin=0.02)


def test_it_stands_first_everywhere(found, unsaved, tmp_path):
    [words] = said(found)
    assert words == (
        "**64** suffices (loses less than 2.00 points against 128); 24 and 32 are worse. Against 128: 50 % "
        "fewer tokens a row, the same training time, the same peak memory."
    )
    first, second, *_ = summary_lines(found)
    assert first.startswith("Take: ")
    assert second.startswith("max_len: 64 suffices (loses less than 2.00 points against 128); 24 and 32 are ")
    report = short(found)
    places = [report.index(part) for part in ("**Take:**", "**max_len:** **64** suffices", "| variant")]
    assert places == sorted(places)
    every = sections(found, unsaved(tmp_path))
    html = html_page(found, every, tmp_path)
    card = html[html.index('<section class="answer') :]
    assert card.index('class="verdict"') < card.index("<b>max_len</b> <strong>64</strong> suffices")
    assert card.index("<b>max_len</b>") < card.index('class="savings"')
    keys = [section.key for section in every]
    assert keys[keys.index("contrasts") + 1] == "max-len"
    assert "Which max_len suffices" in html


def test_the_table(found, unsaved, tmp_path):
    sections(found, unsaved(tmp_path))
    with (tmp_path / "tables" / "max-len-test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["max_len"] for row in rows] == ["24", "32", "64", "128"]
    assert [row["verdict"] for row in rows][-2:] == ["suffices", "longest"]
    assert {row["margin"] for row in rows} == {"0.02"}
    [series] = found.tests[0].shortest
    for row, one in zip(rows[:-1], series.rows, strict=False):
        assert float(row["p_not_inferior"]) == pytest.approx(one.p_not_inferior)
        assert float(row["p_worse"]) == pytest.approx(one.p_worse)
        assert float(row["delta"]) == pytest.approx(one.contrast.delta)
    assert float(rows[0]["tokens"]) == 24 / 128


def test_worse_and_open_are_listed(analysed):
    analysis = analysed(rights(0.5, 0.79, 0.791, 0.8), lengths(24, 32, 48, 64), margin=0.0001)
    [words] = said(analysis)
    assert words.startswith(
        "No length under 64 is shown to suffice (to lose less than 0.01 points against it); "
    )
    verdicts = {row.variant.max_len: row.verdict for row in analysis.tests[0].shortest[0].rows}
    for verdict, verb in (("worse", ("is worse", "are worse")), ("open", ("is open", "are open"))):
        some = [str(length) for length, one in verdicts.items() if one == verdict]
        assert not some or f"; {listed(some)} {verb[len(some) > 1]}" in words


def test_listed():
    assert [listed(["24"]), listed(["24", "32"]), listed(["24", "32", "48"])] == [
        "24",
        "24 and 32",
        "24, 32 and 48",
    ]


def test_refusals_are_one_sentence(analysed):
    [words] = said(analysed(rights(1 / 3, 1 / 3), lengths(24, 64)))
    assert words == "No length is named: 64, the longest, is not shown to beat guessing (33.33 %)."


def test_one_seed_and_no_trial(tmp_path, handmade):
    def words(name, **options):
        ledger = handmade.write(tmp_path / name, max_lens=lengths(24, 64), **options)
        [line] = said(analyse(ledger))
        return line

    one = words("one", scores={"test": rights(0.8, 0.8, seeds=1)})
    assert (
        one
        == "No length is named: 64, the longest, has one finished seed, and no claim rests on fewer than two."
    )
    every = [(1, seed) for seed in range(SEEDS)]
    none = words("none", scores={"test": rights(0.8, 0.8)}, missing=every)
    assert none == "No length is named: 64, the longest, has not finished a trial."
    two = words("two", scores={"test": rights(0.5, 0.8, seeds=2)})
    assert two.endswith(" Exploratory: two seeds.")


def test_the_same_inputs(analysed):
    [words] = said(analysed(rights(0.8, 0.8), lengths(24, 64), same=[0, 0]))
    assert words == "**24** suffices (the inputs are those of 64)."


def test_series_are_named_and_said_together(analysed, unsaved, tmp_path):
    series = [*lengths(24, 64, truncation="a"), *lengths(24, 64, truncation=HOSTILE)]
    analysis = analysed(rights(0.5, 0.8, 0.5, 0.8), series)
    [words] = said(analysis)
    assert words.startswith("a; ")
    assert words.endswith(
        ": No length under 64 is shown to suffice (to lose less than 1.00 points against it); 24 is worse."
    )
    html = html_page(analysis, sections(analysis, unsaved(tmp_path)), tmp_path)
    assert "<img src=x>" not in html
    assert "<em>a</em>" not in html


def test_no_axis_nothing_said(tmp_path, handmade, unsaved):
    analysis = analyse(handmade.write(tmp_path / "made", {"test": rights(0.5, 0.8)}))
    assert said(analysis) == []
    assert "max-len" not in [section.key for section in sections(analysis, unsaved(tmp_path))]
    assert "**max_len:**" not in short(analysis)
