"""Peers in a tiny form: all do the same work, and packed training has the losses of padded training."""

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.model.encoder import Classifier
from trimtab.model.initialise import initialise

BENCH = Path(__file__).resolve().parents[2] / "bench"
SMALL = {"rows": None, "size": "2x16/32/2", "vocabulary": 120, "batch": 8}
STEPS = 6
FORK = "ignore:This process:DeprecationWarning"  # d2l's pool forks, of which later versions of Python warn

needs_d2l = pytest.mark.skipif(find_spec("d2l") is None, reason="no d2l; `make .venv/peers` installs it")
needs_accelerate = pytest.mark.skipif(
    find_spec("accelerate") is None, reason="no accelerate; `make .venv/peers` installs it"
)


@pytest.fixture
def peer(monkeypatch):
    """A module of the comparison by its name."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with 48 pairs, of which two are longer than 128 tokens."""
    rng = np.random.default_rng(0)

    def text(length):
        return " ".join(f"w{number}" for number in rng.integers(0, 100, length))

    lengths = rng.integers(1, 12, (48, 2))
    lengths[[5, 30]] = [[90, 80], [20, 140]]
    labels = rng.choice(["entailment", "neutral", "contradiction"], 48)
    rows = [f"{label}\t{text(a)}.\t{text(b)}" for label, (a, b) in zip(labels, lengths, strict=True)]
    folder = tmp_path_factory.mktemp("data")
    (folder / "snli").mkdir()
    (folder / "snli" / "train_27k.tsv").write_text("\n".join(["gold_label\tsentence1\tsentence2", *rows]))
    return folder


@pytest.fixture
def work(peer, folder):
    return peer("peers_work").load(folder, **SMALL)


def command(*words):
    warnings = ["-W", "error", "-W", FORK]
    line = [sys.executable, *warnings, str(BENCH / "peers.py"), *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True)


@needs_d2l
@needs_accelerate
@pytest.mark.filterwarnings(FORK)
def test_every_contestant_runs_and_is_recorded(peer, work, folder, tmp_path):
    before = peer("peers_parts").preparation(work, rounds=2) | {"signature": {"date": "before"}}
    (tmp_path / "peers-cpu.json").write_text(json.dumps({"preparation": before}))
    tiny = [f"--{name}={value}" for name, value in SMALL.items() if value]
    few = ["--rounds=2", "--steps=2", "--curve-steps=3", "--curve-batch=4", "--bf16=yes"]
    done = command("--data", folder, "--out", tmp_path, *tiny, *few, "--training", "--loss-curve")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "peers-cpu.json").read_text())
    assert found["preparation"] == before
    for part in ("training", "loss_curve"):
        signed = {"processor", "instructions", "commit", "torch", "d2l", "transformers"}
        assert signed <= set(found[part]["signature"])
    records = found["training"]["contestants"]
    assert [(each["name"].split()[0], each["batches"], each["precision"]) for each in records] == [
        ("d2l", "random", "fp32"),
        ("transformers", "random", "fp32"),
        ("transformers", "random", "bf16"),
        ("transformers", "grouped by length", "fp32"),
        ("transformers", "grouped by length", "bf16"),
        ("trimtab", "random", "fp32"),
        ("trimtab", "random", "bf16"),
    ]
    assert all(len(each["rounds"]) == 2 for each in records)
    judged = [row for row in found["training"]["ratios"] if row["limit"] is not None]
    assert [row["against"].split()[0] for row in judged] == ["d2l", "transformers"]
    assert all(row["met"] == (row["ratio"]["median"] >= row["limit"]) for row in judged)
    page = (tmp_path / "peers-cpu.md").read_text()
    assert all(f"| {each['name']} " in page for each in records)
    assert "date before" in page


def test_a_missing_peer_is_one_sentence(peer, folder, monkeypatch, capsys):
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)  # this process runs other tests too
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    monkeypatch.setattr(peer("peers"), "PEERS", ("d2l", "no_such_peer"))
    assert peer("peers").main([f"--data={folder}", "--batch=8"]) == 2
    assert "no_such_peer" in capsys.readouterr().err


def test_a_missing_file_is_one_sentence(tmp_path):
    done = command("--data", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("there is no file")
    assert done.stderr.count("\n") == 1


@needs_d2l
@pytest.mark.filterwarnings(FORK)
def test_d2l_makes_the_same_inputs(peer, work):
    preparation = peer("peers_preparation")
    _, rows = preparation.d2l_rows(work)
    assert preparation.same(work, rows, work.pairs)
    assert rows.valid.tolist() == work.pairs.tokens.lengths.tolist()
    index = np.array([30, 2, 5])
    inputs, labels = peer("peers_d2l").inputs(work, index, 128)
    theirs, wanted = rows[index]
    assert all(torch.equal(a, b) for a, b in zip([*inputs, labels], [*theirs, wanted], strict=True))
    rows.ids[7, 3] += 1
    assert not preparation.same(work, rows, work.pairs)


@needs_d2l
def test_packed_losses_are_those_of_d2l_padded(peer, work):
    found = peer("peers_curve").curves(work, STEPS)
    assert found["apart"]["packed and padded"]["largest"] < 2e-6
    assert found["padded"][-1] != found["padded"][0]


def test_packed_losses_are_those_of_transformers_padded(peer, work):
    pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")
    size = replace(work.size, embedding_norm=True, activation="gelu", dropout=0.0, epsilon=1e-12)
    work = replace(work, size=size)
    trimtab, transformers = peer("peers_trimtab"), peer("peers_trainer")
    packed, batches = trimtab.trainer(work, size, "fp32"), work.batches(STEPS, seed=3)
    curve = [float(packed.step(index)[0]) for index in batches]
    net = transformers.BertForSequenceClassification(
        transformers.configuration(size, work.vocabulary, work.pad, 3)
    )
    model = Classifier(size, work.vocabulary, 3)
    initialise(model, trimtab.SEED, size.initial_deviation)
    net.load_state_dict(names_of_transformers(model.state_dict()))
    assert curve == pytest.approx(padded_losses(net, transformers.Rows(work), batches), abs=2e-6)


def padded_losses(net, rows, batches):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    losses = []
    for index in batches:
        batch = [rows[row] for row in index]
        columns = {
            key: torch.nn.utils.rnn.pad_sequence([torch.tensor(row[key]) for row in batch], batch_first=True)
            for key in ("input_ids", "token_type_ids", "attention_mask")
        }
        loss = F.cross_entropy(net(**columns).logits, torch.tensor([row["labels"] for row in batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def names_of_transformers(weights):
    parts = {
        "token": "bert.embeddings.word_embeddings",
        "segment": "bert.embeddings.token_type_embeddings",
        "position": "bert.embeddings.position_embeddings",
        "norm": "bert.embeddings.LayerNorm",
        "attention_out": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
        "output_norm": "output.LayerNorm",
        "hidden": "bert.pooler.dense",
        "output": "classifier",
    }
    named = {}
    for name, tensor in weights.items():
        *above, part, kind = name.split(".")
        place = f"bert.encoder.layer.{above[-1]}." if "layers" in above else ""
        if part == "mix":
            for word, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                named[f"{place}attention.self.{word}.{kind}"] = third
        else:
            named[f"{place}{parts[part]}.{kind}"] = tensor
    return named


@needs_accelerate
@pytest.mark.parametrize("batches", ["random", "grouped by length"])
def test_the_trainer_counts_rows_and_real_tokens(peer, work, batches):
    transformers = peer("peers_trainer")
    work = replace(work, batch=4)
    steps = transformers.Contestant(work, transformers.Rows(work), batches, "fp32").run(2 + 4, seed=1)
    assert all(step.rows == 4 and step.seconds > 0 for step in steps)
    if batches == "random":
        assert len(steps) == 6
    else:  # pieces of 3 batches, longest first: two whole cycles are counted
        assert len(steps) == 2 + 6
        assert steps[0].tokens > steps[1].tokens > steps[2].tokens < steps[3].tokens


class Metronome:
    """Steps of known length."""

    def __init__(self, name, seconds, log):
        self.name, self.precision, self.batches, self.seconds, self.log = name, "fp32", "random", seconds, log

    def run(self, steps, seed):
        race = importlib.import_module("peers_race")
        self.log.append((self.name, seed))
        slow = [race.Step(9.0, 4, 40)] * race.WARM
        return slow + [race.Step(self.seconds * (1 + seed), 4, 40)] * (steps - race.WARM)


def test_turns_rates_and_ratios(peer):
    race, log = peer("peers_race"), []
    records = race.race([Metronome("a", 2.0, log), Metronome("b", 0.5, log)], rounds=3, steps=2)
    assert log == [(name, seed) for seed in range(3) for name in "ab"]
    assert records[0]["examples_per_second"]["by_round"] == pytest.approx([2, 1, 2 / 3])
    assert records[1]["tokens_per_second"]["median"] == pytest.approx(40)
    assert race.quickest(records) is records[1]
    assert race.ratio(records[1], records[0])["median"] == pytest.approx(4)
