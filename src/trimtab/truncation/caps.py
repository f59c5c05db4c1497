"""A limit on each text of a pair: the split ``capped``."""

from collections.abc import Callable
from typing import Annotated, cast

import numpy as np

from trimtab.truncation.options import Bounds, SplitName
from trimtab.truncation.splits import Lengths

Cap = Annotated[int | None, Bounds(0, 2**30)]  # no text is longer
Splitting = Callable[[Lengths, Lengths, int], tuple[Lengths, Lengths]]
Split = Annotated[str, SplitName()]


def capped(
    a: Lengths,
    b: Lengths,
    budget: int,
    *,
    first: Cap = None,
    second: Cap = None,
    otherwise: Split = "longest_first",
) -> tuple[Lengths, Lengths]:
    """Keeps at most `first` and `second` tokens of each text; `otherwise` splits what is still too long.

    Unlike other splits it may cut a pair that fits: with a' = min(a, first) and b' = min(b, second) it keeps
    0 <= ka <= a', 0 <= kb <= b' and ka + kb = min(a' + b', budget). So what one text leaves of the budget
    goes to the other, up to the other's own cap; a text without a cap may have all of it. A cap of the budget
    or more limits nothing.

    ``capped(first=64, otherwise=only_second)`` does what FlagEmbedding's rerankers do for a
    ``query_max_length`` of 64: it cuts the query to that, and then the passage to the tokens that are left.
    """
    split = cast(Splitting, otherwise)  # the registry has read the name
    return split(_limited(a, first), _limited(b, second), budget)


def _limited(lengths: Lengths, cap: int | None) -> Lengths:
    return lengths if cap is None else np.minimum(lengths, cap)
