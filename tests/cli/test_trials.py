"""``trimtab run``, ``plan`` and ``report``."""

import os
import re
import shutil
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.integration


@pytest.fixture
def results(ran, tmp_path):
    """The tiny study's finished ledger, copied to where the study in this folder has its own."""
    return shutil.copytree(ran[1].folder, tmp_path / "results" / "study")


def trials(folder):
    return {path: path.read_bytes() for path in folder.glob("trials/*/*")}


# What works.


@pytest.mark.usefixtures("unsaved_figures")
def test_another_score_on_finished_trials_trains_nothing(results, tiny, trimtab):
    before = trials(results)
    assert len(before) > 6
    Path("study.toml").write_text(tiny() + '[compare]\nscore = "matthews"\nmargin = 0.05\n')
    code, said, complained = trimtab("run", "study.toml", "--device", "cpu")
    assert (code, complained) == (0, [])
    assert (said[0], said[-1]) == ("0 trials done now, 6 before", "results/study/report.html")
    page = (results / "report.html").read_bytes()
    assert b"Matthews correlation on test" in page
    assert (results / "tables" / "matthews-test.csv").exists()
    assert not (results / "tables" / "accuracy-test.csv").exists()
    assert trials(results) == before
    _, plan, _ = trimtab("plan", "study.toml")
    assert any("Matthews correlation" in line for line in plan)
    # The report needs the ledger alone, wherever it lies.
    elsewhere = results.rename("elsewhere")
    (elsewhere / "report.html").unlink()
    shutil.rmtree(elsewhere / "tables")
    assert trimtab("report", elsewhere) == (0, [*said[1:-1], "elsewhere/report.html"], [])
    assert (elsewhere / "report.html").read_bytes() == page
    assert (elsewhere / "tables" / "matthews-test.csv").exists()


def test_plan_of_what_was_run(ran, trimtab):
    code, said, complained = trimtab("plan", "study.toml", "--out", ran[1].folder)
    assert (code, complained) == (0, [])
    text = "\n".join(said)
    assert said[0] == "Does it matter?"
    assert "0 left, 2 done" in text
    assert "ceiling of test %" in text
    assert "4 contrasts, 3 of them tested" in text
    assert said[-1] == "no trials are left to run"


def test_plan_of_what_was_not_run_trains_nothing(trimtab):
    code, said, complained = trimtab("plan", "study.toml", "--device", "cpu")
    assert (code, complained) == (
        0,
        ["measuring training steps, at most 20 s (--no-time leaves that out)"],
    )
    [line] = [line for line in said if line.startswith("ratio, max_len 40")]
    assert line.endswith("longest_first, max_len 40")
    left, one, source = said[-3:]
    assert left.startswith("6 trials left, ")
    assert left.endswith(": under a minute of training here")
    assert re.fullmatch(r"one trial: [\d.]+ s \(.*, max_len 12\) to [\d.]+ s \(.*, max_len 40\)", one)
    assert re.fullmatch(r"extrapolated from \d+ training steps, measured in \d+ s", source)
    assert not Path("results").exists()


def test_plan_without_an_estimate_of_time(trimtab):
    code, said, complained = trimtab("plan", "study.toml", "--no-time")
    assert (code, complained) == (0, [])
    assert said[-1] == "6 trials left"


# What does not.


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs", "epohcs", "study.toml: [base]: unknown key 'epohcs'; did you mean 'epochs'?"),
        (
            '"ratio"',
            '"raito"',
            "study.toml: [grid]: truncation 'raito': no split is called 'raito'; did you mean 'ratio'?",
        ),
        (
            "epochs = 2",
            "epochs = true",
            "study.toml: [base]: epochs = True is wrong; it should be a whole number",
        ),
        (
            "[12, 40]",
            "[0]",
            "study.toml: max_len = 0 is wrong; it should have room for special tokens and a text",
        ),
        (
            "seeds = 2",
            "",
            "study.toml: [grid]: seeds is missing; say how many, such as seeds = 5, or list them",
        ),
        (
            "seeds = 2",
            'seeds = 2\n[compare]\nscore = "acuracy"',
            "study.toml: [compare]: score 'acuracy' is unknown: did you mean 'accuracy'?",
        ),
    ],
)
def test_a_wrong_study(wrong, tiny, old, new, sentence):
    Path("study.toml").write_text(tiny(old, new))
    assert wrong("run", "study.toml") == sentence
    assert not Path("results").exists()


@pytest.mark.parametrize("command", ["run", "plan"])
def test_another_studys_results(ran, tiny, wrong, command):
    Path("other.toml").write_text(tiny())
    folder = ran[1].folder
    assert wrong(command, "other.toml", "--out", folder) == (
        f"{folder}: holds the results of study 'study'; choose another folder with --out DIR for 'other'"
    )


@pytest.mark.parametrize(
    ("folder", "reason"), [("study.toml/out", "Not a directory"), ("study.toml", "File exists")]
)
def test_a_folder_that_cannot_be_made(wrong, folder, reason):
    assert wrong("run", "study.toml", "--out", folder) == (
        f"{folder}: cannot be written ({reason}); choose another folder with --out DIR"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_leave_to_write(wrong, tmp_path):
    tmp_path.chmod(0o500)
    try:
        sentence = wrong("run", "study.toml")
    finally:
        tmp_path.chmod(0o700)
    assert sentence == (
        "results/study: cannot be written (Permission denied); choose another folder with --out DIR"
    )


def test_a_report_on_nothing(wrong):
    assert wrong("report", "nowhere") == "nowhere: holds no results; name the folder of a study that was run"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none(wrong):
    said = wrong("run", "study.toml", "--device", "cuda")
    assert said.startswith("--device cuda: PyTorch finds no CUDA device here; leave --device out; ")
