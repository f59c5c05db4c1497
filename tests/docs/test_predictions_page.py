"""The page on predictions: its loop over transformers' Trainer, and what trimtab compare says of it."""

import csv
import re
from pathlib import Path

import pytest

from document_blocks import blocks
from page_text import page_text
from trimtab.cli import main


@pytest.mark.slow
def test_a_loop_over_the_trainer_gets_its_verdict(own_environment, monkeypatch, capsys):
    """One variant reads half of each row, and what decides stands in the other half as often as not."""
    pytest.importorskip("accelerate", reason="transformers' Trainer needs accelerate")
    monkeypatch.chdir(own_environment)
    python, shell = blocks("docs/predictions.md")[:2]
    exec(compile(python.text, "docs/predictions.md", "exec"), {})
    [(program, *words)] = shell.commands
    assert program == "trimtab"
    capsys.readouterr()
    assert main(words) == 0
    said = capsys.readouterr().out
    assert re.search(r"^12 words is worse than 24 words by \d+\.\d\d points \(-.* to -.*\); p ", said, re.M)
    assert said.startswith("Take: 24 words.")
    with Path("comparison/tables/contrasts-test.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["verdict"], row["paired"]) == ("worse", "True")
    assert "minus log loss" in page_text(Path("comparison"))
    assert main([*words, "--fail-if", "worse"]) == 3
