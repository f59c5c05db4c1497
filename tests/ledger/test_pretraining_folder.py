"""The folder of a pretraining: typed records that survive a kill, and committed ones that still parse."""

import json
from pathlib import Path

import pytest

from trimtab.config import InputError
from trimtab.ledger.pretraining_folder import PretrainingFolder
from trimtab.ledger.pretraining_records import StretchRecord, ValidationRecord

RESULTS = Path(__file__).parents[2] / "results"
COMMITTED = sorted(path.parent for path in RESULTS.glob("*/pretraining.json"))


def stretch(step, **more):
    losses = {"masked_words": 5.0, "next_sentence": 0.7}
    running = {f"running_{name}": value for name, value in losses.items()}
    sums = {"learning_rate": 0.1, "pairs_per_second": 100.0, "pairs": 64.0 * step, "seconds": 2.0 * step}
    return StretchRecord(kind="training", step=step, epoch=1, **losses, **running, **sums, **more)


def validation(step):
    losses = {"masked_words": 5.5, "masked_words_padded": 4.0, "next_sentence": 0.69}
    shares = {"masked_words_accuracy": 0.1, "next_sentence_accuracy": 0.5}
    return ValidationRecord(kind="validation", step=step, epoch=1, **losses, **shares)


@pytest.fixture
def begun():
    """The record of a committed pretraining, which stands for any."""
    return PretrainingFolder(COMMITTED[0]).begun


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_committed_results_are_records(path):
    folder = PretrainingFolder(path)
    assert folder.begun.name == path.name
    assert folder.result.training == folder.stretches()[-1]
    assert folder.result.validation == folder.validations()[-1]
    assert folder.result.steps == folder.result.training.step


def test_what_is_written_is_read_and_unknown_values_are_left_out(tmp_path, begun):
    folder = PretrainingFolder(tmp_path)
    folder.begin(begun, 0)
    records = [stretch(1), stretch(2, masked_words_padded=3.0), validation(2)]
    for record in records:
        folder.add(record)
    assert (folder.begun, folder.result) == (begun, None)
    assert [*folder.stretches(), *folder.validations()] == records
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert "masked_words_padded" not in lines[0]
    assert lines[1]["masked_words_padded"] == 3.0
    folder.checkpoint.touch()
    folder.finish()
    assert (folder.result.steps, folder.result.validation) == (2, validation(2))
    assert not folder.checkpoint.exists()


def test_resuming_removes_the_records_after_the_checkpoint_and_a_line_cut_short(tmp_path, begun):
    folder = PretrainingFolder(tmp_path)
    folder.begin(begun, 0)
    for step in (1, 2, 3):
        folder.add(stretch(step))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "tr')  # as a kill in the middle of a line leaves it
    assert [record.step for record in folder.stretches()] == [1, 2, 3]
    folder.begin(begun, 2)
    folder.add(stretch(3))
    assert [record.step for record in folder.stretches()] == [1, 2, 3]


def test_another_training_is_refused_by_the_setting_that_differs(tmp_path, begun):
    folder = PretrainingFolder(tmp_path)
    folder.begin(begun, 0)
    other = begun.asked.model_copy(update={"max_len": 20})
    folder.check(other)  # nothing came of it yet
    folder.checkpoint.touch()
    folder.check(begun.asked)
    with pytest.raises(InputError) as caught:
        folder.check(other)
    assert str(caught.value) == (
        f"{tmp_path}: holds a training with a different max_len; delete it, or choose another folder with "
        "--out DIR"
    )


def test_damaged_records_are_named(tmp_path, begun):
    folder = PretrainingFolder(tmp_path)
    folder.begin(begun, 0)
    (tmp_path / "metrics.jsonl").write_text('{"kind": "training", "step": 1}\n')
    with pytest.raises(InputError) as caught:
        folder.stretches()
    path = tmp_path / "metrics.jsonl"
    assert str(caught.value) == (
        f"{path}: cannot be read (training.epoch: Field required); delete {path} and run the study again"
    )
