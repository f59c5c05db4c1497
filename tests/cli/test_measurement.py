"""``trimtab bench`` as a person meets it: what it prints, and one line for each mistake."""

import json
from pathlib import Path

import pytest

from trimtab.training.bench import Effort

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def study(own_environment, monkeypatch, at_home, tiny):
    """A study of a smaller model with cross evaluation, and little patience for measurements."""
    monkeypatch.setattr("trimtab.run.bench.WAIT", Effort(enough=0.05, patience=1.0))
    text = tiny("2x32/64/2", "1x16/32/2", 'precision = "fp32"\n', "", "[12, 40]", "[12]")
    Path("study.toml").write_text(text + "[compare]\ncross = true\n")


def test_sizes(trimtab):
    words = ["--size", "1x16/32/2", "--lengths", "9,5.5", "--vocabulary", "300", "--batch-size", "8"]
    words += ["--device", "cpu", "--jobs", "1", "--json", "figures.json"]
    code, lines, complained = trimtab("bench", *words)
    assert (code, complained) == (0, [])
    assert lines[0] == (
        "Synthetic rows of 9 + 5.5 tokens (means), max_len 128, vocabulary 300, batches of 8."
    )
    assert [line.split()[:2] for line in lines if line.startswith("1x16")] == [
        ["1x16/32/2", "fp32"],
        ["1x16/32/2", "bf16"],
    ]
    assert lines[-1].startswith("measured on: ")
    assert ", torch " in lines[-1]
    kept = json.loads(Path("figures.json").read_text())
    assert [row["precision"] for row in kept["rows"]] == ["fp32", "bf16"]
    assert all(row["examples_per_second"] > 0 for row in kept["rows"])
    assert (kept["processes"], kept["study"]) == (1, None)
    assert kept["signature"]["commit"]


def test_a_study_and_nothing_is_written(trimtab):
    code, lines, complained = trimtab(
        "bench", "study.toml", "--device", "cpu", "--jobs", "1", "--json", "figures.json"
    )
    assert (code, complained) == (0, [])
    assert lines[0] == "Does it matter?"
    assert len([line for line in lines if line.startswith("1x16/32/2, gelu, batch 32")]) == 2
    assert len([line for line in lines if line.startswith(("longest_first", "ratio"))]) == 2
    assert lines[-1].startswith("4 trials in the whole study, ")
    assert lines[-1].endswith(
        "under a minute of training and evaluation here; cross evaluations are not counted"
    )
    assert json.loads(Path("figures.json").read_text())["study"]["trials"] == [2, 2]
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--size", "smal"],
            "--size: size 'smal' is unknown (did you mean 'small'?); or write numbers: 2x256/512/4",
        ),
        (["--size", "0x256"], "--size: size '0x256': its numbers must be 1 or more, as in 2x256/512/4"),
        (["--size", "2x0"], "--size: size '2x0': its numbers must be 1 or more, as in 2x256/512/4"),
        (["--size", "2x256/0"], "--size: size '2x256/0': its numbers must be 1 or more, as in 2x256/512/4"),
        (
            ["--size", "2x100/200/3"],
            "--size: size 2x100/200/3: hidden must be divisible by heads (3)",
        ),
        (["--max-len", "3"], "--max-len: max_len 3 leaves no room beside the special tokens; use 4 or more"),
        (
            ["--max-len", "-3"],
            "--max-len: max_len -3 leaves no room beside the special tokens; use 4 or more",
        ),
        (
            ["--max-len", "2", "--lengths", "9"],
            "--max-len: max_len 2 leaves no room beside the special tokens; use 3 or more",
        ),
        (
            ["nowhere.toml"],
            "nowhere.toml: there is no such study file; name one, such as studies/quickstart.toml",
        ),
        (
            ["study.toml", "--size", "tiny"],
            "--size: does not apply to a study; study.toml sets its own; leave it out",
        ),
        (
            ["study.toml", "--max-len", "9"],
            "--max-len: does not apply to a study; study.toml sets its own; leave it out",
        ),
        (
            ["--data", "."],
            "--data: applies only to a study; name one, such as studies/quickstart.toml, or leave it out",
        ),
        (
            ["--json", "nowhere/figures.json"],
            "--json: nowhere/figures.json cannot be written (No such file or directory); name another file",
        ),
    ],
)
def test_a_wrong_input(wrong, words, sentence):
    assert wrong("bench", *words) == sentence


@pytest.mark.parametrize("lengths", ["many", "15,", "15,8,3", "-15,8", "0,8", "nan", "inf,8", "1e9", ""])
def test_wrong_lengths(wrong, lengths):
    assert wrong("bench", f"--lengths={lengths}") == (
        f"--lengths: {lengths!r} is wrong; give the mean tokens of one or two texts, as in 15,8, each above "
        "0 and at most 1,048,576"
    )


@pytest.mark.parametrize("option", ["--batch-size", "--vocabulary", "--jobs"])
def test_wrong_numbers(wrong, option):
    for value in ("0", "-1", "some"):
        assert wrong("bench", f"{option}={value}").startswith(f"Invalid value for '{option}'")
