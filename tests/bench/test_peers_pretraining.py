"""Pretraining against d2l in a tiny form: either makes its own pairs of the same text and trains on them."""

import json
from importlib.util import find_spec

import pytest

from bench.peers import __main__ as command
from bench.peers.machine import PEERS

if any(find_spec(name) is None for name in PEERS):
    pytest.skip("no peers; `make .venv/peers` installs them", allow_module_level=True)

STUDY = """\
question = "How fast is a step?"
[data]
reader = "wikitext"
tokenizer = "whitespace"
min_freq = 5
[base]
size = "2x16/32/2"
max_len = 16
batch_size = 8
steps = 10
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "wikitext-2").mkdir()
    lines = [" \n", " = Pubs = \n", *(f" They drank pub {n % 7} dry . They left . \n" for n in range(40))]
    for name in ("train", "valid"):
        (tmp_path / "wikitext-2" / f"wiki.{name}.tokens").write_text("".join(lines))
    (tmp_path / "pretraining.toml").write_text(STUDY)
    return tmp_path


def test_either_trains_and_is_recorded(folder, monkeypatch, capsys):
    monkeypatch.setattr(command, "set_up_process", lambda: None)  # this process runs other tests too
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "true")
    monkeypatch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
    few = ["--rounds=2", "--steps=2", "--bf16=no", f"--study={folder / 'pretraining.toml'}"]
    assert command.main(["pretraining", f"--data={folder}", f"--out={folder / 'out'}", *few]) == 0
    found = json.loads((folder / "out" / "pretrain-cpu.json").read_text())
    assert [each["name"].split()[0] for each in found["contestants"]] == ["d2l", "trimtab"]
    assert all(len(each["rounds"]) == 2 for each in found["contestants"])
    assert found["work"]["pairs"] == {"d2l": 40, "trimtab": 40}
    theirs, ours = (each["examples_per_second"]["by_round"] for each in found["contestants"])
    wanted = [a / b for a, b in zip(ours, theirs, strict=True)]
    assert found["ratios"][0]["ratio"]["by_round"] == pytest.approx(wanted)
    assert (folder / "out" / "pretrain-cpu.md").read_text() in capsys.readouterr().out
