"""The report from a ledger alone: every table and figure, readable, the same bytes each time."""

import csv
import math
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from trimtab import report
from trimtab.analysis.analysis import analyse
from trimtab.config import InputError
from trimtab.report.score_section import score_section
from trimtab.truncation.profile import LengthSummary

pytestmark = pytest.mark.integration

TABLES = (
    *("accuracy-test", "contrasts-test", "affected-test", "other-scores-test"),
    *("lengths", "throughput", "epochs", "audit", "audit-by-label", "trials", "settings"),
)
LINKED = ("epochs-by-trial",)  # tables that are too long for the page
PAPERS = ("paper-test",)  # tables for a paper, of which the page has a link
FIGURES = (
    *("accuracy-test", "seeds-test", "contrasts-test", "throughput-test"),
    *("curves", "audit"),
)
COLUMNS = tuple(f"{name}-column" for name in ("accuracy-test", "contrasts-test", "throughput-test"))


@pytest.fixture
def ledger(tmp_path, handmade, scores):
    return handmade.write(tmp_path / "made", {"test": scores}, ceilings=[1.0, 0.9, 0.5])


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.suffix in (".md", ".html", ".csv", ".tex", ".parquet", ".svg", ".png")
    }


def rows(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


NO_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("a report needs no torch")
sys.meta_path.insert(0, Refuse())
from trimtab.cli import main
sys.exit(main(["report", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory, handmade, scores):
    """A ledger that another process, without torch, has reported on: its folder, and what that printed."""
    folder = tmp_path_factory.mktemp("study") / "made"
    handmade.write(folder, {"test": scores}, ceilings=[1.0, 0.9, 0.5])
    command = [sys.executable, "-W", "error", "-c", NO_TORCH, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


def test_everything_appears_without_torch(elsewhere):
    folder, printed = elsewhere
    assert printed.splitlines()[-1] == str(folder / "report.html")
    written = files(folder)
    expected = {"report.md", "report.html"}
    every = TABLES + LINKED + PAPERS
    expected |= {f"tables/{name}.{kind}" for name in every for kind in ("md", "csv", "tex", "parquet")}
    expected |= {f"figures/{name}.svg" for name in FIGURES}
    assert set(written) == expected
    for name, content in written.items():
        assert len(content) > 60, name
        if name.endswith(".svg"):
            assert content.startswith(b"<?xml"), name
            assert len(content) > 5000, name
    page = written["report.html"].decode()
    for name in TABLES:
        assert f'data-table="{name}"' in page
    for name in LINKED:
        assert f"tables/{name}.csv" in page
    for name in PAPERS:
        assert f"tables/{name}.tex" in page
    short = written["report.md"].decode()
    assert written["tables/accuracy-test.md"].decode().strip() in short
    for name in ("accuracy-test", "contrasts-test"):
        assert f"(figures/{name}.svg)" in short
    assert len(short.split()) < 300


def test_a_paper_gets_more_figures(tmp_path, handmade, scores, trimtab):
    handmade.write(tmp_path / "made", {"test": scores})
    code, _, complained = trimtab("report", tmp_path / "made", "--paper")
    assert (code, complained) == (0, [])
    pictures = {path.name: path.read_bytes() for path in (tmp_path / "made" / "figures").iterdir()}
    assert set(pictures) == {f"{name}.{kind}" for name in FIGURES + COLUMNS for kind in ("svg", "png")}
    assert all(content.startswith(b"\x89PNG") for name, content in pictures.items() if name.endswith("png"))
    assert trimtab("report", tmp_path / "made")[0] == 0
    assert {path.suffix for path in (tmp_path / "made" / "figures").iterdir()} == {".svg"}


def test_the_same_ledger_gives_the_same_bytes(elsewhere):
    folder, _ = elsewhere
    first = files(folder)
    report.write(folder)
    assert files(folder) == first


def test_raw_values_stand_in_the_csv(ledger, scores, reported):
    reported(ledger.folder)
    for number, row in enumerate(rows(ledger.folder, "accuracy-test")):
        assert row["name"] == f"t{number}, max_len 8"
        assert math.isclose(float(row["mean"]), scores[number].mean())
        assert float(row["ci_low"]) < float(row["mean"]) < float(row["ci_high"])
        np.testing.assert_allclose(np.array(row["by_seed"].split(), float), scores[number].mean(axis=1))
        assert 0 < float(row["p_above_ceiling"]) <= 1
    contrasts = rows(ledger.folder, "contrasts-test")
    assert [row["verdict"] for row in contrasts][1] == "better"
    assert math.isclose(float(contrasts[1]["delta"]), scores[2].mean() - scores[0].mean())
    assert 0 < float(contrasts[1]["p"]) < 1e-3
    affected = rows(ledger.folder, "affected-test")[1]
    delta = scores[2, :, 1:].mean() - scores[0, :, 1:].mean()  # but for the first, which none cuts
    assert math.isclose(float(affected["delta"]), delta)
    assert float(affected["ci_low"]) < delta < float(affected["ci_high"])
    assert (affected["pairs"], float(affected["share"])) == ("59", 59 / 60)
    assert math.isclose(float(affected["baseline_mean"]), scores[0, :, 1:].mean())
    assert {row["split"] for row in rows(ledger.folder, "audit")} == {"train", "validation", "test"}
    assert float(rows(ledger.folder, "throughput")[0]["examples_per_second"]) == 100.0


def test_what_came_out_stands_first_and_p_is_never_0(ledger, reported):
    written = reported(ledger.folder)
    page = written.path.read_text()
    assert re.match(
        r"t2, max_len 8 is better than t0, max_len 8 by 5\d\.\d\d points \(\+", written.summary[1]
    )
    assert re.match(r"Of all contrasts: 1 better, 1 \w+\.", written.summary[2])
    assert "< 0.0001" in page
    assert not re.search(r"\| (0\.0+|0|0e\S+) +\|[^|]*\|[^|]*\| (better|worse)", page)
    assert "YES (p < 0.0001)" in page  # 97 % where the ceiling is 50 %
    assert "excluded: max_len 4: nothing is left" in page
    assert ", 1 left out" in page
    assert "at 95 %" in page
    assert "within 1.00 points either way" in page
    assert "Missing" not in page


@pytest.mark.parametrize(
    ("of", "shown"),
    [
        (lambda scores: scores, False),
        (lambda scores: scores[:2] & (np.arange(60) % 2 == 0), True),
        (np.ones_like, False),
        (lambda scores: scores[:, :1], False),
    ],
    ids=["good", "bad", "perfect", "one seed"],
)
def test_no_better_than_the_label_prior_baseline_is_said(tmp_path, handmade, scores, unsaved, of, shown):
    [test] = analyse(handmade.write(tmp_path, {"test": of(scores)})).tests
    parts = [part for part in score_section(test, unsaved(tmp_path)).blocks if isinstance(part, str)]
    [sentence] = [part for part in parts if part.startswith("Label-prior")]
    said, _, worse = sentence.partition("%. ")
    assert said.startswith("Label-prior baseline (ignores the text): 33.33")
    assert worse == (
        "**No variant is shown to do better (one-sided t tests, Holm over the variants).**" if shown else ""
    )


def test_how_long_rows_are(tmp_path, handmade, scores, reported):
    row = LengthSummary(pairs=90, mean=11.26, median=10.0, p90=17.0, p99=24.5, longest=1046)
    lengths = {"train": row, "validation": replace(row, longest=1047)}
    handmade.write(tmp_path, {"test": scores}, lengths=lengths)
    head = reported(tmp_path).path.read_text().split("## How long the rows are", 1)[1].split("\n## ")[0]
    assert "the longest row has 1,047 (validation)" in head
    [line] = [line for line in head.splitlines() if line.startswith("| train ")]
    assert line.split()[1:-1:2] == ["train", "90", "11.3", "10", "17", "24.5", "1,046"]
    assert [row["longest"] for row in rows(tmp_path, "lengths")] == ["1046", "1047"]


def test_what_is_missing_is_said_before_any_figure(tmp_path, handmade, scores, reported):
    ledger = handmade.write(tmp_path, {"test": scores}, missing=[(0, 3)], failed=[(1, 0)])
    page = reported(tmp_path, curves=True).path.read_text()
    head, figures = page.split("## Accuracy", 1)
    assert "**Missing: 2 of 12 trials.**" in head
    assert "Each mean is over the seeds that its variant has finished" in head
    assert "* failed: t1, max_len 8, seed 0: the loss became nan; lower learning_rate, or set clip" in head
    assert "* not run: t0, max_len 8, seed 3" in head
    assert "2 to 3 seeds, by contrast; 60 examples" in figures
    assert "Two seeds are exploratory." in figures
    assert [row["seeds"] for row in rows(tmp_path, "accuracy-test")] == ["0 1 2", "1 2 3", "0 1 2 3"]
    first, second, _ = [line for line in figures.splitlines() if line.startswith("| t")][:3]
    assert first.split("|")[5].split()[3] == "-"
    assert second.split("|")[5].split()[0] == "-"
    assert ledger.trial("trial-0-3").result is None


def test_nothing_finished_still_says_what_is_cut(tmp_path, handmade, scores, reported):
    every = [(variant, seed) for variant in range(3) for seed in range(4)]
    handmade.write(tmp_path, {"test": scores}, missing=every)
    written = reported(tmp_path)
    page = written.path.read_text()
    assert written.summary == []
    assert "**Missing: 12 of 12 trials.**" in page
    assert "## What is cut" in page


def test_one_seed_one_variant_one_test_of_two(tmp_path, handmade, scores, reported):
    one = scores[:1, :1]
    handmade.write(tmp_path, {"one": one, "two": one[..., :20]})
    written = reported(tmp_path, curves=True)
    assert written.summary[0].startswith("one: Nothing to choose: the best mean is that of t0, max_len 8, ")
    assert {"accuracy-one.csv", "accuracy-two.csv"} <= {p.name for p in (tmp_path / "tables").iterdir()}
    assert "| none: one seed or cluster" in written.path.read_text()  # no interval from one seed


def test_one_seed_permits_no_claim(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path, {"test": scores[:, :1]})
    assert "One seed permits no claim about strategies." in reported(tmp_path).path.read_text()


def test_identical_inputs_are_named(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path, {"test": scores}, same=[0, 0, 2], exploratory=True)
    page = reported(tmp_path).path.read_text()
    assert "identical" in page
    assert "Benjamini-Hochberg" in page
    assert [row["same_as"] for row in rows(tmp_path, "accuracy-test")] == ["", "t0, max_len 8", ""]


def test_a_constant_variant(tmp_path, handmade, scores, reported):
    constant = scores.copy()
    constant[0], constant[1] = True, False
    handmade.write(tmp_path, {"test": constant}, ceilings=[0.9, 1.0, 1.0])
    page = reported(tmp_path, curves=True).path.read_text().split("## Accuracy")[1]
    always, never, _ = [line for line in page.splitlines() if line.startswith("| t")][:3]
    for line, mean in ((always, "100.00"), (never, "0.00")):
        assert [cell.strip() for cell in line.split("|")[2:4]] == [mean, "no variation"]
    lost = next(line for line in page.splitlines() if line.startswith("| t1, max_len 8 | t0, max_len 8 |"))
    cells = [cell.strip() for cell in lost.split("|")[3:8]]
    assert cells == ["-100.00", "no variation", "", "", "inconclusive"]


def test_more_variants_than_there_are_colours_and_markers(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path, {"test": np.tile(scores[:, :2], (5, 1, 1))})
    reported(tmp_path, curves=True)
    assert len(rows(tmp_path, "contrasts-test")) == 14


def test_letters_of_any_script(tmp_path, handmade, scores, reported):
    ledger = handmade.write(tmp_path, {"test": scores})
    study = ledger.study.model_copy(update={"question": "Schneidet man besser vorn — oder 後ろ?"})
    ledger.write_study(study, {"test": ledger.evaluated("test")})
    page = reported(tmp_path).path.read_bytes().decode("utf-8")
    assert "besser vorn — oder 後ろ?" in page


def said(folder):
    with pytest.raises(InputError) as caught:
        report.write(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_without_results(tmp_path):
    sentence = "holds no results; name the folder of a study that was run"
    assert said(tmp_path) == f"{tmp_path}: {sentence}"
    assert said(tmp_path / "nowhere") == f"{tmp_path / 'nowhere'}: {sentence}"


def test_a_folder_that_cannot_be_written(ledger):
    (ledger.folder / "tables").touch()  # a file where a folder should be stands for a disk that refuses
    sentence = said(ledger.folder)
    assert sentence.startswith(f"{ledger.folder}: the report cannot be written (")
    assert sentence.endswith("fix permissions, or copy the folder and report on the copy")


def test_tables_and_figures_of_an_earlier_report_are_removed(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path, {"test": scores})
    reported(tmp_path)
    stale = tmp_path / "tables" / "accuracy-renamed.csv"
    stale.write_text("old")
    reported(tmp_path)
    assert not stale.exists()
    assert (tmp_path / "tables" / "accuracy-test.csv").exists()


@pytest.fixture
def cross():
    """Whether each of three models is right on each variant's inputs; the first loses most on the third."""
    rates = np.array([[0.9, 0.8, 0.2], [0.5, 0.5, 0.5], [0.9, 0.9, 0.9]])[..., None, None]
    return np.random.default_rng(2).random((3, 3, 4, 60)) < rates


def own(cross):
    return {"test": np.stack([cross[model, model] for model in range(len(cross))])}


def test_pairs_that_are_cut_differently_have_a_table_of_their_own(ledger, reported):
    page = reported(ledger.folder).path.read_text()
    assert "### On the rows that are cut differently" in page
    assert "| 59 (98.3 %) " in page
    assert "Secondary: retrained models differ on the other rows too" in page
    assert "affected_delta" not in (ledger.folder / "tables" / "contrasts-test.csv").read_text()
    assert "Trained with x" not in page


def test_trained_with_x_evaluated_with(tmp_path, handmade, cross, reported):
    handmade.write(tmp_path, own(cross), cross={"test": cross})
    written = reported(tmp_path)
    page = written.path.read_text()
    section = page.split("### Trained with x evaluated with")[1].split("\n## ")[0]
    head, _, first, *_ = [line for line in section.splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        "trained with",
        *(f"t{n}, max_len 8" for n in range(3)),
    ]
    means = [f"{100 * mean:.2f}" for mean in cross[0].mean(axis=(1, 2))]
    assert [cell.strip() for cell in first.split("|")[2:-1]] == [f"[{means[0]}]", *means[1:]]
    assert "Means over seeds 0, 1, 2, 3." in section
    assert "Missing" not in page
    costs = {(m, i): cross[m, i].mean() - cross[i, i].mean() for m in range(3) for i in range(3) if m != i}
    (model, inputs), cost = min(costs.items(), key=lambda item: item[1])
    assert written.summary[-1].startswith(
        f"Most costly mismatch (secondary): trained with t{model}, max_len 8 and evaluated with t{inputs}, "
        f"max_len 8, {100 * cross[model, inputs].mean():.2f} %, {100 * cost:+.2f} points ("
    )
    raw = rows(tmp_path, "mismatches-test")
    assert [float(row["matched_delta"]) for row in raw] == pytest.approx(list(costs.values()))
    assert math.isclose(float(raw[1]["delta"]), cross[0, 2].mean() - cross[0, 0].mean())
    matrix = rows(tmp_path, "cross-test")
    found = [[float(row[f"inputs_{column}"]) for column in (1, 2, 3)] for row in matrix]
    np.testing.assert_allclose(found, cross.mean(axis=(2, 3)))
    for name in ("cross-test", "mismatches-test"):
        assert (tmp_path / "tables" / f"{name}.md").read_text().strip() in page
        assert r"\begin{tabular}" in (tmp_path / "tables" / f"{name}.tex").read_text()


def test_many_inputs_are_numbered(tmp_path, handmade, cross, reported):
    many = np.tile(cross, (2, 2, 1, 1))
    handmade.write(tmp_path, own(many), cross={"test": many}, same=[0, 1, 2, 3, 4, 1])
    page = reported(tmp_path).path.read_text()
    assert re.search(r"\| trained with +\| own +\| 1 +\| 2 +\| 3 +\| 4 +\| 5 +\|", page)
    assert "\n1. t0, max_len 8\n2. t1, max_len 8 = t5, max_len 8\n3. t2, max_len 8\n" in page
    assert [row["own_number"] for row in rows(tmp_path, "cross-test")] == ["1", "2", "3", "4", "5"]


def test_a_mismatch_that_costs_nothing(tmp_path, handmade, cross, reported):
    same = np.broadcast_to(cross[2, 2], cross.shape)
    handmade.write(tmp_path, own(same), cross={"test": same})
    written = reported(tmp_path)
    words = "No model was found to do worse than one trained for the cut that it is given (secondary); "
    assert written.summary[-1].startswith(words)
    assert written.summary[-1].endswith("the intervals reach +0.00 points.")


def test_mismatches_without_a_model_to_compare_with_claim_nothing(tmp_path, handmade, cross, reported):
    two, uncrossed = cross[:2, :2], [(1, seed) for seed in range(4)]
    handmade.write(tmp_path, own(two), cross={"test": two}, uncrossed=uncrossed)
    written = reported(tmp_path)
    assert "### Trained with x evaluated with" in written.path.read_text()
    assert "model" not in "".join(written.summary)


def test_cross_evaluations_that_are_missing_are_said_first(tmp_path, handmade, cross, reported):
    options = {"cross": {"test": cross}, "uncrossed": [(1, 0)]}
    ledger = handmade.write(tmp_path, own(cross), **options)
    ledger.trial("trial-1-0").crossed.fail("it was too hot")
    section = reported(tmp_path).path.read_text().split("### Trained with x evaluated with")[1]
    assert section.startswith("\n\n**Missing: 1 of the cross evaluations, one per model and seed.**")
    assert (
        "seeds that all others have: 1, 2, 3.\n\n* failed: t1, max_len 8, seed 0: it was too hot\n" in section
    )
    assert "Means over seeds 1, 2, 3." in section
    handmade.write(
        tmp_path / "none",
        own(cross),
        cross={"test": cross},
        uncrossed=[(m, s) for m in range(3) for s in range(4)],
    )
    written = reported(tmp_path / "none")
    assert "the figures are over the seeds that all others have: none." in written.path.read_text()
    assert not (tmp_path / "none" / "tables" / "cross-test.csv").exists()
    assert "mismatch" not in "".join(written.summary)


def test_cross_evaluation_without_a_common_seed_says_so(tmp_path, handmade, cross, reported):
    missing = [(0, 0), (0, 1), (1, 2), (1, 3)]
    handmade.write(tmp_path, own(cross), cross={"test": cross}, missing=missing)
    section = reported(tmp_path).path.read_text().split("### Trained with x evaluated with")[1]
    assert section.startswith("\n\nNo seed is finished by every variant, so there is nothing to show.\n")
