"""Data sets through the package ``datasets``: local ones, made here, as no network is at hand."""

import re
import sys

import pytest

from trimtab.config import InputError
from trimtab.data.readers import read

COLUMNS = {"first": "premise", "second": "hypothesis", "label": "label"}
ROWS = {
    "premise": ["a b", "c", "c", "d"],
    "hypothesis": ["x", "y", "z", "x"],
    "label": [1, 0, -1, 1],
    "number": [4, 5, 5, 6],
    "word": ["yes", None, "no", "yes"],
}


@pytest.fixture
def folder(own_environment, monkeypatch):
    """The parent of a folder ``mine`` that ``load_dataset`` reads, with a label that has names."""
    datasets = pytest.importorskip("datasets", reason="no datasets; install trimtab[datasets]")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(own_environment / "hub"))
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    features = datasets.Features(
        {name: datasets.Value("string") for name in ("premise", "hypothesis", "word")}
        | {"label": datasets.ClassLabel(names=["no", "yes"]), "number": datasets.Value("int64")}
    )
    (own_environment / "mine").mkdir()
    table = datasets.Dataset.from_dict(ROWS, features=features)
    table.to_parquet(own_environment / "mine" / "train.parquet")
    table.select([0]).to_parquet(own_environment / "mine" / "test.parquet")
    return own_environment


def test_numbered_labels_have_names_and_those_without_are_counted(folder):
    found = read("hub", "train", folder, name="mine", cluster="number", **COLUMNS)
    assert (found.first, found.second) == (["a b", "c", "d"], ["x", "y", "x"])
    assert (found.label_names, found.labels.tolist()) == (("no", "yes"), [1, 0, 1])
    assert (found.clusters.tolist(), found.dropped, found.source) == ([0, 1, 2], 1, "mine train")
    assert len(read("hub", "test", folder, name="mine", **COLUMNS)) == 1


def test_labels_of_words_and_single_texts(folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = read("hub", "train", name="mine", first="premise", label="word")
    assert (found.first, found.second) == (["a b", "c", "d"], None)
    assert (found.label_names, found.labels.tolist(), found.dropped) == (("no", "yes"), [1, 0, 1], 1)
    assert read("hub", "train", name="mine", first="premise", label="word", drop=["no"]).dropped == 2
    assert read("hub", "train", name="mine", first="premise", label="number").label_names == ("4", "5", "6")
    assert len(read("hub", "train", name="mine", first="premise", label="word", sample=2)) == 2


@pytest.mark.parametrize(
    ("split", "options", "message"),
    [
        (
            "train",
            {"first": "premis"},
            "mine train: no column 'premis' in the header, did you mean 'premise'?",
        ),
        ("train", {"first": "number"}, "mine train:1: column 'number' holds 4, which is not text"),
        ("train", {"second": "word"}, "mine train:2: nothing in column 'word'"),
        ("trian", {}, "reader 'hub': data set 'mine' could not be read (Unknown split"),
        (
            "train",
            {"config": "other"},
            "reader 'hub': data set 'mine' could not be read (BuilderConfig 'other'",
        ),
        ("train", {"name": "no/where"}, "reader 'hub': data set 'no/where' could not be read ("),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(folder, split, options, message):
    with pytest.raises(InputError) as raised:
        read("hub", split, folder, **{"name": "mine"} | COLUMNS | options)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=re.escape("install it with: pip install 'trimtab[datasets]'")):
        read("hub", "train", name="mine", **COLUMNS)
