"""Folders that others have made, and which predict cannot use, are answered in a sentence."""

import json

import pytest

from trimtab.config import InputError
from trimtab.data.tokenizer import build
from trimtab.deploy.exported import read
from trimtab.model import weights_hf
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of


@pytest.fixture
def folder(tmp_path):
    """A classifier with three labels, for texts of up to 10 tokens."""
    size = architecture("1x16/16/2", positions=10)
    tokenizer = build("words", ["a few words of mine"], min_freq=1)
    model = Bert(Parts(size, tokenizer.get_vocab_size(), classes=3))
    initialise(model, 0, 0.3)
    weights_hf.write(tmp_path / "model", weights_of(model, size, ("no", "yes", "maybe")), tokenizer)
    return tmp_path / "model"


def change(file, **said):
    file.write_text(json.dumps(json.loads(file.read_text()) | said))


@pytest.mark.parametrize("kind", ["multi_label_classification", "regression"])
def test_a_head_that_does_not_choose_one_label(folder, kind):
    change(folder / "config.json", problem_type=kind)
    with pytest.raises(InputError) as raised:
        read(folder)
    assert str(raised.value) == (
        f"{folder}/config.json: problem_type '{kind}' is no choice of one label, which predict makes; name a "
        "model that was trained to choose one"
    )
    change(folder / "config.json", problem_type="single_label_classification")
    assert read(folder).labels == ("no", "yes", "maybe")


def test_labels_with_the_same_name(folder):
    change(folder / "config.json", id2label={"0": "no", "1": "yes", "2": "no"})
    with pytest.raises(InputError) as raised:
        read(folder)
    assert str(raised.value) == (f"{folder}/config.json: calls two labels 'no'; give each a name of its own")


@pytest.mark.parametrize("names", [{"0": "no", "1": "yes"}, {}, None])
def test_labels_without_names_are_numbered(folder, names):
    change(folder / "config.json", id2label=names)
    assert read(folder).labels == ("0", "1", "2")
