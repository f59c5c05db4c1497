"""The ledger's folder: whose it is, who may work in it, and in which order things are written."""

import json
import os
import shutil

import numpy as np
import pytest

from trial_records import config, epoch, result
from trimtab.atomic import atomic_write, write_json
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.ledger.ledger import SCHEMA
from trimtab.ledger.trial import Trial


def said(call, *arguments):
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "deep" / "out")
    made.begin("mine")
    return made


def test_a_claim_makes_the_folder_and_can_be_made_again(ledger):
    assert json.loads((ledger.folder / "ledger.json").read_text()) == {"study": "mine", "schema": SCHEMA}
    ledger.begin("mine")
    ledger.check("mine")


def test_checking_writes_nothing(tmp_path):
    Ledger(tmp_path / "new").check("mine")
    assert not (tmp_path / "new").exists()


def test_another_studys_folder(ledger):
    mend = "choose another folder with --out DIR for 'other'"
    sentence = f"{ledger.folder}: holds the results of study 'mine'; {mend}"
    assert said(ledger.check, "other") == sentence
    assert said(ledger.begin, "other") == sentence


def test_another_schemas_folder(ledger):
    write_json(ledger.folder / "ledger.json", {"study": "mine", "schema": SCHEMA + 1})
    assert said(ledger.begin, "mine") == (
        f"{ledger.folder}: was written by another version of trimtab (its ledger schema is {SCHEMA + 1}, "
        f"this version's {SCHEMA}); choose another folder with --out DIR"
    )


OLDER = {"study": "study", "schema": 1}


def test_an_older_ledger_is_refused_by_name_by_every_command(tmp_path, tiny, study_at, capsys):
    study = study_at(tmp_path, tiny())
    out = tmp_path / "older"
    out.mkdir()
    write_json(out / "ledger.json", OLDER)
    write_json(out / "study.json", {"name": "study", "variants": []})
    (out / "pretrained").mkdir()
    write_json(out / "pretrained" / "ledger.json", OLDER)
    write_json(out / "pretrained" / "pretraining.json", {"name": "study"})
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    for words in (
        ["run", study.path, "--out", out, "--device", "cpu"],
        ["plan", study.path, "--out", out, "--device", "cpu"],
        ["report", out],
        ["report", out / "pretrained"],
        ["export", out, "0", tmp_path / "model"],
    ):
        assert main([str(word) for word in words]) == 2
        said, complained = capsys.readouterr()
        folder = words[1] if words[0] in ("report", "export") else out
        assert said == ""
        assert complained == (
            f"trimtab: {folder}: was written by another version of trimtab (its ledger schema is 1, this "
            f"version's {SCHEMA}); choose another folder with --out DIR\n"
        )
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == before


def test_a_folder_with_files_of_someone_elses(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    assert said(Ledger(tmp_path).begin, "mine") == (
        f"{tmp_path}: holds files but no ledger; choose an empty folder with --out DIR"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_killed_process_left_is_not_someone_elses(tmp_path):
    (tmp_path / ".writing-abc.json").write_text("{")
    (tmp_path / "claims").mkdir()
    (tmp_path / "runs").mkdir()
    Ledger(tmp_path).begin("mine")
    assert (tmp_path / "ledger.json").is_file()


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "out"
    assert said(Ledger(folder).begin, "mine") == (
        f"{folder}: cannot be written (Not a directory); choose another folder with --out DIR"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_leave_to_write(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    sentence = (
        f"{closed / 'out'}: cannot be written (Permission denied); choose another folder with --out DIR"
    )
    assert said(Ledger(closed / "out").begin, "mine") == sentence


@pytest.mark.parametrize("text", ["{", "", "[]", "\xff"])
def test_damaged_json_is_named(ledger, text):
    path = ledger.folder / "ledger.json"
    path.write_text(text, encoding="latin-1")
    sentence = said(ledger.check, "mine")
    assert sentence.startswith(f"{path}: cannot be read (")
    assert sentence.endswith(f"; delete {path} and run the study again")


def test_a_damaged_result_says_that_a_run_mends_it(ledger):
    trial = ledger.trial("abc")
    trial.begin(config())
    (trial.folder / "result.json").write_text('{"tests": ')
    with pytest.raises(InputError, match=r"result.json: .*; run the study again, which trains this trial"):
        _ = trial.result


def test_an_empty_folder_holds_no_results(tmp_path):
    sentence = f"{tmp_path}: holds no results; name the folder of a study that was run"
    assert said(lambda: Ledger(tmp_path).study) == sentence
    assert said(Ledger(tmp_path).frame) == sentence


@pytest.mark.integration
def test_a_deleted_ledger_json_is_written_again_for_its_own_study_alone(ran, tmp_path):
    study, outcome = ran
    ledger = Ledger(shutil.copytree(outcome.folder, tmp_path / "copy"))
    (ledger.folder / "ledger.json").unlink()
    assert said(lambda: ledger.begin("other")).startswith(f"{ledger.folder}: holds the results of study")
    ledger.begin(study.name)
    assert (ledger.folder / "ledger.json").is_file()


def test_the_life_of_a_trial(ledger):
    trial = ledger.trial("abc")
    assert (trial.result, trial.failure) == (None, None)
    trial.begin(config(1))
    trial.write_epochs([epoch(1)])
    trial.fail("it was too hot", "Traceback ...")
    assert trial.failure == "it was too hot"
    trial.begin(config(1))  # another attempt starts from nothing
    assert trial.failure is None
    assert not (trial.folder / "metrics.jsonl").exists()
    trial.write_epochs([epoch(1)])
    trial.write_epochs([epoch(1), epoch(2)])
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    trial.finish(result(), {"test": logits})
    assert trial.result is not None
    assert trial.result.model_copy(update={"key": "", "files": {}}) == result()
    assert set(trial.result.files) == {"config.json", "metrics.jsonl", "predictions.npz"}
    assert trial.config == config(1)
    assert trial.epochs() == [epoch(1), epoch(2)]
    np.testing.assert_array_equal(trial.predictions("test"), logits)
    names = {path.name for path in trial.folder.iterdir()}
    assert names == {"config.json", "metrics.jsonl", "predictions.npz", "result.json"}


def test_without_predictions_there_is_no_result(ledger):
    trial = ledger.trial("abc")
    trial.begin(config())
    with pytest.raises(ValueError, match="Object arrays"):
        trial.finish(result(), {"test": np.array([None])})
    assert trial.result is None
    assert {path.name for path in trial.folder.iterdir()} == {"config.json"}


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip"])
def test_damaged_predictions_are_named(ledger, damage):
    trial = ledger.trial("abc")
    trial.begin(config())
    trial.finish(result(), {"test": np.zeros((2, 3), np.float32)})
    path = trial.folder / "predictions.npz"
    path.write_bytes(damage)
    assert said(trial.predictions, "test").startswith(f"{path}: cannot be read (")
    path.unlink()
    assert said(trial.predictions, "test") == (
        f"{path}: cannot be read (No such file or directory); run the study again, which trains this trial "
        "again"
    )
    (trial.folder / "metrics.jsonl").write_text('{"epoch": 1}\n')
    assert "metrics.jsonl: cannot be read (loss: Field required); delete" in said(trial.epochs)


def test_predictions_that_are_not_finite_are_refused(ledger):
    trial = ledger.trial("abc")
    trial.begin(config())
    trial.finish(result(), {"test": np.array([[0, 0], [0, np.nan]], np.float32)})
    assert "predictions.npz: cannot be read (its logits of example 1 are nan" in said(
        trial.predictions, "test"
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"seconds": None}, "seconds: Input should be a valid number"),
        ({"tset": {}}, "tset: Extra inputs are not permitted"),
        ({"tests": {"test": {"loss": 1.0}}}, "tests.test.accuracy: Field required"),
    ],
)
def test_a_record_with_a_wrong_field_is_named(ledger, change, fault):
    trial = ledger.trial("abc")
    trial.begin(config())
    trial.finish(result(), {"test": np.zeros((2, 3), np.float32)})
    path = trial.folder / "result.json"
    write_json(path, json.loads(path.read_text().replace(' "digest"', ' "key"', 1)) | change)
    assert said(lambda: trial.result) == (
        f"{path}: cannot be read ({fault}); run the study again, which trains this trial again"
    )


def test_writing_aside_leaves_nothing_behind_when_it_fails(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fail():
        with atomic_write(path) as aside:
            aside.write_text("half of the n")
            raise RuntimeError("the disk is on fire")

    with pytest.raises(RuntimeError):
        fail()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("result.json", "old")]
    with atomic_write(path) as aside:
        assert aside.parent == tmp_path
        aside.write_text("new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("result.json", "new")]


def test_the_frame_has_a_row_a_variant_and_seed(tmp_path, handmade):
    scores = np.zeros((3, 2, 4))
    scores[0, 1] = 1
    ledger = handmade.write(tmp_path, {"test": scores}, missing=[(1, 0)], failed=[(1, 1)], same=[0, 1, 0])
    frame = ledger.frame()
    assert list(frame["variant"]) == [0, 0, 1, 1, 2, 2]
    assert list(frame["seed"]) == [0, 1, 0, 1, 0, 1]
    assert list(frame["truncation"]) == ["t0", "t0", "t1", "t1", "t2", "t2"]
    assert list(frame["status"]) == ["done", "done", "missing", "failed", "done", "done"]
    assert list(frame["key"].iloc[:2]) == list(frame["key"].iloc[4:])  # shared trials
    assert frame["tests.test.accuracy"].tolist()[:2] == [0.0, 1.0]
    assert frame["tests.test.accuracy"].iloc[2:4].isna().all()
    assert {"name", "max_len", "examples_per_second", "tokens_per_second", "peak_bytes"} <= set(frame.columns)


def test_a_trial_elsewhere_is_only_a_folder(tmp_path):
    assert Trial(tmp_path / "nowhere").result is None
