"""Windows: not cutting at all. A row that is too long becomes several rows over its second text.

Written ``second(stride=0.5, pooling=max)``, or ``none``: then rows are truncated.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.ragged import ranges
from trimtab.truncation.grammar import Spec, read_specs
from trimtab.truncation.options import options_of, read_options, rounded_share

Pooling = Literal["max", "mean", "first"]
NO_WINDOWS = "none"
_NAME = "second"
_WRITE = "write none or second(stride=0.5, pooling=max)"


def _second(*, stride: float = 0.5, pooling: Pooling = "max") -> None:
    """Its parameters are the options of ``second``."""


@dataclass(frozen=True)
class Windows:
    """How windows over the second text are laid, and how the logits of a row's windows become the row's.

    Only rows over the budget have windows. In each the first text is whole; the room R is what it leaves of
    the budget. A window begins ``step`` = max(1, floor(stride * R + 1/2)) tokens after the one before, and
    the last ends where the text ends: there are 1 + ceil((b - R) / step) over b tokens, all of R tokens. Of
    single texts the text is windowed, and R is the budget.

    pooling: of each logit by itself: its maximum or mean over the windows, or that of the first window, which
    then is the only one (the MaxP and FirstP of Dai and Callan 2019, arXiv:1905.09217).
    """

    stride: float = 0.5
    pooling: Pooling = "max"

    def __str__(self) -> str:
        """The spec string with both options."""
        return str(Spec(_NAME, {"stride": self.stride, "pooling": self.pooling}))


@dataclass(frozen=True, eq=False)
class Laid:
    """Where the windows of some rows lie.

    counts: (rows,) windows of each row, 1 where it fits; row: (windows,) the row of each window, rows in
    order; start, keep: (windows,) the first token of the windowed text in it, and how many of them it has.
    """

    counts: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]
    keep: NDArray[np.int64]


def parse_windows(text: str) -> Windows | None:
    """The windows that a spec string names, None for ``none``; InputError where it is wrong."""
    if not isinstance(text, str):
        raise InputError(f"windows = {text!r} is wrong; {_WRITE}")
    if text.strip() == NO_WINDOWS:
        return None
    try:
        spec, selections = read_specs(text)
        if spec.name != _NAME or selections:
            raise InputError(f"only the second text can have windows: {_WRITE}")
        options = dict(read_options(_NAME, options_of(_second), spec.options))
        if not 0 < options["stride"] <= 1:
            raise InputError(
                f"stride must be over 0 and at most 1, not {options['stride']}: it is the share of a "
                "window's room by which the next one advances"
            )
    except InputError as error:
        raise InputError(f"windows {text!r}: {error}") from error.__cause__
    return Windows(**options)


def lay(windows: Windows, first: NDArray[np.int64], second: NDArray[np.int64] | None, budget: int) -> Laid:
    """Where windows lie in rows whose texts have these lengths, (rows,) each; second: None of single texts.

    Of pairs the first text stays whole in each window; of single texts nothing does.
    InputError where the whole text leaves no room.
    """
    whole, windowed = (np.zeros_like(first), first) if second is None else (first, second)
    too_long = whole + windowed > budget
    room = budget - whole
    refused = np.flatnonzero(too_long & (room < 1))
    if len(refused):
        row = refused[0]
        raise InputError(
            f"windows keep the first text whole, but in {len(refused):,} of {len(whole):,} pairs it leaves "
            f"no token of the budget of {budget} to the second, first in row {row} (counted from 0), where "
            f"it has {whole[row]}; use a larger max_len, or windows = 'none'"
        )
    keep = np.where(too_long, room, windowed)
    step = np.maximum(1, rounded_share(windows.stride, np.maximum(room, 0)))
    beyond = np.where(too_long, windowed - room, 0)
    counts = 1 + -(-beyond // step)
    if windows.pooling == "first":
        counts = np.ones_like(counts)
    row = np.repeat(np.arange(len(counts)), counts)
    within = ranges(np.zeros_like(counts), counts)
    start = np.minimum(within * step[row], beyond[row])
    return Laid(counts, row, start, keep[row])
