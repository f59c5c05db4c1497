"""The cost of max_len on CoLA, in a tiny form: all train on the same rows, and the page says how long."""

import importlib
import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from trimtab.config import InputError
from trimtab.data.tokenizer import build

pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")
BENCH = Path(__file__).resolve().parents[2] / "bench"
needs_peers = pytest.mark.skipif(
    find_spec("d2l") is None or find_spec("accelerate") is None, reason="no peers; `make .venv/peers`"
)
# CoLA 1.1 as it is published: code, label, mark, sentence, without a header.
ROWS = [
    f"gj04\t{n % 2}\t{'' if n % 2 else '*'}\t{' '.join(['they'] * (n % 9 + 1))} drank the pub .\n"
    for n in range(40)
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "they", "drank", "the", "pub", "."]


@pytest.fixture
def part(monkeypatch):
    """A module of the benchmark by its name."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module


@pytest.fixture
def folder(tmp_path):
    raw = tmp_path / "cola_public" / "raw"
    raw.mkdir(parents=True)
    (raw / "in_domain_train.tsv").write_text("".join(ROWS))
    (tmp_path / "bert-vocab").mkdir()
    (tmp_path / "bert-vocab" / "vocab.txt").write_text("\n".join(WORDS))
    return tmp_path


@pytest.fixture
def work(part, folder):
    tokenizer = build(str(folder / "bert-vocab" / "vocab.txt"), [], min_freq=1)
    texts = [row.rstrip("\n").split("\t")[3] for row in ROWS]
    labels = np.arange(len(texts)) % 2
    return part("cola_work").make_work(texts, labels, tokenizer, size="2x16/32/2", batch=8)


def test_padded_rows_are_the_packed_ones(work):
    for max_len in (64, 128):
        ids, real = work.padded(max_len)
        assert ids.shape == real.shape == (40, max_len)
        for row, tokens in enumerate(work.pairs[max_len].tokens):
            assert ids[row, : len(tokens)].tolist() == tokens.tolist()
            assert (ids[row, len(tokens) :] == work.pad).all()
            assert real[row].sum() == len(tokens)
    assert work.epoch_rows == 36


@pytest.mark.parametrize("max_len", [64, 128])
def test_padding_changes_no_loss(part, work, max_len):
    """Without dropout the padded rows have the loss that each row has by itself."""
    work = replace(work, size=replace(work.size, dropout=0.0))
    padded = part("cola_contestants").Padded(work, max_len, "fp32")
    model, index = padded.model.eval(), list(range(8))
    with torch.no_grad():
        whole = model(padded.ids[index], attention_mask=padded.real[index], labels=padded.labels[index]).loss
        lengths = padded.real.sum(1).tolist()
        alone = [model(padded.ids[[row], : lengths[row]], labels=padded.labels[[row]]).loss for row in index]
    assert float(whole) == pytest.approx(float(torch.stack(alone).mean()), abs=1e-5)


def test_both_train_on_the_same_rows(part, work):
    contestants = part("cola_contestants")
    for max_len in (64, 128):
        steps = [
            way(work, max_len, "fp32").run(3, seed=1) for way in (contestants.Padded, contestants.Packed)
        ]
        rows, tokens = ([[step[place] for step in each] for each in steps] for place in (1, 2))
        assert rows[0] == rows[1] == [8, 8, 8]
        assert tokens[0] == tokens[1]
        assert len(set(tokens[0])) > 1


def test_turns_times_and_ratios(part, work):
    bench = part("cola_lengths")
    found = json.loads(json.dumps(bench.measure(work, ["fp32"], rounds=2, steps=2)))
    made = [(each["packed"], each["max_len"], each["precision"]) for each in found["contestants"]]
    assert made == [(packed, length, "fp32") for length in (64, 128) for packed in (False, True)]
    for each in found["contestants"]:
        for seconds, rate in zip(
            each["epoch_seconds"]["by_round"], each["examples_per_second"]["by_round"], strict=True
        ):
            assert seconds == pytest.approx(36 / rate)
    times = {
        key: each["epoch_seconds"]["by_round"] for key, each in zip(made, found["contestants"], strict=True)
    }
    first, *_, last = found["ratios"]
    assert first["what"] == "padded to 64 against packed, fp32"
    wanted = [a / b for a, b in zip(times[False, 64, "fp32"], times[True, 64, "fp32"], strict=True)]
    assert first["ratio"]["by_round"] == pytest.approx(wanted)
    assert last["what"] == "packed, max_len 128 against 64, fp32"
    page = bench.page(found)
    assert "An epoch is 36 rows" in page
    assert "1.85 times as long" in page


def test_fewer_rows_than_a_batch(part, work):
    with pytest.raises(InputError, match="8 rows of 1; take a smaller batch"):
        part("cola_work").make_work(["they"], np.zeros(1, np.int64), None, size="2x16/32/2", batch=8)


@needs_peers
def test_the_command_writes_json_and_a_page(part, folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)  # this process runs other tests too
    few = ["--rounds=1", "--steps=1", "--batch=8", "--size=2x16/32/2", "--bf16=no"]
    assert part("cola_lengths").main([f"--data={folder}", f"--out={tmp_path / 'out'}", *few]) == 0
    found = json.loads((tmp_path / "out" / "cola-lengths.json").read_text())
    assert found["work"]["rows an epoch"] == 36
    assert {"processor", "commit", "transformers"} <= set(found["signature"])
    assert (tmp_path / "out" / "cola-lengths.md").read_text().startswith("# What max_len costs on CoLA")
    assert part("cola_lengths").main([f"--data={tmp_path / 'out'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
