"""Splits: how many tokens each side of a pair keeps.

Each is a pure function ``(a, b, budget, **options) -> (ka, kb)`` over arrays (pairs,) int64 of the lengths
of both sides, without special tokens, and one budget of at least 0 tokens for both. Unless it raises,
0 <= ka <= a, 0 <= kb <= b and ka + kb = min(a + b, budget); so nothing is cut where a pair fits.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.truncation.options import Count, Share, rounded_share

Lengths = NDArray[np.int64]
Tie = Literal["bert", "hf_fast", "tf_text"]
Otherwise = Literal["error", "longest_first"]


def longest_first(a: Lengths, b: Lengths, budget: int, *, tie: Tie = "bert") -> tuple[Lengths, Lengths]:
    """Takes tokens from the longer side until the pair fits; `tie` says from which when they are equal.

    ``bert`` takes a tie from the second (Google's BERT, d2l, Hugging Face's slow tokenisers; TensorFlow
    Text's RoundRobinTrimmer and KerasHub's ``round_robin`` keep as much), ``tf_text`` from the first
    (TensorFlow Text's ShrinkLongestTrimmer). ``hf_fast`` gives the odd token of the budget to the longer
    side, and to the second when they are equal (Hugging Face tokenizers, in Rust).
    """
    # What the first side keeps when both are cut.
    half: int | Lengths
    match tie:
        case "bert":
            half = (budget + 1) // 2
        case "tf_text":
            half = budget // 2
        case "hf_fast":
            half = budget // 2 + (a > b) * (budget % 2)
    kept = np.minimum(a + b, budget)
    first = np.minimum(a, np.maximum(half, kept - b))
    return first, kept - first


def ratio(a: Lengths, b: Lengths, budget: int, *, minimum: Count = 1) -> tuple[Lengths, Lengths]:
    """Shrinks both sides in proportion to their lengths, to no fewer than `minimum` tokens each.

    Exact shares are rounded by largest remainder, a tie going to the first. A side shorter than the minimum
    is kept whole; where the budget has no room for both minima, the minimum is ignored.
    """
    kept = np.minimum(a + b, budget)
    total = np.maximum(a + b, 1)
    # With two shares, largest remainder is rounding half up: the two remainders are 0 and 0, or add up to 1.
    first = (2 * a * kept + total) // (2 * total)
    low, high = np.minimum(a, minimum), kept - np.minimum(b, minimum)
    first = np.where(low <= high, np.clip(first, low, high), first)
    return first, kept - first


def only_first(
    a: Lengths, b: Lengths, budget: int, *, otherwise: Otherwise = "error"
) -> tuple[Lengths, Lengths]:
    """Cuts the first side only; `otherwise` says what happens where the second alone exceeds the budget.

    ``error`` raises an InputError; ``longest_first`` treats those pairs as longest_first does. Hugging Face's
    ``only_first`` returns a pair over max_len there, or raises in the middle of the data.
    """
    if otherwise == "error":
        _refuse(b, budget, "only_first", "second")
    kept = np.minimum(a + b, budget)
    first = kept - b
    if otherwise == "longest_first":
        first = np.where(b > budget, longest_first(a, b, budget)[0], first)
    return first, kept - first


def only_second(
    a: Lengths, b: Lengths, budget: int, *, otherwise: Otherwise = "error"
) -> tuple[Lengths, Lengths]:
    """Cuts the second side only; `otherwise` says what happens where the first alone exceeds the budget.

    As only_first, with the sides exchanged; but the ties of longest_first are not.
    """
    if otherwise == "error":
        if np.any(a > budget) and not np.any(b):
            raise InputError("only_second has nothing to cut, as no row has a second text; use longest_first")
        _refuse(a, budget, "only_second", "first")
    kept = np.minimum(a + b, budget)
    first = np.minimum(a, budget)
    if otherwise == "longest_first":
        first = np.where(a > budget, longest_first(a, b, budget)[0], first)
    return first, kept - first


def first_priority(a: Lengths, b: Lengths, budget: int) -> tuple[Lengths, Lengths]:
    """Gives the first side what it needs, and the second what is left.

    TensorFlow Text's WaterfallTrimmer and KerasHub's ``waterfall`` do it so. With ``head`` on both sides it
    cuts the two texts as if they were one.
    """
    first = np.minimum(a, budget)
    return first, np.minimum(b, budget - first)


def second_priority(a: Lengths, b: Lengths, budget: int) -> tuple[Lengths, Lengths]:
    """Gives the second side what it needs, and the first what is left."""
    second = np.minimum(b, budget)
    return np.minimum(a, budget - second), second


def fixed(a: Lengths, b: Lengths, budget: int, *, first: Share = 0.7) -> tuple[Lengths, Lengths]:
    """Gives the share `first` of the budget to the first side; what one side leaves goes to the other.

    The share is floor(first * budget + 1/2) tokens. Half of the budget for each side is longest_first.
    """
    kept = np.minimum(a + b, budget)
    # A budget that is never reached may be larger than a share can be taken of exactly.
    reached = kept.max(initial=0, keepdims=True)
    keep_first = np.minimum(a, np.maximum(rounded_share(first, reached), kept - b))
    return keep_first, kept - keep_first


def _refuse(whole: Lengths, budget: int, split: str, side: str) -> None:
    rows = np.flatnonzero(whole > budget)
    if len(rows):
        raise InputError(
            f"{split} keeps the {side} text whole, but in {len(rows):,} of {len(whole):,} pairs it alone "
            f"exceeds the budget of {budget} tokens, first in row {rows[0]} (counted from 0), where it has "
            f"{whole[rows[0]]}; use {split}(otherwise=longest_first) or a larger max_len"
        )
