"""The cost of max_len on CoLA, in a tiny form: all train on the same rows, and the page says how long."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from bench.peers import __main__ as command
from bench.peers import page
from bench.peers.machine import PEERS

if any(find_spec(name) is None for name in PEERS):
    pytest.skip("no peers; `make .venv/peers` installs them", allow_module_level=True)

from bench.peers import cola
from bench.peers.packed import Packed
from bench.peers.tutorial import Padded

# CoLA 1.1 as it is published: code, label, mark, sentence, without a header.
ROWS = [
    f"gj04\t{n % 2}\t{'' if n % 2 else '*'}\t{' '.join(['they'] * (n % 9 + 1))} drank the pub .\n"
    for n in range(40)
]
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "they", "drank", "the", "pub", "."]


@pytest.fixture
def folder(tmp_path):
    raw = tmp_path / "cola_public" / "raw"
    raw.mkdir(parents=True)
    (raw / "in_domain_train.tsv").write_text("".join(ROWS))
    (tmp_path / "bert-vocab").mkdir()
    (tmp_path / "bert-vocab" / "vocab.txt").write_text("\n".join(WORDS))
    return tmp_path


@pytest.fixture
def works(folder):
    return cola.load(folder, rows=None, size="2x16/32/2", batch=8)


def test_padded_rows_are_the_packed_ones(works):
    for work in works:
        padded = Padded(work, "fp32", steps=1)
        assert padded.ids.shape == padded.real.shape == (40, work.max_len)
        for row, tokens in enumerate(work.pairs.tokens):
            assert padded.ids[row, : len(tokens)].tolist() == tokens.tolist()
            assert (padded.ids[row, len(tokens) :] == work.pad_id).all()
            assert padded.real[row].tolist() == [1] * len(tokens) + [0] * (work.max_len - len(tokens))


@pytest.mark.parametrize("place", [0, 1], ids=["64", "128"])
def test_padding_changes_no_loss(works, place):
    """Without dropout the padded rows have the loss that each row has by itself."""
    work = replace(works[place], size=replace(works[place].size, dropout=0.0))
    padded = Padded(work, "fp32", steps=1)
    padded.model.eval()
    rows = padded.real.sum(1).tolist()
    with torch.no_grad():
        whole = padded.loss(np.arange(8))
        alone = [
            padded.model(padded.ids[[row], : rows[row]], labels=padded.labels[[row]]).loss for row in range(8)
        ]
    assert float(whole) == pytest.approx(float(torch.stack(alone).mean()), abs=1e-5)


def test_both_train_on_the_same_rows(works):
    for work in works:
        steps = [way.run(3, seed=1) for way in (Padded(work, "fp32", steps=9), Packed(work, "fp32"))]
        rows, tokens = ([[step[place] for step in each] for each in steps] for place in (1, 2))
        assert rows[0] == rows[1] == [8, 8, 8]
        assert tokens[0] == tokens[1]
        assert len(set(tokens[0])) > 1


def test_turns_times_and_ratios(works):
    found = json.loads(json.dumps(cola.measure(works, ["fp32"], rounds=2, steps=2)))
    made = [(each["packed"], each["max_len"], each["precision"]) for each in found["contestants"]]
    assert made == [(packed, length, "fp32") for length in (64, 128) for packed in (False, True)]
    for each in found["contestants"]:
        rates, seconds = (each[key]["by_round"] for key in ("examples_per_second", "epoch_seconds"))
        assert seconds == pytest.approx([36 / rate for rate in rates])
    times = {
        key: each["epoch_seconds"]["by_round"] for key, each in zip(made, found["contestants"], strict=True)
    }
    first, *_, last = found["ratios"]
    assert first["what"] == "padded to 64 against packed, fp32"
    wanted = [a / b for a, b in zip(times[False, 64, "fp32"], times[True, 64, "fp32"], strict=True)]
    assert first["ratio"]["by_round"] == pytest.approx(wanted)
    assert last["what"] == "packed, max_len 128 against 64, fp32"
    text = page.cola(found | {"signature": {}})
    assert "An epoch is 36\nrows" in text
    assert "1.85 times as long" in text


def test_the_command_writes_json_and_a_page(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "set_up_process", lambda: None)  # this process runs other tests too
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    few = ["--rounds=1", "--steps=1", "--batch=8", "--size=2x16/32/2", "--bf16=no"]
    assert command.main(["cola", f"--data={folder}", f"--out={tmp_path / 'out'}", *few]) == 0
    found = json.loads((tmp_path / "out" / "cola-lengths.json").read_text())
    assert found["work"]["rows per epoch"] == 36
    assert {"processor", "commit", "transformers"} <= set(found["signature"])
    assert (tmp_path / "out" / "cola-lengths.md").read_text().startswith("# What max_len costs on CoLA")
    assert command.main(["cola", f"--data={tmp_path / 'out'}"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
