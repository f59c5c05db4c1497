"""Reading 30,000 pairs: SNLI's published format, a table of two kinds, and probe, which is made."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bench.regression.workload import snli_like_texts
from trimtab.data import read
from trimtab.data.examples import Examples

PAIRS = 30_000
ROUNDS = {"rounds": 5, "warmup_rounds": 1}


@pytest.fixture(scope="module")
def texts() -> Examples:
    """What is written to files and read again."""
    return snli_like_texts(PAIRS)


def bench_snli(benchmark: Any, texts: Examples, tmp_path: Path) -> None:
    """The official columns, from which the words of a binary parse are taken."""
    assert texts.second is not None
    sides = [[_parse(text) for text in side] for side in (texts.first, texts.second)]
    heads = ["gold_label", "sentence1_binary_parse", "sentence2_binary_parse", "pairID"]
    _write(tmp_path / "pairs.txt", "\t", heads, texts, *sides)
    asked = {"root": tmp_path, "file": "pairs.txt"}
    found = benchmark.pedantic(read, ("snli", "train"), asked, **ROUNDS)
    assert found.first == texts.first


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")], ids=["csv", "tsv"])
def bench_table(benchmark: Any, texts: Examples, tmp_path: Path, ending: str, delimiter: str) -> None:
    """A table with the same texts."""
    assert texts.second is not None
    heads = ["gold", "one", "two", "id"]
    _write(tmp_path / f"pairs.{ending}", delimiter, heads, texts, texts.first, texts.second)
    asked = {"root": tmp_path, "file": f"pairs.{ending}", "first": "one", "second": "two", "label": "gold"}
    found = benchmark.pedantic(read, ("table", "train"), asked, **ROUNDS)
    assert found.second == texts.second


def bench_probe(benchmark: Any) -> None:
    """As many pairs, made rather than read."""
    assert len(benchmark.pedantic(read, ("probe", "train"), {"train": PAIRS}, **ROUNDS)) == PAIRS


def _write(path: Path, delimiter: str, heads: list[str], texts: Examples, *sides: Iterable[str]) -> None:
    labels = [texts.label_names[label] for label in texts.labels]
    with path.open("w", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(heads)
        writer.writerows(zip(labels, *sides, map(str, range(len(labels))), strict=True))


def _parse(text: str) -> str:
    """A right-branching binary parse of the words."""
    *before, last = text.split(" ")
    return "".join(f"( {word} " for word in before) + last + " )" * len(before)
