"""Two strategies as another package brings them: a plain function, and one that says what it is."""

from typing import Annotated

import numpy as np

from trimtab.truncation import Bounds, Strategy


def limited(a, b, budget, *, most: Annotated[int, Bounds(0, 512)] = 16):
    """Gives the second side at most `most` tokens, unless the first leaves room for more."""
    kept = np.minimum(a + b, budget)
    second = np.minimum(b, np.maximum(min(most, budget), kept - a))
    return kept - second, second


def evenly(side, keep, context):
    """Keeps tokens at even distances over each text, its first one always."""
    starts = np.repeat(side.offsets[:-1], keep)
    rank = np.arange(keep.sum()) - np.repeat(np.cumsum(keep) - keep, keep)
    return starts + rank * np.repeat(side.lengths, keep) // np.repeat(keep, keep)


# As a Strategy it can say that it does not look at the words, so that reports on probe show its ceiling.
EVENLY = Strategy(evenly, content_dependent=False)
