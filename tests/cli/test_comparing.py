"""trimtab compare: what it prints, what it writes, and its exit codes."""

import csv
from pathlib import Path

import numpy as np
import pytest

from command_line import PATIENCE, started
from page_text import page_text
from predicted import rows_of, write_csv
from trimtab.cli import main
from trimtab.statistics import compare

HOSTILE = ["<script>alert(1)</script>", "../up|er", "new\nline `x` **b**", "\\input{x}\x1b[31m"]


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(0)
    steps = np.array([0.0, 0.15, -0.4])[:, None, None]
    return (rng.normal(size=(3, 5, 200)) * 0.3 + rng.normal(size=200) + steps > -0.5).astype(int)


def test_it_prints_the_contrasts_and_fails_where_one_is_worse(scores, capsys):
    path = write_csv(Path("t.csv"), rows_of(scores))
    assert main(["compare", str(path)]) == 0
    said = capsys.readouterr().out
    expected = compare(scores)
    assert [one.verdict for one in expected] == ["better", "worse"]
    assert f"v2 is worse than v0 by {abs(expected[1].delta):.4f}" in said
    assert "paired by seed; Holm over the 2 contrasts" in said
    assert main(["compare", str(path), "--fail-if", "worse"]) == 3
    told = "trimtab: --fail-if worse: shown to be worse: v2; the exit code is 3\n"
    assert capsys.readouterr().err == told
    assert main(["compare", str(path), "--fail-if", "worse", "--baseline", "v2"]) == 0
    assert list(Path().glob("*.html")) == []


@pytest.mark.integration
def test_the_exit_code_stays_where_nobody_reads_on(scores):
    path = write_csv(Path("t.csv"), rows_of(scores))
    with started("compare", path, "--fail-if", "worse") as process:
        process.stdout.close()  # as head does
        assert process.wait(timeout=PATIENCE) == 3
        assert process.stderr.read().startswith("trimtab: --fail-if worse: shown to be worse")


def test_the_report_is_a_studys(scores, capsys, unsaved_figures):
    """Its tables hold the numbers of statistics.compare; what only a study has is not there."""
    path = write_csv(Path("t.csv"), rows_of(scores))
    for _ in range(2):  # written again, it takes its own folder
        assert main(["compare", str(path), "--out", "out"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(Path("out/report.html"))
    with Path("out/tables/contrasts-test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, contrast in zip(rows, compare(scores), strict=True):
        assert [float(row[name]) for name in ("delta", "se", "p_adjusted")] == pytest.approx(
            [contrast.delta, contrast.se, contrast.p_adjusted]
        )
    assert {"contrasts-test.svg", "score_0_1-test.svg", "seeds-test.svg"} <= {
        each.name for each in Path("out/figures").iterdir()
    }
    text = page_text(Path("out"))
    assert "Where the predictions are from" in text
    assert "t.csv: 3,000 rows" in text
    for absent in ("max_len", "examples/s", "trials", "tokens", "trimtab run", "cut differently", "memory"):
        assert absent not in text + Path("out/report.md").read_text(), absent


def test_a_folder_of_other_things_is_left_alone(scores, capsys):
    path = write_csv(Path("t.csv"), rows_of(scores))
    Path("mine").mkdir()
    Path("mine/notes.txt").touch()
    assert main(["compare", str(path), "--out", "mine"]) == 2
    assert "mine: holds 'notes.txt', which no report has" in capsys.readouterr().err


def test_hostile_names_are_text(scores, capsys, unsaved_figures):
    write_csv(Path("t.csv"), rows_of(np.stack([*scores, scores[0]]), HOSTILE))
    assert main(["compare", "t.csv", "--out", "out"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    page = Path("out/report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in Path("out/report.md").read_text().replace("\\<", "")
    assert sorted(each.name for each in Path().iterdir()) == ["out", "study.toml", "t.csv"]


def test_one_seed_is_said_to_be_about_checkpoints(scores, capsys):
    write_csv(Path("t.csv"), rows_of(scores[:, :1]))
    assert main(["compare", "t.csv", "--fail-if", "worse"]) == 0
    said = capsys.readouterr()
    assert "permits no claim about methods, only about these checkpoints" in said.out
    assert "McNemar's exact test" in said.out
    assert "strategies" not in said.out
    assert "with one seed no verdict is given, so this cannot fail" in said.err


def test_seeds_without_a_common_one_ask_for_unpaired(scores, capsys):
    rows = [row | {"seed": row["seed"] + 9 * (row["variant"] != "v0")} for row in rows_of(scores)]
    write_csv(Path("t.csv"), rows)
    assert main(["compare", "t.csv"]) == 2
    assert "or give --unpaired" in capsys.readouterr().err
    assert main(["compare", "t.csv", "--unpaired"]) == 0
    assert "two-sided t tests, unpaired" in capsys.readouterr().out


def test_unpaired_seeds_may_have_any_numbers(scores, capsys):
    """They mean nothing from variant to variant, so that all of them count, whatever they are called."""
    said = []
    for start in (0, 1, 40):
        rows = [row | {"seed": row["seed"] + start + 9 * (row["variant"] == "v1")} for row in rows_of(scores)]
        write_csv(Path("t.csv"), rows)
        assert main(["compare", "t.csv", "--unpaired"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] == said[2]
    assert "5 seeds; 200 examples" in said[0]


@pytest.mark.parametrize("margin", ["0.5s", "point", "1 percent", "0", "nan"])
def test_a_margin_that_is_none(scores, capsys, margin):
    write_csv(Path("t.csv"), rows_of(scores))
    assert main(["compare", "t.csv", "--margin", margin]) == 2
    assert capsys.readouterr().err == (
        f"trimtab: --margin {margin!r}: give a positive number, or points as in '0.5 points'\n"
    )


def test_few_examples_are_warned_of(scores, capsys):
    write_csv(Path("t.csv"), rows_of(scores[:, :, :10]))
    assert main(["compare", "t.csv"]) == 0
    assert "10 independent examples are few" in capsys.readouterr().err


@pytest.mark.parametrize(("examples", "is_said"), [(200, True), (600, False)])
def test_few_examples_on_which_two_never_differ_are_no_proof(scores, capsys, examples, is_said):
    alike = np.tile(scores[:1, :3], (2, 1, 3))[:, :, :examples]
    assert main(["compare", str(write_csv(Path("t.csv"), rows_of(alike)))]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert ("within 0.0050 of each other on others: it takes at least 598." in said) == is_said
    assert ("inconclusive" in said) == is_said


def test_wrong_input_is_one_sentence(capsys):
    assert main(["compare", "nothing.csv"]) == 2
    assert capsys.readouterr().err.startswith("trimtab: nothing.csv: there is no such file")
    assert main(["compare"]) == 2
