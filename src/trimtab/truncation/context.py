"""What a selection knows besides the row: which side it is, and counts from the training split."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import Ragged, pieces


@dataclass(frozen=True, eq=False)
class Context:
    """The side a selection works on (0 first, 1 second) and what ``Truncation.fit`` has counted.

    ``document_frequencies`` (largest token + 1,) int64, None before a fit: see the function of that name.
    """

    side: int = 0
    document_frequencies: NDArray[np.int64] | None = None


def document_frequencies(*sides: Ragged) -> NDArray[np.int64]:
    """In how many texts each token occurs: (largest token + 1,) int64, indexed by token.

    A document is one text, so a token in both texts of a pair counts twice.
    """
    size = max((int(side.values.max()) + 1 for side in sides if len(side.values)), default=0)
    counts = np.zeros(size, np.int64)
    for side in sides:
        for rows in pieces(side):
            part = side.part(rows)
            numbers = np.repeat(np.arange(len(part)), part.lengths)
            counts += np.bincount(np.unique(numbers * size + part.values) % max(size, 1), minlength=size)
    return counts
