"""The output folder of a transformers' Trainer whose script wrote its predictions with their row numbers.

run_glue.py and run_classification.py of transformers write ``predict_results_TASK.txt`` or
``predict_results.txt``: ``index`` and ``prediction``, separated by tabs. They hold no labels, which another
table gives (--labels). Source: examples/pytorch/text-classification of github.com/huggingface/transformers.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.data import files
from trimtab.predictions.source import Format, Place, Source, named_after

_START = "predict_results"
_COLUMNS = ("example", "prediction")


def _reads(path: Path) -> bool:
    return path.is_dir() or path.name.startswith(_START)


def _read(place: Place, score: str | None) -> list[Source]:
    found = sorted(place.path.glob(f"{_START}*.txt")) if place.path.is_dir() else [place.path]
    if not found:
        raise InputError(f"{place.path}: the folder holds no {_START}*.txt; name a file of predictions")
    folder = place.path if place.path.is_dir() else place.path.parent
    variant, seed = named_after(Place(folder, place.variant, place.seed))
    return [Source(str(path), _COLUMNS, _rows(path), variant, seed, test=_test(path)) for path in found]


def _rows(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    with files.open_binary(path) as stream:
        yield from files.tab_rows(stream, str(path), ("index", "prediction"))


def _test(path: Path) -> str:
    return path.stem.removeprefix(_START).strip("_") or "test"


FORMAT = Format(f"folders of transformers' Trainer ({_START}*.txt)", _reads, _read)
