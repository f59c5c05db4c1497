"""The loop of a pretraining: its course, its records, and going on after a kill as if there had been none."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from trimtab.config import InputError
from trimtab.data.masking import Masking
from trimtab.data.next_sentences import Sentences
from trimtab.data.tokenizer import SpecialTokens
from trimtab.model.sizes import architecture
from trimtab.ragged import Ragged, offsets_of
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.loop import DivergedError
from trimtab.training.pretraining import PretrainingTask
from trimtab.training.pretraining_loop import BatchSchedule, pretrain
from trimtab.training.recipe import Recipe

pytestmark = pytest.mark.integration

CPU, WORDS = torch.device("cpu"), 40
TASK = PretrainingTask(architecture("2x16/32/2", positions=32), WORDS, Masking(2, np.arange(5, WORDS)), 24)
RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=1e-3, clip=0.5)
TIMES = ("seconds", "pairs_per_second")
PATIENCE = 120


def sentences_of(seed, paragraphs=12):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, paragraphs)
    lengths = rng.integers(1, 12, counts.sum())
    tokens = Ragged(rng.integers(5, WORDS, lengths.sum()).astype(np.int32), offsets_of(lengths))
    return Sentences(tokens, offsets_of(counts), SpecialTokens(3, 4), 24)


def run(recipe=RECIPE, steps=None, seed=0, **options):
    """The trained weights, and the records without times."""
    records = []
    model = pretrain(
        TASK,
        recipe,
        seed,
        Backend(CPU, "fp32"),
        training=sentences_of(0),
        validation=sentences_of(1, 4),
        steps=steps,
        on_record=records.append,
        **options,
    )
    return model.state_dict(), [{k: v for k, v in each.items() if k not in TIMES} for each in records]


def test_a_schedule_has_every_pair_once_an_epoch_and_other_pairs_in_the_next():
    schedule = BatchSchedule(sentences_of(0), RECIPE, 0, None, CPU)
    batches = list(schedule.batches(0))
    assert [batch.step for batch in batches] == list(range(1, schedule.steps + 1))
    for epoch in (1, 2, 3):
        mine = [batch for batch in batches if batch.epoch == epoch]
        count = sentences_of(0).count(0, epoch)
        assert sorted(np.concatenate([batch.index for batch in mine])) == list(range(count))
        assert [batch.ends_epoch for batch in mine] == [False] * (len(mine) - 1) + [True]
    tokens = [next(p for p in batches if p.epoch == epoch).rows.pairs.fingerprint for epoch in (1, 2, 3)]
    assert len(set(tokens)) == 3


@pytest.mark.parametrize("taken", [0, 1, 6, 9])
def test_a_resumed_schedule_is_the_end_of_the_whole(taken):
    schedule = BatchSchedule(sentences_of(0), RECIPE, 3, 10, CPU)
    assert schedule.steps == 10
    whole, rest = list(schedule.batches(0)), list(schedule.batches(taken))
    assert len(rest) == 10 - taken
    for left, batch in zip(rest, whole[taken:], strict=True):
        assert (left.step, left.epoch, left.ends_epoch) == (batch.step, batch.epoch, batch.ends_epoch)
        assert np.array_equal(left.index, batch.index)
        assert schedule.masks(left).random() == schedule.masks(batch).random()
    draws = [schedule.masks(batch).random() for batch in whole]
    assert len(set(draws)) == 10  # new masks in every batch of every epoch


def test_records_are_means_of_stretches_and_of_the_whole():
    _, records = run(steps=7)
    training = [record for record in records if record["kind"] == "training"]
    assert [record["step"] for record in training] == [1, 2, 3, 4, 5, 6, 7]
    for key in ("masked_words", "masked_words_padded", "next_sentence"):
        losses = [record[key] for record in training]
        means = [record[f"running_{key}"] for record in training]
        assert means == pytest.approx(np.cumsum(losses) / np.arange(1, 8))
    validation = [record for record in records if record["kind"] == "validation"]
    assert validation[-1]["step"] == 7
    assert [r["epoch"] for r in validation] == list(range(1, validation[-1]["epoch"] + 1))


def test_a_seed_fixes_everything_and_another_changes_it():
    weights, records = run(steps=4)
    again, same = run(steps=4)
    assert records == same
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert run(steps=4, seed=1)[1] != records


def test_a_loss_that_is_not_finite_ends_it():
    with pytest.raises(DivergedError, match="the loss became nan; lower learning_rate"):
        run(replace(RECIPE, learning_rate=1e30, clip=0.0, warmup=0.0), steps=30)


# A process that pretrains as ``run`` does, with a checkpoint after each step, until it is killed.
PROGRAM = """
import importlib.util, json, sys, time
from pathlib import Path
spec = importlib.util.spec_from_file_location("loop", sys.argv[1])
loop = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loop)
from trimtab.training.checkpoint import Checkpoint
loop.torch.set_num_threads(1)
records = open(sys.argv[3], "a")
def note(record):
    print(json.dumps(record), file=records, flush=True)
    time.sleep(0.05)
loop.pretrain(loop.TASK, loop.RECIPE, 0, loop.Backend(loop.CPU, "fp32"), training=loop.sentences_of(0),
    validation=loop.sentences_of(1, 4), checkpoint=Checkpoint(Path(sys.argv[2]), 0.0), on_record=note)
"""


def test_killed_and_resumed_equals_uninterrupted_bit_for_bit(tmp_path):
    """A real process is killed by the system; what goes on from its file ends where one went that was not."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        path, noted = tmp_path / "checkpoint.pt", tmp_path / "records"
        noted.touch()
        command = [sys.executable, "-c", PROGRAM, __file__, str(path), str(noted)]
        process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
        ends = time.monotonic() + PATIENCE
        while noted.read_text().count('"training"') < 4:
            assert process.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        taken = []
        weights, records = run(checkpoint=Checkpoint(path, 3600.0), on_start=taken.append)
        expected, whole = run()
        steps = whole[-1]["step"]
        assert 3 <= taken[0] < steps
        assert records == [record for record in whole if record["step"] > taken[0]]
        before = [json.loads(line) for line in noted.read_text().splitlines() if line.endswith("}")]
        before = [{k: v for k, v in r.items() if k not in TIMES} for r in before if r["step"] <= taken[0]]
        assert before + records == whole
        for name, tensor in expected.items():
            assert torch.equal(weights[name], tensor), name
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"not a checkpoint at all"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path, content):
    path = Path(tmp_path / "checkpoint.pt")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt: is no checkpoint of this training .* delete it"):
        run(steps=2, checkpoint=Checkpoint(path))


def test_a_checkpoint_of_another_size_is_one_sentence(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    run(steps=2, checkpoint=Checkpoint(path, 0.0))
    monkeypatch.setitem(globals(), "TASK", replace(TASK, size=architecture("1x16/32/2", positions=32)))
    with pytest.raises(InputError, match=r"checkpoint\.pt: is no checkpoint of this training"):
        run(steps=2, checkpoint=Checkpoint(path))
