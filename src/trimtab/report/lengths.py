"""The axis of max_len: numeric, with a tick at each length that a study has, as far as there is room."""

import math
from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from trimtab.study.compared import ComparedVariant

_LOG = 4  # a larger ratio of the longest to the shortest length asks for a logarithmic axis
_MARGIN = 0.06  # of the axis beyond the first and last length
_ROOM = 16  # points of print that a tick's label needs


def tokens_of(variant: ComparedVariant) -> int:
    """Its max_len, 0 where nothing is known of one: then it is 0 of all that are compared with it."""
    return variant.max_len or 0


def length_axis(axes: Axes, lengths: Sequence[int], width: float) -> float:
    """Make x the axis of these ascending lengths, at least two; the smallest gap between two, in points.

    width: of the figure, inches, from which the axis' own width is estimated.
    """
    low, high = lengths[0], lengths[-1]
    is_log = high / low > _LOG
    at = [math.log2(length) if is_log else float(length) for length in lengths]
    margin = _MARGIN * (at[-1] - at[0])
    points = 72 * (width - 0.7) / (at[-1] - at[0] + 2 * margin)
    if is_log:
        axes.set_xscale("log", base=2)
        axes.set_xlim(2 ** (at[0] - margin), 2 ** (at[-1] + margin))
    else:
        axes.set_xlim(at[0] - margin, at[-1] + margin)
    kept = _apart([points * place for place in at])
    axes.xaxis.set_major_locator(FixedLocator([lengths[number] for number in kept]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("max_len, tokens")
    return points * min(after - before for before, after in pairwise(at))


def _apart(places: Sequence[float]) -> list[int]:
    """The numbers of places between which a label has room, the first and the last one among them."""
    kept = [0]
    for number, place in enumerate(places[1:-1], 1):
        if place - places[kept[-1]] >= _ROOM and places[-1] - place >= _ROOM:
            kept.append(number)
    return [*kept, len(places) - 1]
