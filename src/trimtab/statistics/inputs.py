"""Checks of the arguments of all analyses; each error is one sentence.

Scores are ``(variants, seeds, examples)`` everywhere, or ``(seeds, examples)`` for one variant.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError

_AXES = ("variants", "seeds", "examples")
# Squares of larger numbers could overflow.
_LARGEST = 1e100


def score_array(scores: ArrayLike, axes: int = 3) -> NDArray[Any]:
    """Scores as an array of their own dtype.

    ``scores`` (variants, seeds, examples), or (seeds, examples) with ``axes=2``: booleans, integers or
    floats. Raises InputError on another shape or type, an empty axis, or a score that is nan, infinite or
    beyond 1e100.
    """
    try:
        array = np.asarray(scores)
    except ValueError as error:
        mend = "give every variant the same seeds, and every seed the same examples"
        raise InputError(f"scores: rows are of unequal length; {mend}") from error
    names = _AXES[-axes:]
    if array.ndim != axes:
        raise InputError(f"scores have shape {array.shape}: give an array ({', '.join(names)})")
    if array.dtype.kind not in "biuf":
        raise InputError(f"scores are of type {array.dtype}: give booleans, integers or floats")
    for name, length in zip(names, array.shape, strict=True):
        if length == 0:
            raise InputError(f"scores have shape {array.shape}: there are no {name}; give at least one")
    # The extremes carry every nan and infinity, without a mask as large as the scores.
    low, high = array.min(axis=-1).astype(np.float64), array.max(axis=-1).astype(np.float64)
    broken = np.argwhere(~((low > -_LARGEST) & (high < _LARGEST)))
    if broken.size:
        place = ", ".join(f"{name[:-1]} {i}" for name, i in zip(names[:-1], broken[0], strict=True))
        raise InputError(
            f"scores: {place} holds nan, infinity or a number beyond 1e100; leave out that trial or fix it"
        )
    return array


def cluster_labels(clusters: ArrayLike | None, n_examples: int) -> NDArray[np.integer] | None:
    """Cluster ids (examples,), or None where there are none. Raises InputError on another shape or type."""
    if clusters is None:
        return None
    labels = np.asarray(clusters)
    if labels.shape != (n_examples,):
        raise InputError(f"clusters have shape {labels.shape}: give one id for each of {n_examples} examples")
    if labels.dtype.kind not in "iu":
        raise InputError(f"clusters are of type {labels.dtype}: number them with integers")
    return labels


def contrast_pairs(
    contrasts: Sequence[tuple[int, int]] | None, baseline: int, n_variants: int
) -> list[tuple[int, int]]:
    """The (variant, baseline) pairs to compare, by default every variant against ``baseline``.

    Raises InputError on an unknown variant, a variant against itself, or a pair given twice.
    """
    _check_variant(baseline, n_variants, "baseline")
    if contrasts is None:
        return [(k, int(baseline)) for k in range(n_variants) if k != baseline]
    pairs: list[tuple[int, int]] = []
    for pair in contrasts:
        if len(pair) != 2:
            raise InputError(f"contrasts: {pair!r} is not a pair (variant, baseline)")
        for variant in pair:
            _check_variant(variant, n_variants, f"contrast {tuple(pair)}")
        if pair[0] == pair[1]:
            raise InputError(f"contrasts: {tuple(pair)} compares a variant with itself; leave it out")
        pairs.append((int(pair[0]), int(pair[1])))
    if len(set(pairs)) < len(pairs):
        twice = next(pair for pair in pairs if pairs.count(pair) > 1)
        raise InputError(f"contrasts: {twice} is given twice; keep one")
    return pairs


def _check_variant(number: Any, n_variants: int, where: str) -> None:
    if not isinstance(number, int | np.integer) or not 0 <= number < n_variants:
        raise InputError(f"{where}: there is no variant {number!r}; they are numbered 0 to {n_variants - 1}")


def group_labels(groups: Sequence[Hashable] | NDArray[Any] | None, n_variants: int) -> list[Hashable]:
    """One pooling label per variant; by default all form one group. InputError on a wrong number of them."""
    if groups is None:
        return [0] * n_variants
    if len(groups) != n_variants:
        raise InputError(f"groups: {len(groups)} labels for {n_variants} variants; give one for each")
    return list(groups)


def paired_flags(paired: bool | Sequence[bool] | NDArray[np.bool_], n_contrasts: int) -> list[bool]:
    """Whether each contrast is paired (contrasts,). Raises InputError on a wrong number or type."""
    flags = np.asarray(paired)
    if flags.dtype != np.bool_ and flags.size:
        raise InputError(f"paired: {paired!r} is not true or false")
    if flags.ndim and flags.shape != (n_contrasts,):
        raise InputError(
            f"paired has shape {flags.shape}: give one bool, or one for each of {n_contrasts} contrasts"
        )
    return [bool(flag) for flag in np.broadcast_to(flags, (n_contrasts,))]


def identical_pairs(
    identical: ArrayLike | None, pairs: Sequence[tuple[int, int]], n_variants: int
) -> list[bool]:
    """Whether the two variants of each contrast have the same inputs (contrasts,).

    ``identical`` (variants, variants) bool, true in either order. Raises InputError on another shape or type.
    """
    if identical is None:
        return [False] * len(pairs)
    same = _bools(identical, "identical")
    if same.shape != (n_variants, n_variants):
        raise InputError(
            f"identical has shape {same.shape}: give a bool for each pair of {n_variants} variants"
        )
    return [bool(same[k, base] or same[base, k]) for k, base in pairs]


def level(alpha: float) -> float:
    """The level of significance. Raises InputError outside (0, 1)."""
    if not 0 < alpha < 1:
        raise InputError(f"alpha {alpha!r}: give a number between 0 and 1, such as 0.05")
    return float(alpha)


def _bools(value: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = np.asarray(value)
    if array.dtype != np.bool_:
        raise InputError(f"{name} is of type {array.dtype}: give booleans")
    return array
