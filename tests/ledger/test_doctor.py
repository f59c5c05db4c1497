"""The command doctor: what it finds, what it removes, and what it leaves alone."""

import json
import os

import numpy as np
import pytest

from trimtab.ledger.claims import CLAIMS
from trimtab.ledger.compact import compact


@pytest.fixture
def folder(tmp_path, handmade):
    right = np.random.default_rng(0).random((2, 2, 6)) < 0.7
    return handmade.write(tmp_path / "out", {"test": right}).folder


def test_a_whole_ledger(folder, trimtab):
    code, said, complained = trimtab("doctor", folder)
    assert (code, complained) == (0, [])
    assert said[0] == f"{folder}: the ledger of study 'made'"
    assert said[-1] == "whole: nothing is to be mended"


def test_left_over_files_are_removed_and_trials_stay(folder, trimtab):
    trial = folder / "trials" / "trial-0-0"
    (trial / "checkpoint.pt").touch()
    (folder / ".writing-abc.json").touch()
    (folder / CLAIMS).mkdir()
    gone = {"run": "a", "host": "elsewhere", "pid": 1, "since": 0.0}
    claim = folder / CLAIMS / "trial-0-1.json"
    claim.write_text(json.dumps(gone))

    os.utime(claim, (0, 0))
    assert trimtab("doctor", folder)[0] == 1
    code, said, _ = trimtab("doctor", folder, "--repair")
    assert code == 0
    assert {line for line in said if line.startswith("removed ")} == {
        "removed trials/trial-0-0/checkpoint.pt",
        "removed .writing-abc.json",
        "removed claims/trial-0-1.json",
    }
    assert sorted(path.name for path in trial.iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "predictions.npz",
        "result.json",
    ]


def test_records_of_epochs_cost_no_trial(folder, trimtab):
    path = folder / "trials" / "trial-0-0" / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    code, said, _ = trimtab("doctor", folder, "--repair")
    assert code == 1
    assert said[-1] == "nothing was removed: what is wrong needs a person"
    assert (path.parent / "result.json").exists()


def test_lost_records(folder, trimtab):
    (folder / "study.json").unlink()
    code, said, _ = trimtab("doctor", folder)
    assert code == 1
    assert any("study.json is gone; 4 finished trials are there" in line for line in said)


def test_a_compact_ledger(folder, trimtab, tmp_path):
    (tmp_path / "small").mkdir()
    archive = compact(folder).rename(tmp_path / "small" / "ledger.zip")
    assert trimtab("doctor", tmp_path / "small")[0] == 0
    content = bytearray(archive.read_bytes())
    content[len(content) // 3] ^= 1
    archive.write_bytes(content)
    code, _, _ = trimtab("doctor", tmp_path / "small")
    assert code == 1


def test_no_results(tmp_path, wrong):
    sentence = f"{tmp_path}: holds no results; name the folder of a study that was run"
    assert wrong("doctor", tmp_path) == sentence
