"""The grid of a study: its axes, its variants and exclusions, and the contrasts that it declares."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Protocol

from trimtab.config import InputError, nearest
from trimtab.study.settings import NONE, OF_WEIGHTS, Settings, known_keys, resolve

# Far beyond what a study needs, and far below what would fill the memory.
MOST_SEEDS, LARGEST_SEED = 10_000, 2**32 - 1
MOST_VALUES, MOST_VARIANTS, MOST_TRIALS = 1_000, 10_000, 1_000_000

Coordinates = dict[str, Any]
Axes = dict[str, list[Any]]
Exclusions = tuple[tuple[Coordinates, str], ...]


@dataclass(frozen=True)
class Variant:
    """One cell of the grid: its place there, and everything that it resolves to.

    aliases: labels of the study's [names] for coordinates of this place, by their words.
    """

    coordinates: Coordinates
    settings: Settings
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What reports and messages call it: ``plain_name``, with the labels of [names] in it."""
        return variant_name(self.coordinates, self.aliases)

    @property
    def plain_name(self) -> str:
        """``longest_first, max_len 16``: the truncation by its spec, other axes by name and value."""
        return variant_name(self.coordinates)


def variant_name(place: Coordinates, aliases: Mapping[str, str] | None = None) -> str:
    """The name of the variant at a place of the grid; see ``place_words``."""
    return place_words(place, aliases) or "the only variant"


def place_words(place: Coordinates, aliases: Mapping[str, str] | None = None) -> str:
    """Some coordinates as a person names them: ``ratio, max_len 16``; aliases: labels by such words."""
    words = (coordinate_words(key, value) for key, value in place.items())
    return ", ".join((aliases or {}).get(each, each) for each in words)


def coordinate_words(key: str, value: Any) -> str:
    """A coordinate as a person names it: truncations and sizes speak for themselves."""
    return str(value) if key in ("truncation", "size") else f"{key} {value}"


@dataclass(frozen=True)
class DeclaredContrast:
    """A comparison that the study declares: numbers of two variants, and whether seeds pair them.

    Seeds mean the same initialisation and data order in variants of one size that start from the same
    weights or from none, in either implementation, and in no two replicas.
    """

    variant: int
    baseline: int
    paired: bool


def read_axes(grid: dict[str, Any]) -> tuple[Axes, tuple[int, ...]]:
    """The axes of the grid, each a list of values, and the seeds."""
    grid = dict(grid)
    if "seeds" not in grid:
        raise InputError("[grid]: seeds is missing; say how many, such as seeds = 5, or list them")
    seeds = _seeds(grid.pop("seeds"))
    for key, values in grid.items():
        if key not in known_keys():
            raise InputError(f"[grid]: unknown key {key!r}; {nearest(key, [*known_keys(), 'seeds'])}")
        if not isinstance(values, list) or not values:
            raise InputError(f"[grid]: {key} = {values!r} is wrong; it should be a list of values")
        if len(values) > MOST_VALUES:
            raise InputError(f"[grid]: {key} has {len(values):,} values; give at most {MOST_VALUES:,}")
        if strange := [each for each in values if not isinstance(each, str | int | float)]:
            what = f"{key} holds {strange[0]!r}, which is no string, number or truth value"
            raise InputError(f"[grid]: {what}; list single values")
        if any(values.count(value) > 1 for value in values):
            raise InputError(f"[grid]: {key} names a value twice; keep one")
    cells = math.prod(map(len, grid.values()))
    if cells > MOST_VARIANTS or cells * len(seeds) > MOST_TRIALS:
        raise InputError(
            f"[grid]: {cells:,} variants and {len(seeds):,} seeds are too many; give at most "
            f"{MOST_VARIANTS:,} variants and {MOST_TRIALS:,} trials"
        )
    return grid, seeds


def _seeds(value: Any) -> tuple[int, ...]:
    number = value if type(value) is int else len(value) if isinstance(value, list) else 0
    if number > MOST_SEEDS:
        raise InputError(f"[grid]: {number:,} seeds are too many; give at most {MOST_SEEDS:,}")
    seeds = list(range(value)) if type(value) is int else value
    if isinstance(seeds, list) and any(type(seed) is int and seed > LARGEST_SEED for seed in seeds):
        raise InputError(f"[grid]: a seed is over {LARGEST_SEED:,}; give smaller ones")
    good = isinstance(seeds, list) and seeds and all(type(seed) is int and seed >= 0 for seed in seeds)
    if not good or len(set(seeds)) < len(seeds):
        raise InputError(
            f"[grid]: seeds = {value!r} is wrong; give their number, at least 1, or a list of different "
            "whole numbers from 0 on"
        )
    return tuple(seeds)


def read_exclusion(entry: dict[str, Any], axes: Axes) -> tuple[Coordinates, str]:
    """One [[exclude]]: the coordinates that it takes out, and why."""
    place = dict(entry)
    because = place.pop("because", None)
    if not isinstance(because, str) or not because:
        raise InputError("[[exclude]]: because is missing; say why these variants are left out")
    _check_place(place, axes, "[[exclude]]")
    if not place:
        raise InputError("[[exclude]] names no axis, so it would exclude everything; name at least one")
    return place, because


def _check_place(place: Coordinates, axes: Axes, where: str) -> None:
    for key, value in place.items():
        if key not in axes:
            raise InputError(f"{where}: {key!r} is not an axis of [grid]; {nearest(key, axes)}")
        if value not in axes[key]:
            known = ", ".join(map(str, axes[key]))
            raise InputError(f"{where}: {key} = {value!r} is not in [grid]; it has {known}")


def make_variants(base: dict[str, Any], axes: Axes, excluded: Exclusions) -> tuple[Variant, ...]:
    """Every cell of the grid that is not excluded, resolved; InputError where one cannot be."""
    resolve(base, "[base]")  # so that its own faults are not laid to the grid
    # Where some variants start from weights and others do not, the size in [base] is that of the others.
    of_others = OF_WEIGHTS if NONE in axes.get("weights", ()) else ()
    variants = []
    for values in product(*axes.values()):
        place = dict(zip(axes, values, strict=True))
        if any(all(place[key] == value for key, value in entry.items()) for entry, _ in excluded):
            continue
        pretrained = place.get("weights", NONE) != NONE
        own = {key: value for key, value in base.items() if not (pretrained and key in of_others)}
        settings = resolve(own | place, "[grid]")
        settings.check_inputs()
        variants.append(Variant(place, settings))
    return tuple(variants)


def declared_contrasts(
    given: list[Coordinates], variants: tuple[Variant, ...], axes: Axes
) -> tuple[DeclaredContrast, ...]:
    """Each variant against each baseline, all other coordinates equal; no two variants are compared twice."""
    number = {_key(variant.coordinates): i for i, variant in enumerate(variants)}
    contrasts: dict[frozenset[int], DeclaredContrast] = {}
    for baseline in _baselines(given, axes):
        for i, variant in enumerate(variants):
            base = number.get(_key(variant.coordinates | baseline))
            if base is not None and base != i:
                contrast = DeclaredContrast(i, base, are_paired(variant.settings, variants[base].settings))
                contrasts.setdefault(frozenset((i, base)), contrast)
    return tuple(contrasts.values())


def _baselines(given: list[Coordinates], axes: Axes) -> list[Coordinates]:
    """What the study names; else the first value of one axis, and the longest max_len where it is another.

    The one axis is truncation where that has several values, else the first that has.
    """
    for place in given:
        _check_place(place, axes, "[compare] baseline")
        if not place:
            raise InputError("[compare] baseline names no axis; name at least one, or leave baseline out")
    if given:
        return given
    real = [key for key, values in axes.items() if len(values) > 1]
    chosen = "truncation" if "truncation" in real else next(iter(real), None)
    found: list[Coordinates] = [{chosen: axes[chosen][0]}] if chosen not in (None, "max_len") else []
    if "max_len" in real:
        found.append({"max_len": max(axes["max_len"])})
    return found or [{}]


class Initialised(Protocol):
    """Has the facts that a variant's initial weights depend on: its Settings, or its record in a ledger."""

    @property
    def initialisation(self) -> Hashable:
        """What a seed's initial weights and order of rows depend on, beside the seed itself."""


def are_paired(one: Initialised, other: Initialised) -> bool:
    """Whether a seed means the same initial weights and order of rows in both, so that seeds pair them."""
    return one.initialisation == other.initialisation


def _key(coordinates: Coordinates) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(coordinates.items()))
