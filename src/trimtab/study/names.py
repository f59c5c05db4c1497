"""[names] of a study: short labels for values of the grid, as they stand in variants' names."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from trimtab.config import InputError, nearest
from trimtab.study.grid import Axes, Variant, coordinate_words


def named_variants(variants: Iterable[Variant], axes: Axes, names: dict[str, Any]) -> tuple[Variant, ...]:
    """The variants with the labels of [names]: by a coordinate's words, such as ``max_len 16``, its label.

    InputError where a key is no coordinate of the grid, a label is not one line of text, or two variants
    would be called the same.
    """
    known = {coordinate_words(axis, value) for axis, values in axes.items() for value in values}
    for words, label in names.items():
        if words not in known:
            raise InputError(f"[names]: {words!r} is no value of [grid]; {nearest(words, known)}")
        if not isinstance(label, str) or not label.strip() or not label.isprintable():
            raise InputError(f"[names]: {words!r} = {label!r} is wrong; it should be one line of text")
    named = tuple(replace(variant, aliases=_own(variant, names)) for variant in variants)
    _check_different(named)
    return named


def _own(variant: Variant, names: Mapping[str, str]) -> dict[str, str]:
    """The labels that stand in this variant's name."""
    words = [coordinate_words(axis, value) for axis, value in variant.coordinates.items()]
    return {each: names[each] for each in words if each in names}


def _check_different(variants: tuple[Variant, ...]) -> None:
    first: dict[str, Variant] = {}
    for variant in variants:
        other = first.setdefault(variant.name, variant)
        if other is not variant:
            raise InputError(
                f"[names]: {other.plain_name!r} and {variant.plain_name!r} would both be called "
                f"{variant.name!r}; give them different labels"
            )
