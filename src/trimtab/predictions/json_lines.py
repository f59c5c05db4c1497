"""Predictions as JSON lines: one object per line, all with the same keys."""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.data import files
from trimtab.predictions.source import Format, Place, Source, known_columns, named_after


def _reads(path: Path) -> bool:
    return files.ending(path) in (".jsonl", ".ndjson")


def _read(place: Place, score: str | None) -> list[Source]:
    name = str(place.path)
    objects = json_objects(place.path)
    first = next(objects, None)
    if first is None:
        raise InputError(f"{name}: is empty; write one object per line")
    columns = known_columns(name, list(first[1]))
    variant, seed = named_after(place)
    return [Source(name, columns, _rows(itertools.chain([first], objects), name, columns), variant, seed)]


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line that is not blank; InputError as FILE:LINE."""
    name, load = str(path), json.loads
    with files.open_binary(path) as stream:
        for number, line in enumerate(files.lines(stream, name), 1):
            try:
                found = load(line)
            except json.JSONDecodeError as error:
                if not line.strip():
                    continue
                what = f"not valid JSON ({error.msg}, column {error.colno})"
                raise InputError(f"{name}:{number}: {what}; write one object per line") from error
            if not isinstance(found, dict):
                raise InputError(f"{name}:{number}: not a JSON object; write one object per line")
            yield number, found


def _rows(
    objects: Iterator[tuple[int, dict[str, Any]]], name: str, columns: tuple[str, ...]
) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, found in objects:
        if len(found) != len(columns) or not all(key in found for key in columns):
            missing = [key for key in columns if key not in found]
            what = f"has no {missing[0]!r}" if missing else f"has {_more(found, columns)!r} beside"
            raise InputError(
                f"{name}:{number}: {what}, unlike the first line; give all lines the same keys: "
                f"{', '.join(columns)}"
            )
        yield number, [found[key] for key in columns]


def _more(found: dict[str, Any], columns: tuple[str, ...]) -> str:
    return next(key for key in found if key not in columns)


FORMAT = Format("JSON lines (.jsonl)", _reads, _read)
