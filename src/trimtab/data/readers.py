"""Reading a data set by the name of its reader, and describing what can be read."""

import json
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trimtab.config import InputError, nearest
from trimtab.data.examples import Examples
from trimtab.data.reader import SPLITS, Facts, Reader
from trimtab.data.registry import READERS
from trimtab.data.sampling import Sampling, draw

__all__ = ["READERS", "SPLITS", "Facts", "Reader", "check", "describe", "options_of", "read", "reader_of"]


def read(reader: str, split: str, root: Path | str | None = None, **options: Any) -> Examples:
    """Read one split of a data set.

    ``reader`` names one of READERS or of an installed package's (entry-point group trimtab.readers),
    ``split`` is 'train', 'validation' or 'test' (any name for a table), ``root`` the folder that holds
    the data (else TRIMTAB_DATA); ``options`` are the reader's own, and for every reader ``sample`` and
    ``sample_seed``. Raises InputError where one of these, the file, or a row of it is wrong.
    """
    own, sampling = _checked(reader, split, options)
    examples = reader_of(reader).read(split, None if root is None else Path(root), own)
    if not len(examples):
        what = f"no row with a label ({examples.dropped:,} were left out)"
        raise InputError(f"{examples.source}: {what}; name a file that has some")
    return draw(examples, sampling)


def check(reader: str, split: str, **options: Any) -> BaseModel:
    """The validated options of ``reader``, without reading any data; InputError where one is wrong."""
    return _checked(reader, split, options)[0]


def _checked(reader: str, split: str, options: dict[str, Any]) -> tuple[BaseModel, Sampling]:
    """The reader's own options, and those of every reader."""
    found = reader_of(reader)
    if found.splits is not None and split not in found.splits:
        raise InputError(f"reader {reader!r}: no split {split!r}, {nearest(split, found.splits)}")
    common = {name: options[name] for name in _common(found) if name in options}
    own = {name: value for name, value in options.items() if name not in common}
    try:
        return found.options.model_validate(own), Sampling.model_validate(common)
    except ValidationError as error:
        raise InputError(f"reader {reader!r}: {_sentence(error, _fields(found))}") from error


def reader_of(name: str) -> Reader:
    """The reader of that name, ours or an installed package's; InputError where there is none."""
    if name in READERS:
        return READERS[name]
    others = {entry.name: entry for entry in entry_points(group="trimtab.readers")}
    if name not in others:
        owner = next((reader for reader, found in READERS.items() if name in found.facts), None)
        hint = f"take reader = {owner!r}, task = {name!r}" if owner else nearest(name, [*READERS, *others])
        raise InputError(f"no reader {name!r}, {hint}")
    found = others[name].load()
    if not isinstance(found, Reader):
        what = "is not a trimtab.data.readers.Reader; fix or remove the package that brings it"
        raise InputError(f"reader {name!r}: {others[name].value} {what}")
    return found


def options_of(reader: str) -> tuple[str, ...]:
    """The names of the options that ``reader`` takes."""
    return tuple(_fields(reader_of(reader)))


def describe() -> list[dict[str, str]]:
    """One row per data set for ``trimtab datasets``; ``reader`` is the name to give in a study."""
    names = [*READERS, *sorted({e.name for e in entry_points(group="trimtab.readers")} - set(READERS))]
    readers = {name: reader_of(name) for name in names}
    return [
        {"name": data_set, "reader": name} | _described(reader, facts)
        for name, reader in readers.items()
        for data_set, facts in reader.facts.items()
    ]


def option_meanings(reader: str) -> dict[str, str]:
    """What each option of ``reader`` means, under its name and default."""
    fields = _fields(reader_of(reader))
    return {_option(name, field): field.description or "" for name, field in fields.items()}


def _described(reader: Reader, facts: Facts) -> dict[str, str]:
    return {
        "what": facts.what,
        "columns": facts.columns,
        "labels": facts.labels,
        "metric": facts.metric,
        "clusters": facts.clusters,
        "rows": facts.rows,
        "validation": _validation_words(reader),
        "text forms": ", ".join(reader.text_forms),
        "licence": facts.licence,
        "where from": facts.origin,
    }


def _validation_words(reader: Reader) -> str:
    own = reader.splits is not None and reader.own_validation
    usual = "its own split" if own else "a tenth of train, whole clusters"
    return f"{usual}, unless a study gives a share or [data.validation]"


def _common(reader: Reader) -> set[str]:
    """The options of every reader, except those that this one defines itself."""
    return Sampling.model_fields.keys() - reader.options.model_fields.keys()


def _fields(reader: Reader) -> dict[str, FieldInfo]:
    common = {name: Sampling.model_fields[name] for name in Sampling.model_fields if name in _common(reader)}
    return {**reader.options.model_fields, **common}


def _option(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return f"{name} (required)"
    return name if field.default is None else f"{name} = {json.dumps(field.default)}"


def _sentence(error: ValidationError, fields: dict[str, FieldInfo]) -> str:
    # A misspelt option also leaves the intended one missing; the misspelling is the better message.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    place, given = first["loc"], first["input"]
    if not place:
        return first["msg"].removeprefix("Value error, ")
    name = str(place[0])
    if first["type"] == "extra_forbidden":
        return f"no option {name!r}, {nearest(name, [*fields, 'split', 'reader'])}"
    what = fields[name].description
    if first["type"] == "missing" and len(place) == 1:
        return f"option {name!r} is missing: {what}"
    rule = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    rule = rule.replace("a valid tuple", "a list")
    return f"option {name!r} ({what}) is {given!r}, but should be {rule}"
