"""``trimtab pretrain`` on a small text, for real: folder, page, going on, and a sentence for each mistake."""

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from command_line import started, wait_until
from small_tokenizers import byte_level
from trimtab.model import load
from trimtab.run.pretraining import run
from trimtab.study import pretraining_definition

pytestmark = pytest.mark.integration

STUDY = """\
question = "Does it learn?"
[data]
reader = "text"
file = "text.txt"
tokenizer = "words"
min_freq = 1
[data.validation]
file = "judged.txt"
[base]
size = "2x16/32/2"
positions = 32
max_len = 24
batch_size = 16
epochs = 2
learning_rate = 1e-3
precision = "fp32"
checkpoint_seconds = 0.0
"""


def text(seed, paragraphs):
    rng = np.random.default_rng(seed)
    return "\n\n".join(
        " ".join(" ".join(f"w{n}" for n in rng.integers(0, 30, rng.integers(2, 9))) + "." for _ in range(5))
        for _ in range(paragraphs)
    )


@pytest.fixture(autouse=True)
def home(own_environment, at_home, monkeypatch):
    # Threads that wait by spinning make it a hundred times slower where the cores are busy otherwise.
    monkeypatch.setattr("trimtab.run.runtime.available_cores", lambda: 1)
    (at_home / "study.toml").write_text(STUDY)
    (at_home / "text.txt").write_text(text(0, 40))
    (at_home / "judged.txt").write_text(text(1, 8))
    return at_home


def edit(old, new):
    path = Path("study.toml")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@contextlib.contextmanager
def on_one_core():
    """What is started meanwhile may use one core, as this process may by the fixture above."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def records(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in r.items() if k not in ("seconds", "pairs_per_second")} for r in found]


def test_a_run_its_page_and_the_same_again(trimtab, home):
    code, said, complained = trimtab("pretrain", "study.toml", "--device", "cpu")
    assert (code, complained) == (0, [])
    folder = Path("results/pretrain-study")
    assert said[-1] == str(folder / "report.md")
    assert "masked words" in said[0]
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert names == {
        "ledger.json",
        "pretraining.json",
        "metrics.jsonl",
        "result.json",
        "report.md",
        "model",
        "tables",
        "figures",
    }
    page, result = (folder / "report.md").read_text(), json.loads((folder / "result.json").read_text())
    last = result["training"]
    for value in (last["running_masked_words"], last["running_masked_words_padded"]):
        assert f" {value:.3f} " in page
    assert f" {result['validation']['next_sentence']:.3f} " in page
    assert "Validation, epoch by epoch" in page
    assert (folder / "figures" / "losses.svg").stat().st_size > 5_000
    model, tokenizer = load(folder / "model")
    assert str(model.parts.size) == "2x16/32/2"
    assert model.parts.size.positions == 24  # max_len: no other was trained
    assert model.parts.tied
    assert model.parts.masked_words
    assert model.parts.next_sentence
    assert tokenizer.token_to_id("w3") is not None
    before = (folder / "result.json").stat().st_mtime_ns
    code, said, _ = trimtab("pretrain", "study.toml")
    assert (code, said[0]) == (0, f"{result['steps']:,} steps were already done")
    assert (folder / "result.json").stat().st_mtime_ns == before
    (folder / "report.md").unlink()
    assert trimtab("report", folder)[0] == 0
    assert (folder / "report.md").read_text() == page


@pytest.mark.slow
@pytest.mark.usefixtures("unsaved_figures")
def test_killed_and_run_again_gives_the_same_records_and_weights(trimtab, home):
    edit("epochs = 2", "epochs = 4")
    run(pretraining_definition.load(home / "study.toml"), out=Path("whole"), device="cpu")
    metrics = home / "cut" / "metrics.jsonl"
    with on_one_core(), started("pretrain", "study.toml", "--out", "cut", "--device", "cpu") as process:
        wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") > 10, process)
        process.kill()
    with metrics.open("a") as file:
        file.write('{"kind": "tr')  # as a kill in the middle of a line leaves it
    assert (home / "cut" / "checkpoint.pt").exists()
    code, said, _ = trimtab("pretrain", "study.toml", "--out", "cut")
    assert code == 0
    assert "steps were already done" in said[0]
    assert records(home / "cut") == records(home / "whole")
    models = [load(home / name / "model")[0].state_dict() for name in ("cut", "whole")]
    assert all(torch.equal(models[0][name], tensor) for name, tensor in models[1].items())


@pytest.mark.usefixtures("unsaved_figures")
def test_a_training_that_diverges_fails_and_can_be_begun_anew(trimtab):
    edit("learning_rate = 1e-3", "learning_rate = 1e30\nclip = 0.0\nwarmup = 0.0")
    code, said, complained = trimtab("pretrain", "study.toml", "--out", "out")
    assert (code, said) == (1, [])
    assert complained == ["trimtab: failed: the loss became nan; lower learning_rate, or set clip"]
    edit("learning_rate = 1e30\nclip = 0.0\nwarmup = 0.0", "learning_rate = 1e-3")
    assert trimtab("pretrain", "study.toml", "--out", "out")[0] == 0


@pytest.mark.usefixtures("unsaved_figures")
def test_what_is_wrong_is_one_sentence_and_exit_code_2(trimtab, wrong, home):
    assert "there is no such study file; name one" in wrong("pretrain", "none.toml")
    assert trimtab("pretrain", "study.toml", "--out", "out")[0] == 0
    edit("max_len = 24", "max_len = 20")
    assert wrong("pretrain", "study.toml", "--out", "out").endswith(
        "holds a training with a different max_len; delete it, or choose another folder with --out DIR"
    )
    edit("max_len = 20", "max_len = 24")
    (home / "text.txt").write_text(text(5, 40))
    assert "holds a training with a different data" in wrong("pretrain", "study.toml", "--out", "out")
    (home / "text.txt").unlink()
    assert "there is no file" in wrong("pretrain", "study.toml", "--out", "other")
    (home / "busy").mkdir()
    (home / "busy" / "a.txt").write_text("")
    assert "holds files but no ledger" in wrong("pretrain", "study.toml", "--out", "busy")
    (home / "text.txt").write_text("One. Two.")
    byte_level().save("roberta.json")
    edit('tokenizer = "words"', 'tokenizer = "roberta.json"')
    assert wrong("pretrain", "study.toml", "--out", "more") == (
        "tokenizer 'roberta.json': pretraining makes rows cls A sep B sep, and its template has other "
        "special tokens; use a vocab.txt, or a tokenizer with BERT's template"
    )
    edit('tokenizer = "roberta.json"', 'tokenizer = "wrds"')
    assert "tokenizer 'wrds': did you mean 'words'?" in wrong("pretrain", "study.toml", "--out", "more")
