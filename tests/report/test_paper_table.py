"""The compact table for a paper: what stands in it, and that LaTeX sets it within a column."""

import csv
import re
import shutil
import subprocess

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.paper_table import paper_table

LONG = "only_first(otherwise=longest_first)+head_tail"
HOSTILE = r"100% & #1 $x_{2}^3$ ~ \a {b} <script> | `c` " + "w" * 10_000

# One and two columns, as wide as most papers have them; draft marks nothing, the log says what is too wide.
PAPER = r"""
\documentclass{article}
\usepackage{booktabs,tabularx}
\setlength{\textwidth}{%s}
\begin{document}
%s
\end{document}
"""
WIDTHS = {"a column": "3.35in", "a page of one column": "345pt"}


@pytest.fixture
def analysed(tmp_path, handmade):
    """analysed(scores, names={}, **options): the analysis of a ledger whose variants are called so."""

    def made(scores, names=(), **options):
        ledger = handmade.write(tmp_path, {"test": scores}, **options)
        study = ledger.study
        variants = tuple(
            one.model_copy(update={"name": dict(names).get(one.number, one.name)}) for one in study.variants
        )
        study = study.model_copy(update={"variants": variants})
        ledger.write_study(study, {"test": ledger.evaluated("test")})
        return analyse(ledger)

    return made


def table_of(analysis):
    return paper_table(analysis.tests[0], analysis.speeds, analysis.study.compare)


def test_what_stands_in_it(analysed, scores, tmp_path):
    analysis = analysed(scores, rates=[100.0, 50.0, 150.0])
    table = table_of(analysis)
    means = [f"{100 * value.mean():.2f}" for value in scores]
    halves = [row.estimate.ci_high - row.estimate.mean for row in analysis.tests[0].means]
    cells = table.cells
    assert [row[1] for row in cells] == [
        f"{mean} ± {100 * half:.2f}" for mean, half in zip(means, halves, strict=True)
    ]
    assert [row[0] for row in cells] == [f"t{number}, max_len 8" for number in range(3)]
    assert [row[2].split(" ")[-1] for row in cells] == ["baseline", "?", "▲"]
    assert cells[2][2].startswith(f"+{float(means[2]) - float(means[0]):.1f}")
    assert [row[3] for row in cells][::2] == ["", "0.001"]
    assert [row[4:] for row in cells] == [["7.5", "1.00"], ["7.5", "0.50"], ["7.5", "1.50"]]
    assert "Δ: difference from t0, max_len 8." in table.notes
    table.write(tmp_path)
    with (tmp_path / "paper-test.csv").open(newline="") as file:
        raw = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in raw] == pytest.approx([value.mean() for value in scores])
    assert [row["baseline"] for row in raw] == ["", *["t0, max_len 8"] * 2]


def test_the_best_is_bold_where_its_contrasts_say_so(analysed, scores):
    assert table_of(analysed(scores)).latex().count(r"\textbf{") == 1
    worse = scores[[2, 0, 1]]  # now the baseline is the best, and better than all others
    assert r"\textbf{" in next(
        line for line in table_of(analysed(worse)).latex().splitlines() if line.startswith("t0")
    )
    assert r"\textbf" not in table_of(analysed(scores[:2])).latex()  # too close to call
    assert r"\textbf" not in table_of(analysed(scores[:, :1])).latex()  # one seed


def test_without_contrasts_there_is_no_difference(analysed, scores):
    table = table_of(analysed(scores, contrasts=[]))
    assert table.heads == ["variant", "accuracy %", "tokens per row", "relative speed"]


def test_of_many_variants_the_most_relevant(analysed):
    rng = np.random.default_rng(5)
    analysis = analysed(rng.random((60, 1, 40)) < np.linspace(0.2, 0.9, 60)[:, None, None])
    table = table_of(analysis)
    assert len(table.rows) == 40
    assert any("40 of 60 variants" in note for note in table.notes)
    assert table.rows[0].mean.variant.number == 0  # the baseline


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex (texlive-latex-extra)")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [LONG, HOSTILE], ids=["long", "hostile"])
def test_latex_sets_it_within_the_column(analysed, scores, tmp_path, width, name):
    names = {number: f"{name}, max_len {8 << number}" for number in range(3)}
    latex = table_of(analysed(scores, names)).latex()
    (tmp_path / "paper.tex").write_text(PAPER % (WIDTHS[width], latex), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    log = (tmp_path / "paper.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert not re.findall(r"Overfull \\hbox.*", log)
