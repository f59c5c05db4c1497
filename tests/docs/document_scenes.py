"""Folders in which the commands of documents can run: small data, and studies made small."""

import csv
import re
from pathlib import Path

import numpy as np

from document_figures import ROOT

# Keys of a study whose values are made small.
_SMALL = {
    "epochs": "1",
    "steps": "2",
    "seeds": "1",
    "train": "200",
    "test": "60",
    "sample": "60",
    "batch_size": "32",
    "replica": "[0, 1, 2]",
    "min_freq": "1",
}
_LABELS = ("entailment", "contradiction", "neutral")
_STANCES = ("agree", "disagree", "discuss", "unrelated")


def shrunk(study: str) -> str:
    """A study file's text with the same keys, and values that train in a moment, in fp32."""
    for key, value in _SMALL.items():
        study = re.sub(rf"^{key} = .*$", f"{key} = {value}", study, flags=re.MULTILINE)
    study = re.sub(r'^size = "\d.*"$', 'size = "2x32/64/2"', study, flags=re.MULTILINE)
    if "precision" not in study:
        study = study.replace("[base]\n", '[base]\nprecision = "fp32"\n')
    return study


def furnish(folder: Path) -> None:
    """Fill a folder: studies/, data/ with small data sets, and my/folder with tables of pairs."""
    (folder / "studies").mkdir()
    for path in (ROOT / "studies").glob("*.toml"):
        (folder / "studies" / path.name).write_text(shrunk(path.read_text(encoding="utf-8")))
    rng = np.random.default_rng(0)
    _tables(folder / "my" / "folder", rng)
    _reranker(folder / "my" / "reranker")
    _snli(folder / "data" / "snli_1.0", rng)
    _snli_table(folder / "data" / "snli", rng)
    _cola(folder / "data" / "cola_public" / "raw", rng)
    _fnc1(folder / "data", rng)
    _wikitext(folder / "data" / "wikitext-2", rng)


def _text(rng: np.random.Generator, least: int, most: int) -> str:
    return " ".join(f"w{word}" for word in rng.integers(0, 40, rng.integers(least, most)))


def _write(path: Path, rows: list[list[str]], separator: str = "\t") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator, lineterminator="\n").writerows(rows)


def _tables(folder: Path, rng: np.random.Generator) -> None:
    for name, rows in (("train", 60), ("test", 30), ("new", 5)):
        pairs = [[_text(rng, 4, 12), _text(rng, 40, 160), _STANCES[n % 2]] for n in range(rows)]
        _write(folder / f"{name}.csv", [["headline", "article", "stance"], *pairs], ",")
    passages = [["query", "passage"], *([_text(rng, 2, 6), _text(rng, 20, 60)] for _ in range(5))]
    _write(folder / "pairs.csv", passages, ",")


def _reranker(folder: Path) -> None:
    """A cross-encoder with random weights, and one output."""
    from trimtab.data.tokenizer import build
    from trimtab.model import weights_hf
    from trimtab.model.heads import Bert, Parts
    from trimtab.model.initialise import initialise
    from trimtab.model.sizes import architecture
    from trimtab.model.weights import weights_of

    size, tokenizer = architecture("1x16/16/2"), build("words", ["w1 w2 w3"], min_freq=1)
    model = Bert(Parts(size, tokenizer.get_vocab_size(), classes=1))
    initialise(model, 0, 0.3)
    weights_hf.write(folder, weights_of(model, size), tokenizer)


def _snli(folder: Path, rng: np.random.Generator) -> None:
    header = ["gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "sentence1", "sentence2"]
    for part, rows in (("train", 60), ("dev", 30), ("test", 30)):
        pairs = [(_text(rng, 6, 30), _text(rng, 3, 12)) for _ in range(rows)]
        made = [[_LABELS[n % 3], f"( {a} )", f"( {b} )", a, b] for n, (a, b) in enumerate(pairs)]
        _write(folder / f"snli_1.0_{part}.txt", [header, *made])


def _snli_table(folder: Path, rng: np.random.Generator) -> None:
    rows = [[_text(rng, 6, 30), _text(rng, 3, 12), _LABELS[n % 3]] for n in range(60)]
    _write(folder / "train_27k.tsv", [["sentence1", "sentence2", "gold_label"], *rows])


def _cola(folder: Path, rng: np.random.Generator) -> None:
    for part, rows in (("in_domain_train", 60), ("in_domain_dev", 20), ("out_of_domain_dev", 20)):
        _write(folder / f"{part}.tsv", [["a", str(n % 2), "", _text(rng, 3, 20)] for n in range(rows)])


def _fnc1(folder: Path, rng: np.random.Generator) -> None:
    for prefix in ("train", "competition_test"):
        bodies = [[str(n), _text(rng, 100, 200)] for n in range(20)]
        stances = [[_text(rng, 4, 12), str(n % 20), _STANCES[n % 4]] for n in range(80)]
        _write(folder / f"{prefix}_bodies.csv", [["Body ID", "articleBody"], *bodies], ",")
        _write(folder / f"{prefix}_stances.csv", [["Headline", "Body ID", "Stance"], *stances], ",")


def _wikitext(folder: Path, rng: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    for part, paragraphs in (("train", 60), ("valid", 20), ("test", 20)):
        lines = [" . ".join(_text(rng, 3, 9) for _ in range(4)) + " ." for _ in range(paragraphs)]
        (folder / f"wiki.{part}.tokens").write_text("\n".join(lines), encoding="utf-8")
