"""Keys that stand in the wrong section of a study file, as happens when a line is added at its end."""

from collections.abc import Mapping
from typing import Any

from trimtab.config import InputError
from trimtab.data.readers import options_of
from trimtab.study.data_section import SHARED_KEYS
from trimtab.study.settings import known_keys

_TOP = "top level"


def check_sections(document: Mapping[str, Any], others: Mapping[str, set[str]]) -> None:
    """InputError where a key is unknown in its section and known in one other, which the sentence names.

    others: the keys of the top level and of [compare], by their names.
    """
    keys = {**others, "[data]": set(SHARED_KEYS), "[base]": set(known_keys()), "[grid]": {"seeds"}}
    for name, table in {_TOP: document, **{f"[{key}]": document.get(key) for key in _SECTIONS}}.items():
        if not isinstance(table, Mapping):
            continue
        known = keys[name] | (keys["[base]"] if name == "[grid]" else set())
        known |= _options(table) if name == "[data]" else set()
        for key in table:
            if key not in known:
                _complain(name, key, {place for place, there in keys.items() if key in there})


_SECTIONS = ("data", "base", "grid", "compare")


def _complain(name: str, key: str, places: set[str]) -> None:
    if len(places) != 1:
        return
    [place] = places
    mend = "put it above the first [section]" if place == _TOP else f"put it into {place}"
    if place == "[base]":
        mend += ", or a list of values into [grid]"
    raise InputError(f"{name}: {key} belongs to {'the ' * (place == _TOP)}{place}; {mend}")


def _options(data: Mapping[str, Any]) -> set[str]:
    """What a reader of any split takes, as far as it is known by now."""
    tables = [data, *(value for value in data.values() if isinstance(value, Mapping))]
    found = {"reader", "split", "train", "validation", "test"}
    for reader in {table.get("reader") for table in tables if isinstance(table.get("reader"), str)}:
        try:
            found |= set(options_of(str(reader)))
        except InputError:  # an unknown reader, which its own error names
            continue
    return found
