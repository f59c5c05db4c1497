"""Single texts from the reader to the report, through the command line: CoLA, and a table of reviews."""

import csv
import json

import numpy as np
import pytest

from page_text import page_text

pytestmark = pytest.mark.integration

STUDY = """\
question = "Which end of a sentence may be cut?"

[data]
reader = "cola"
validation = 0.1
min_freq = 1
[data.test.in_domain]
split = "in_domain_dev"
[data.test.out_of_domain]
split = "out_of_domain_dev"

[base]
size = "2x32/64/2"
epochs = 1
precision = "fp32"
max_len = 8

[grid]
truncation = ["longest_first", "ratio", "longest_first+tail"]
seeds = 2

[compare]
score = "matthews"
margin = 0.05
"""
TABLE = """\
[data]
reader = "table"
first = "review"
label = "sentiment"
min_freq = 1
[data.train]
file = "train.csv"
[data.test]
file = "test.csv"
"""
LENGTHS = {"in_domain_train": 61, "in_domain_dev": 20, "out_of_domain_dev": 12}


@pytest.fixture(autouse=True)
def folder(own_environment, at_home):
    """A study, and texts of 3 to 12 words in CoLA's format and as reviews with a header."""
    (own_environment / "cola_public" / "raw").mkdir(parents=True)
    for part, rows in LENGTHS.items():
        texts = [" ".join(f"w{(row + word) % 97}" for word in range(3 + row % 10)) for row in range(rows)]
        lines = [f"a\t{row % 2}\t\t{text}" for row, text in enumerate(texts)]
        (own_environment / "cola_public" / "raw" / f"{part}.tsv").write_text("\n".join(lines))
        name = {"in_domain_train": "train", "in_domain_dev": "test"}.get(part, "other")
        with (own_environment / f"{name}.csv").open("w", newline="") as file:
            rows = [(text, ("negative", "positive")[row % 2]) for row, text in enumerate(texts)]
            csv.writer(file).writerows([("review", "sentiment"), *rows])
    (own_environment / "study.toml").write_text(STUDY)
    return own_environment


@pytest.fixture
def said(trimtab):
    """said(words): what a command that succeeds prints."""

    def call(*words):
        quiet = ("--quiet",) if words[0] == "run" else ()
        code, lines, complained = trimtab(*words, *quiet)
        assert (code, complained) == (0, [])
        return "\n".join(lines)

    return call


@pytest.mark.usefixtures("unsaved_figures")
def test_cola_from_audit_to_report(said, folder):
    audited = said("audit", "study.toml")
    assert "train: cola_public/raw/in_domain_train.tsv: 54 rows" in audited.replace(f"{folder}/", "")
    assert "in_domain_train.tsv: 7 rows" in audited  # a tenth of 61, rounded up
    # 3 to 12 words, six of which fit beside two special tokens: of twenty texts twelve are cut.
    rows = [line.split() for line in audited.splitlines() if line.startswith("longest_first, max_len 8 ")]
    assert [row[4:7] for row in rows if row[3] == "in_domain"] == [["20", "60.0", "2.1,"]]
    assert "second" not in audited
    shown = said("show", "study.toml", "--row", "9", "--split", "in_domain")
    assert "12 tokens" in shown
    assert "w9 w10 w11 w12 w13 w14 [w15 w16 w17 w18 w19 w20]" in shown
    assert "[w9 w10 w11 w12 w13 w14] w15 w16 w17 w18 w19 w20" in shown
    assert "4 trials done now" in said("run", "study.toml", "--device", "cpu", "--jobs", "1")
    planned = said("plan", "study.toml")
    assert "0 left, 2 done" in planned
    [row] = [line for line in planned.splitlines() if line.startswith("ratio ")]
    assert row.endswith("longest_first")  # every split is the same on single texts
    report = page_text(folder / "results" / "study")
    for test in ("in_domain", "out_of_domain"):
        assert f"Matthews correlation on {test}" in report
    assert "accuracy %" in report
    assert "FNC-1" not in report
    for trial in (folder / "results" / "study" / "trials").iterdir():
        with np.load(trial / "predictions.npz") as made:
            assert made["in_domain"].shape == (20, 2)
            assert made["out_of_domain"].shape == (12, 2)
        epochs = [json.loads(line) for line in (trial / "metrics.jsonl").read_text().splitlines()]
        assert all(epoch["validation_loss"] > 0 for epoch in epochs)


def test_reviews_of_a_table(said, folder):
    text = STUDY[: STUDY.index("[data]")] + TABLE + STUDY[STUDY.index("\n[base]") :]
    (folder / "study.toml").write_text(text)
    audited = said("audit", "study.toml")
    assert "test.csv: 20 rows" in audited
    assert "test: positive" in audited
    audited = said("audit", "train.csv", "--first", "review", "--label", "sentiment", "--max-len", "8")
    assert "negative" in audited


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_score_for_other_labels_is_refused(folder, wrong, command):
    (folder / "study.toml").write_text(STUDY.replace('"matthews"', '"fnc1"'))
    assert wrong(command, "study.toml") == (
        "[compare]: score 'fnc1' is for the labels agree, disagree, discuss, unrelated, in this order, and "
        "the data has unacceptable, acceptable; name another score"
    )
