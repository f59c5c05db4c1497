"""Predictions in a CSV, or in a table separated by tabs."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.data import files
from trimtab.predictions.source import Format, Place, Source, known_columns, named_after


def _reads(path: Path) -> bool:
    return files.ending(path) in (".csv", ".tsv")


def _read(place: Place, score: str | None) -> list[Source]:
    name, is_csv = str(place.path), files.ending(place.path) == ".csv"
    with files.open_binary(place.path) as stream:
        lines = files.lines(stream, name)
        header = next(csv.reader(lines), []) if is_csv else next(lines, "").rstrip("\r\n").split("\t")
    if header in ([], [""]):
        raise InputError(f"{name}: is empty; its first line should name the columns")
    columns = known_columns(name, header)
    variant, seed = named_after(place)
    return [Source(name, columns, _rows(place.path, columns, is_csv), variant, seed)]


def _rows(path: Path, columns: tuple[str, ...], is_csv: bool) -> Iterator[tuple[int, Sequence[Any]]]:
    with files.open_binary(path) as stream:
        yield from (files.csv_rows if is_csv else files.tab_rows)(stream, str(path), columns)


FORMAT = Format("CSV (.csv) or separated by tabs (.tsv)", _reads, _read)
