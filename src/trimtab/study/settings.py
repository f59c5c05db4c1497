"""The settings of a variant: what [base] and a place in [grid] resolve to."""

from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import ValidationError

from trimtab.config import InputError, explain, nearest
from trimtab.model.sizes import SETTINGS, Architecture, architecture
from trimtab.training.recipe import Recipe
from trimtab.truncation import Truncation, parse

RECIPE_KEYS = tuple(field.name for field in fields(Recipe))
_OWN = ("truncation", "max_len", "size", "replica")

SEEDS_OF_A_REPLICA = 1_000_000  # replica r trains seed s as seed s + r * this; seeds of a study stay below


@dataclass(frozen=True)
class Settings:
    """A truncation and length, which make the inputs; an architecture and recipe, which train on them.

    replica: 0, or the number of a repetition with seeds of its own.
    """

    truncation: Truncation
    max_len: int
    size: Architecture
    recipe: Recipe
    replica: int = 0

    def trained_seed(self, seed: int) -> int:
        """The seed that a trial really trains with, for a seed of the study: no two replicas share one."""
        return seed + self.replica * SEEDS_OF_A_REPLICA


def known_keys() -> tuple[str, ...]:
    """Every key that [base] and [grid] may hold."""
    return (*_OWN, *SETTINGS, *RECIPE_KEYS)


def resolve(table: dict[str, Any], place: str) -> Settings:
    """The settings that ``table`` gives over the defaults; InputError names ``place`` and the key."""
    for key in table:
        if key not in known_keys():
            raise InputError(f"{place}: unknown key {key!r}; {nearest(key, known_keys())}")
    try:
        return Settings(
            _truncation(table.get("truncation", "longest_first")),
            _whole_number(table, "max_len", 128),
            _size(table),
            Recipe(**{key: table[key] for key in RECIPE_KEYS if key in table}),
            _replica(table),
        )
    except ValidationError as error:
        raise InputError(f"{place}: {explain(error, known_keys())}") from error
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def resolve_size(table: dict[str, Any], place: str) -> tuple[Architecture, Recipe]:
    """The size and the recipe alone that ``table`` gives, of which other keys are somebody else's."""
    keys = ("size", *SETTINGS, *RECIPE_KEYS)
    settings = resolve({key: table[key] for key in keys if key in table}, place)
    return settings.size, settings.recipe


def _truncation(value: Any) -> Truncation:
    if not isinstance(value, str):
        raise InputError(f"truncation = {value!r} is wrong; it should be a string such as 'ratio+tail'")
    return parse(value)


def _whole_number(table: dict[str, Any], key: str, default: int) -> int:
    value = table.get(key, default)
    if type(value) is not int:
        raise InputError(f"{key} = {value!r} is wrong; it should be a whole number")
    return value


def _replica(table: dict[str, Any]) -> int:
    replica = _whole_number(table, "replica", 0)
    if replica < 0:
        raise InputError(f"replica = {replica} is wrong; number replicas from 0 on")
    return replica


def _size(table: dict[str, Any]) -> Architecture:
    name = table.get("size", "small")
    if not isinstance(name, str):
        raise InputError(f"size = {name!r} is wrong; it should be a name such as 'small', or '2x256/512/4'")
    try:
        size = architecture(name)
    except ValidationError as error:
        if not error.errors()[0]["loc"]:  # numbers that do not go together, of which the error says why
            raise
        raise InputError(f"size {name!r}: its numbers must be 1 or more, as in 2x256/512/4") from error
    return replace(size, **{key: table[key] for key in SETTINGS if key in table})
