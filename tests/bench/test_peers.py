"""Peers in a tiny form: all do the same work, and packed training has the losses of padded training."""

import json
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from bench.peers import __main__ as command
from bench.peers.machine import PEERS
from bench.peers.race import WARM
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise

if any(find_spec(name) is None for name in PEERS):
    pytest.skip("no peers; `make .venv/peers` installs them", allow_module_level=True)

from bench.peers import curve, d2l, packed, preparation, snli, trainer

STEPS = 6
# d2l's pool forks, of which later versions of Python warn.
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")]


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
def work(folder):
    return snli.load(folder, rows=None, size="2x16/32/2", vocabulary=120, batch=8)


def smaller(work, batch):
    return replace(work, recipe=replace(work.recipe, batch_size=batch))


@pytest.fixture
def main(monkeypatch):
    """The command, which leaves threads and memory of this process alone."""
    monkeypatch.setattr(command, "set_up_process", lambda: None)
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    return command.main


def test_every_contestant_runs_and_is_recorded(main, folder, tmp_path):
    tiny = ["--size=2x16/32/2", "--vocabulary=120", "--batch=8", "--rounds=1", "--steps=1", "--bf16=no"]
    words = ["snli", f"--data={folder}", f"--out={tmp_path}", *tiny]
    assert main([*words, "--training"]) == 0
    assert main([*words, "--loss-curve", "--curve-steps=2", "--curve-batch=4"]) == 0
    found = json.loads((tmp_path / "peers-cpu.json").read_text())
    assert set(found) == {"training", "loss_curve"}
    for part in found.values():
        assert {"processor", "instructions", "commit", "torch", *PEERS} <= set(part["signature"])
    records = found["training"]["contestants"]
    assert [(each["name"].split()[0], each["batches"], each["precision"]) for each in records] == [
        ("d2l", "random", "fp32"),
        ("transformers", "random", "fp32"),
        ("transformers", "grouped by length", "fp32"),
        ("trimtab", "random", "fp32"),
    ]
    judged = [row for row in found["training"]["ratios"] if row["limit"] is not None]
    assert [row["against"].split()[0] for row in judged] == ["d2l", "transformers"]
    assert all(row["met"] == (row["ratio"]["median"] >= row["limit"]) for row in judged)
    text = (tmp_path / "peers-cpu.md").read_text()
    assert all(f"| {each['name']} " in text for each in records)


def test_all_but_d2l_train_in_each_precision(work):
    theirs, trainers, ours = snli.contestants(work, ["fp32", "bf16"])
    assert (theirs.precision, theirs.batches) == ("fp32", "random")
    assert [(each.batches, each.precision) for each in trainers] == [
        ("random", "fp32"),
        ("random", "bf16"),
        ("grouped by length", "fp32"),
        ("grouped by length", "bf16"),
    ]
    assert [each.precision for each in ours] == ["fp32", "bf16"]
    assert all(step.seconds > 0 for step in ours[1].run(1, seed=0))


def test_a_missing_peer_is_one_sentence(main, monkeypatch, capsys):
    monkeypatch.setattr("bench.peers.machine.PEERS", ("d2l", "no_such_peer"))
    assert main(["snli"]) == 2
    assert capsys.readouterr().err == "no_such_peer: not installed; run `make .venv/peers`\n"


def test_a_missing_file_is_one_sentence(main, tmp_path, capsys):
    assert main(["snli", f"--data={tmp_path}"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("there is no file")
    assert told.count("\n") == 1


def test_fewer_rows_than_a_batch(main, folder, capsys):
    assert main(["snli", f"--data={folder}", "--rows=7", "--batch=8"]) == 2
    assert "8 rows per batch, but only 7 rows" in capsys.readouterr().err


def test_d2l_makes_the_same_inputs(work):
    _, rows = preparation.d2l_rows(work)
    assert preparation.same(work, rows, work.pairs)
    assert rows.valid.tolist() == work.pairs.tokens.lengths.tolist()
    index = np.array([30, 2, 5])
    inputs, labels = d2l.inputs(work, index, 128)
    theirs, wanted = rows[index]
    assert all(torch.equal(a, b) for a, b in zip([*inputs, labels], [*theirs, wanted], strict=True))
    rows.ids[7, 3] += 1
    assert not preparation.same(work, rows, work.pairs)


def test_preparation_has_a_rate_of_either_and_their_ratio(work):
    found = preparation.preparation(work, rounds=1)
    theirs, ours, _ = (each["median"] for each in found["rates"].values())
    assert found["ratio"]["median"] == pytest.approx(ours / theirs)
    assert found["met"] == (ours / theirs >= found["limit"])


def test_packed_losses_are_those_of_d2l_padded(work):
    found = curve.curves(work, STEPS)
    assert found["apart"]["packed and padded"]["largest"] < 2e-6
    assert found["padded"][-1] != found["padded"][0]


def test_packed_losses_are_those_of_transformers_padded(work):
    size = replace(work.size, embedding_norm=True, activation="gelu", dropout=0.0, epsilon=1e-12)
    work = replace(work, size=size)
    ours, batches = packed.trainer(work, size, "fp32"), work.rows.draw(STEPS, seed=3)
    losses = [float(ours.step(index)[0]) for index in batches]
    net = trainer.AutoModelForSequenceClassification.from_config(trainer.configuration(work))
    model = Classifier(size, work.vocabulary, 3)
    initialise(model, packed.SEED, size.initial_deviation)
    net.load_state_dict(names_of_transformers(model.state_dict()))
    assert losses == pytest.approx(padded_losses(net, trainer.Rows(work), batches), abs=2e-6)


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
        "ffn_in": "intermediate.dense",
        "ffn_out": "output.dense",
        "output_norm": "output.LayerNorm",
        "pooler": "bert.pooler.dense",
        "output": "classifier",
    }
    named = {}
    for name, tensor in weights.items():
        *above, part, kind = name.split(".")
        place = f"bert.encoder.layer.{above[-1]}." if "layers" in above else ""
        if part == "qkv":
            for word, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                named[f"{place}attention.self.{word}.{kind}"] = third
        else:
            named[f"{place}{parts[part]}.{kind}"] = tensor
    return named


@pytest.mark.parametrize("batches", ["random", "grouped by length"])
def test_the_trainer_counts_rows_and_real_tokens(work, batches):
    work = smaller(work, 4)
    steps = trainer.TrainerContestant(work, trainer.Rows(work), batches, "fp32").run(4, seed=1)
    assert all(step.rows == 4 and step.seconds > 0 for step in steps)
    if batches == "random":
        assert len(steps) == 4
    else:  # chunks of 3 batches, longest first: two whole cycles, the first of which began with the warm-up
        assert WARM == 2
        assert len(steps) == 6
        assert steps[0].tokens < steps[1].tokens > steps[2].tokens > steps[3].tokens
