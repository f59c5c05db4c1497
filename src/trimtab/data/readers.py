"""The readers there are, and reading a data set by the name of one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from trimtab.config import InputError, nearest
from trimtab.data import probe, snli, table
from trimtab.data.examples import Examples

SPLITS = probe.SPLITS


@dataclass(frozen=True)
class Reader:
    """A data set or a file format: how it is read, and what a person wants to know before.

    ``read(split, root, options)`` gives Examples, ``options`` being of the pydantic model ``options``:
    frozen, strict, extra keys forbidden, every field described. ``splits`` is None where any name
    will do. The rest are words; ``text_forms`` has the default first.
    """

    read: Callable[[str, Path | None, Any], Examples]
    options: type[BaseModel]
    what: str
    text_forms: tuple[str, ...]
    labels: str
    clusters: str
    licence: str
    origin: str
    splits: tuple[str, ...] | None = SPLITS


READERS = {
    "probe": Reader(
        read=probe.read,
        options=probe.Options,
        what="made by the program: pairs with one decisive word a text, so that what a cut costs is known",
        text_forms=("parse", "sentence"),
        labels=", ".join(probe.LABELS),
        clusters="each row its own",
        licence="MIT, as trimtab",
        origin="nothing to fetch",
    ),
    "snli": Reader(
        read=snli.read,
        options=snli.Options,
        what="Stanford Natural Language Inference, 570,000 pairs",
        text_forms=("parse", "sentence"),
        labels=", ".join(snli.LABELS),
        clusters="the premise",
        licence="CC BY-SA 4.0",
        origin=snli.OFFICIAL.url,
    ),
    "table": Reader(
        read=table.read,
        options=table.Options,
        what="a file of yours: CSV, tab-separated, JSON lines or Parquet, with named columns",
        text_forms=("sentence", "parse"),
        labels="those of the file, or of 'labels'",
        clusters="the column 'cluster', else each row its own",
        licence="yours",
        origin="yours",
        splits=None,
    ),
}


def read(reader: str, split: str, root: Path | str | None = None, **options: Any) -> Examples:
    """Read one split of a data set.

    ``reader`` names one of READERS or of an installed package's (entry-point group trimtab.readers),
    ``split`` is 'train', 'validation' or 'test' (any name for a table), ``root`` the folder that holds
    the data (else TRIMTAB_DATA); ``options`` are the reader's own. Raises InputError, of one sentence,
    for whatever is wrong with these, with the file, or with a row of it.
    """
    checked = check(reader, split, **options)
    examples = reader_of(reader).read(split, None if root is None else Path(root), checked)
    if not len(examples):
        what = f"no row with a gold label ({examples.dropped} without)"
        raise InputError(f"{examples.source}: {what}; name a file that has some")
    return examples


def check(reader: str, split: str, **options: Any) -> BaseModel:
    """The validated options of ``reader``, without reading any data; InputError where one is wrong."""
    found = reader_of(reader)
    if found.splits is not None and split not in found.splits:
        raise InputError(f"reader {reader!r}: no split {split!r}, {nearest(split, found.splits)}")
    try:
        return found.options.model_validate(options)
    except ValidationError as error:
        raise InputError(f"reader {reader!r}: {_sentence(error, found.options)}") from error


def reader_of(name: str) -> Reader:
    """The reader of that name, ours or an installed package's; InputError where there is none."""
    if name in READERS:
        return READERS[name]
    others = {entry.name: entry for entry in entry_points(group="trimtab.readers")}
    if name not in others:
        raise InputError(f"no reader {name!r}, {nearest(name, [*READERS, *others])}")
    found = others[name].load()
    if not isinstance(found, Reader):
        what = "is not a trimtab.data.readers.Reader; mend or remove the package it is from"
        raise InputError(f"reader {name!r}: {others[name].value} {what}")
    return found


def options_of(reader: str) -> tuple[str, ...]:
    """The names of the options that ``reader`` takes."""
    return tuple(reader_of(reader).options.model_fields)


def describe() -> list[dict[str, str]]:
    """One row of words a reader, for ``trimtab datasets``."""
    names = [*READERS, *sorted({e.name for e in entry_points(group="trimtab.readers")} - set(READERS))]
    return [{"name": name} | _described(reader_of(name)) for name in names]


def option_meanings(reader: str) -> dict[str, str]:
    """What each option of ``reader`` means, under its name and default."""
    options = reader_of(reader).options
    return {_option(name, options): field.description or "" for name, field in options.model_fields.items()}


def _described(reader: Reader) -> dict[str, str]:
    return {
        "what": reader.what,
        "labels": reader.labels,
        "text forms": ", ".join(reader.text_forms),
        "clusters": reader.clusters,
        "options": ", ".join(_option(name, reader.options) for name in reader.options.model_fields),
        "licence": reader.licence,
        "where from": reader.origin,
    }


def _option(name: str, options: type[BaseModel]) -> str:
    field = options.model_fields[name]
    if field.is_required():
        return f"{name} (required)"
    return name if field.default is None else f"{name} = {json.dumps(field.default)}"


def _sentence(error: ValidationError, options: type[BaseModel]) -> str:
    # A misspelt option also leaves the one that was meant missing: the misspelling says more.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place, given = first["loc"], first["input"]
    if not place:
        return first["msg"].removeprefix("Value error, ")
    name = str(place[0])
    if first["type"] == "extra_forbidden":
        return f"no option {name!r}, {nearest(name, options.model_fields)}"
    what = options.model_fields[name].description
    if first["type"] == "missing" and len(place) == 1:
        return f"option {name!r} is missing: {what}"
    rule = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    rule = rule.replace("a valid tuple", "a list")
    return f"option {name!r} ({what}) is {given!r}, but should be {rule}"
