"""Figures in README and docs/ are those of results/, and the check finds those that are not."""

import pytest

import fill
from document_figures import Claim


def test_every_figure_is_that_of_results():
    assert not fill.faults()


def test_the_quickstart_table_is_covered():
    """So that a claim which matches nothing cannot pass for one that does."""
    covered = {claim.document for claim in fill.claims()}
    assert {"README.md", "docs/results.md", "docs/performance.md", "docs/statistics.md"} <= covered


def claim(text, *figures):
    return Claim("README.md", text, lambda: list(figures))


def test_a_figure_that_differs_is_found_whatever_the_line_breaks():
    (place,) = fill.places("It reaches\n57.99 %.", claim("reaches {} %", "58.02"))
    assert (place.found, place.wanted) == ("57.99", "58.02")


def test_a_sentence_that_is_gone_is_an_error():
    with pytest.raises(ValueError, match="0 times there"):
        fill.places("It came to 57.99 %.", claim("reaches {} %", "58.02"))
    with pytest.raises(ValueError, match="2 times there"):
        fill.places("reaches 1 %, reaches 2 %", claim("reaches {} %", "1"))


@pytest.mark.parametrize(
    "text",
    ["57.99 is better", "worse by 3 points", "1,381 rows", "2 times as fast", "| a | 0.58 |", "9e-4 apart"],
)
def test_a_figure_that_nothing_covers_is_found(text):
    assert len(fill.uncovered(text, [], [])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`margin = 0.005`",
        "five seeds, 16 tokens",
        "[page](a-1.5.md)",
        "```sh\nmake 1.5\n```",
        "2 layers",
        "`3` %",
    ],
)
def test_settings_and_code_are_not_taken_for_figures(text):
    assert fill.uncovered(text, [], []) == []


def test_an_exception_exempts_its_words_alone_and_must_be_there():
    assert fill.uncovered("Python 3.11, and 3.12", [], ["Python 3.11"]) == ["Python 3.11, and 3.12"]
    with pytest.raises(ValueError, match="no longer there"):
        fill.uncovered("Python", [], ["Python 3.11"])
