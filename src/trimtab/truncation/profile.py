"""The profile of a set of pairs: how long they are, and what would be cut of them at any max_len."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.truncation.spec import Truncation

_BINS = 40
_LENGTHS = 60  # values of max_len that a curve goes through
_CENTILE = 99.5  # the few texts beyond it would squeeze all others together
_FAR = 12  # how many times a usual text the longest shown may be before only a logarithmic axis shows both

Lengths = NDArray[np.int64]


@dataclass(frozen=True)
class Distribution:
    """How long texts are: ``edges`` of bins in tokens (closed at the left), and the ``shares`` in them.

    On a logarithmic axis a share is that of a doubling of the length.
    """

    what: str
    edges: tuple[int, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class SplitShares:
    """The share of pairs that lose tokens of the first and of the second text by one split, at each max_len.

    None where the split refuses a pair.
    """

    split: str
    first: tuple[float | None, ...]
    second: tuple[float | None, ...]


@dataclass(frozen=True)
class Axis:
    """The axis of lengths: its ends, whether it is logarithmic, the share of pairs ``beyond`` its end."""

    low: int
    high: int
    log: bool
    beyond: float
    longest: int


@dataclass(frozen=True)
class LengthProfile(Axis):
    """What a figure of lengths and cuts shows; shares are from 0 to 1.

    marks: the values of max_len that matter. distributions: of each text, and last of the whole row with its
    ``special`` tokens. max_len: where the curves stand. cut: the share of pairs cut there by whatever
    truncation. splits: one for each distinct split; single texts have none.
    """

    pairs: int
    special: int
    marks: tuple[int, ...]
    distributions: tuple[Distribution, ...]
    max_len: tuple[int, ...]
    cut: tuple[float, ...]
    splits: tuple[SplitShares, ...]


@dataclass(frozen=True)
class LengthSummary:
    """How long rows are with their special tokens, in tokens. The centiles interpolate linearly."""

    pairs: int
    mean: float
    median: float
    p90: float
    p99: float
    longest: int


def length_profile(
    len_first: ArrayLike,
    len_second: ArrayLike | None,
    truncations: Sequence[Truncation],
    marks: Sequence[int],
    special: int,
) -> LengthProfile:
    """What a figure of lengths and cuts shows.

    Lengths (pairs,) count no special tokens, of which a row has ``special``; the second ones are None for
    single texts. ``marks`` are the values of max_len that matter. InputError where there are no pairs.
    """
    a = np.asarray(len_first, np.int64)
    if not len(a):
        raise InputError("there are no pairs to audit: the data is empty")
    b = np.zeros_like(a) if len_second is None else np.asarray(len_second, np.int64)
    texts = {f"text, with its {special} special tokens": a + special}
    if len_second is not None:
        whole = {f"pair, with its {special} special tokens": a + b + special}
        texts = {"first text": a, "second text": b} | whole
    axis = _axis(list(texts.values()), marks)
    grid = np.union1d(_spaced(max(axis.low, special + 1), axis.high, _LENGTHS, axis.log), marks)
    pairs, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    return LengthProfile(
        **asdict(axis),
        pairs=len(a),
        special=special,
        marks=tuple(int(mark) for mark in marks),
        distributions=tuple(_distribution(what, side, axis) for what, side in texts.items()),
        max_len=tuple(grid.tolist()),
        cut=tuple(float(counts[pairs.sum(axis=0) + special > length].sum() / len(a)) for length in grid),
        splits=() if len_second is None else _splits(truncations, pairs, counts, grid - special),
    )


def length_summary(len_first: ArrayLike, len_second: ArrayLike | None, special: int) -> LengthSummary:
    """How long rows are with their ``special`` tokens; lengths as above. InputError without pairs."""
    first = np.asarray(len_first, np.int64)
    if not len(first):
        raise InputError("there are no pairs to audit: the data is empty")
    whole = first + special + (0 if len_second is None else np.asarray(len_second, np.int64))
    median, p90, p99 = np.percentile(whole, [50, 90, 99]).tolist()
    return LengthSummary(len(whole), float(whole.mean()), median, p90, p99, int(whole.max()))


def _axis(texts: list[Lengths], marks: Sequence[int]) -> Axis:
    whole = texts[-1]
    high = max(int(np.ceil(np.percentile(whole, _CENTILE))), *marks, 2)
    usual = max(1.0, min(float(np.median(side)) for side in texts))
    log = high > _FAR * usual
    return Axis(
        low=max(1, min(int(side.min()) for side in texts)) if log else 0,
        high=high,
        log=bool(log),
        beyond=float(np.mean(whole > high)),
        longest=int(whole.max()),
    )


def _spaced(low: int, high: int, number: int, log: bool) -> Lengths:
    """At most ``number`` different whole numbers from low to high, even or in even proportion."""
    low = min(low, high)
    steps = np.geomspace(low, high, number) if log else np.linspace(low, high, number)
    return np.unique(np.round(steps).astype(np.int64))


def _distribution(what: str, side: Lengths, axis: Axis) -> Distribution:
    if axis.log:
        edges = _spaced(axis.low, axis.high + 1, _BINS + 1, True)
        widths = np.diff(np.log2(edges))  # whole numbers cannot be in even proportion
    else:
        width = -(-(axis.high + 1 - axis.low) // _BINS)
        edges = np.arange(axis.low, axis.high + 1 + width, width)
        widths = np.ones(len(edges) - 1)
    places = np.searchsorted(edges, side, side="right") - 1
    inside = places[(places >= 0) & (places < len(widths))]
    shares = np.bincount(inside, minlength=len(widths)) / len(side) / widths
    return Distribution(what, tuple(edges.tolist()), tuple(shares.tolist()))


def _splits(
    truncations: Sequence[Truncation], pairs: NDArray[np.int64], counts: Lengths, budgets: Lengths
) -> tuple[SplitShares, ...]:
    distinct = {truncation.splitting.spec(): truncation for truncation in truncations}
    found = []
    for name, truncation in distinct.items():
        shares = [_lost(truncation, pairs, counts, int(budget)) for budget in budgets]
        first, second = zip(*shares, strict=True)
        found.append(SplitShares(name, first, second))
    return tuple(found)


def _lost(
    truncation: Truncation, pairs: NDArray[np.int64], counts: Lengths, budget: int
) -> tuple[float, float] | tuple[None, None]:
    try:
        kept = truncation.split(pairs[0], pairs[1], budget)
    except InputError:
        return None, None
    shares = [float(counts[keep < side].sum() / counts.sum()) for keep, side in zip(kept, pairs, strict=True)]
    return shares[0], shares[1]


def shortest_uncut(
    len_first: ArrayLike, len_second: ArrayLike | None, special: int, shares: Sequence[float]
) -> dict[float, int]:
    """By share: the smallest max_len with which at least that share of rows is left whole by any truncation.

    Lengths (rows,) are without the ``special`` tokens that each row gets. InputError where there are no rows.
    """
    first = np.asarray(len_first, np.int64)
    if not len(first):
        raise InputError("there are no rows to measure: the data is empty")
    rows = np.sort(first if len_second is None else first + np.asarray(len_second, np.int64)) + special
    return {share: int(rows[math.ceil(share * len(rows)) - 1]) for share in shares}
