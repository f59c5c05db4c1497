"""Truncation: a split and a selection for each side, written as a spec string, for whole data sets."""

import operator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError
from trimtab.ragged import Ragged, offsets_of
from trimtab.truncation.context import Context, document_frequencies
from trimtab.truncation.grammar import Spec, read_specs
from trimtab.truncation.registry import SELECTIONS, SPLITS, Choice


class Kept(NamedTuple):
    """What is kept: flat indices into the values of each side, and how many tokens of each row.

    `first` (sum of keep_first,) and `keep_first` (rows,) are int64, `second` and `keep_second` likewise, or
    None where there is no second text.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64] | None
    keep_first: NDArray[np.int64]
    keep_second: NDArray[np.int64] | None


@dataclass(frozen=True)
class Truncation:
    """A split and a selection for each side; ``parse`` makes it, ``str`` gives its canonical spec string.

    What ``fit`` counted is ignored in comparisons: the same spec is the same truncation.
    """

    splitting: Choice
    selecting: tuple[Choice, Choice]
    frequencies: NDArray[np.int64] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """The shortest spec string: defaults, and ``head`` on both sides, are omitted."""
        split = self.splitting.spec()
        first, second = (choice.spec() for choice in self.selecting)
        if first != second:
            return f"{split}+{first}/{second}"
        return split if first == "head" else f"{split}+{first}"

    @cached_property  # asked for by every variant of a large study
    def resolved(self) -> str:
        """The longest spec string: every option and both selections, for a configuration that is hashed."""
        first, second = (choice.spec(resolved=True) for choice in self.selecting)
        return f"{self.splitting.spec(resolved=True)}+{first}/{second}"

    @property
    def content_dependent(self) -> bool:
        """Whether a selection depends on the words, so that no ceiling is known on probe."""
        return any(choice.strategy.content_dependent for choice in self.selecting)

    @property
    def cuts_fitting(self) -> bool:
        """Whether it may cut a pair that the budget has room for, as ``capped`` does."""
        return self.splitting.strategy.cuts_fitting

    @property
    def needs_fit(self) -> bool:
        """Whether ``fit`` must be called before ``keep`` and ``apply``."""
        return any(choice.strategy.needs_fit for choice in self.selecting)

    def split(
        self, len_first: ArrayLike, len_second: ArrayLike, budget: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """How many tokens each side keeps: lengths (pairs,) in, (keep_first, keep_second) (pairs,) int64 out.

        Lengths and the budget count no special tokens. InputError where the budget is negative, or where
        the split refuses a pair.
        """
        a, b, budget = _lengths(len_first), _lengths(len_second), _budget(budget)
        if a.shape != b.shape:
            raise InputError(f"{len(a)} first texts, but {len(b)} second texts: there must be as many")
        kept = self.splitting(a, b, budget)
        if self.splitting.name not in SPLITS:
            _check_split(self.splitting.name, a, b, budget, *kept)
        return kept

    def fit(self, first: Ragged, second: Ragged | None = None) -> "Truncation":
        """Counts what the selections need in the training split; returns itself where they need nothing."""
        if not self.needs_fit:
            return self
        sides = [first] if second is None else [first, second]
        return replace(self, frequencies=document_frequencies(*sides))

    def keep(self, first: Ragged, second: Ragged | None, budget: int) -> Kept:
        """Which tokens are kept; a single text, without `second`, is split as if the second had no tokens.

        InputError as in ``split``, where ``fit`` is missing, and where the split is for pairs alone.
        """
        if second is None and self.splitting.strategy.pairs_only:
            raise InputError(
                f"{self.splitting.name} limits each text of a pair, and these are single texts; use another "
                "split, such as longest_first, and a smaller max_len"
            )
        lengths = np.zeros(len(first), np.int64) if second is None else second.lengths
        keep_first, keep_second = self.split(first.lengths, lengths, budget)
        indices = self._select(0, first, keep_first)
        if second is None:
            return Kept(indices, None, keep_first, None)
        return Kept(indices, self._select(1, second, keep_second), keep_first, keep_second)

    def apply(self, first: Ragged, second: Ragged | None, budget: int) -> tuple[Ragged, Ragged | None]:
        """Both sides cut to the budget as by ``keep``; a side that loses nothing is not copied."""
        kept = self.keep(first, second, budget)
        cut = _gather(first, kept.first, kept.keep_first)
        if second is None or kept.second is None or kept.keep_second is None:
            return cut, None
        return cut, _gather(second, kept.second, kept.keep_second)

    def _select(self, number: int, side: Ragged, keep: NDArray[np.int64]) -> NDArray[np.int64]:
        choice = self.selecting[number]
        if choice.strategy.needs_fit and self.frequencies is None:
            raise InputError(
                f"{choice.name} must be fitted first: call fit(first, second) on the training split"
            )
        start, end = side.offsets[0], side.offsets[-1]
        total = keep.sum()
        if total == end - start:
            return np.arange(start, end)
        indices = choice(side, keep, Context(number, self.frequencies))
        if choice.name not in SELECTIONS:
            _check_selection(choice.name, side, keep, indices)
        return indices


def parse(text: str) -> Truncation:
    """The truncation a spec string names, such as ``ratio(minimum=1)+head_tail(head=0.25)/tail``.

    InputError, with the nearest known name, where a name, an option or a value is wrong; with a caret under
    the fault where the syntax is.
    """
    if not isinstance(text, str):
        raise InputError(f"a truncation is a spec string such as 'longest_first+tail', not {text!r}")
    try:
        split, selections = read_specs(text)
        splitting = Choice.of("split", split)
        first, *second = [Choice.of("selection", spec) for spec in selections or [Spec("head", {})]]
        return Truncation(splitting, (first, second[0] if second else first))
    except InputError as error:
        raise InputError(f"truncation {text!r}: {error}") from error.__cause__


def no_room(max_len: int, special: int) -> InputError:
    """The error for a ``max_len`` that leaves no room beside ``special`` special tokens."""
    return InputError(
        f"max_len {max_len} leaves no room beside the special tokens; use {special + 1} or more"
    )


def _budget(budget: int) -> int:
    budget = operator.index(budget)
    if budget < 0:
        raise InputError(
            f"the budget is {budget} tokens, below 0: max_len must have room for the special tokens "
            "(3 for a pair, 2 for a single text)"
        )
    return min(budget, np.iinfo(np.int64).max)


def _lengths(lengths: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(lengths)
    if array.ndim != 1 or (array.size and (array.dtype.kind not in "iu" or array.min() < 0)):
        raise InputError("lengths must be a one-dimensional array of whole numbers from 0 on")
    if array.max(initial=0) >= _LONGEST:
        raise InputError(f"a text of {array.max():,} tokens is too long; texts must be under {_LONGEST:,}")
    return array.astype(np.int64, copy=False)


# So that no product in a split overflows 64 bits.
_LONGEST = 2**30


# Built-in strategies are verified by the tests; a plugin's could silently return rows over max_len, or the
# tokens of another row.


def _check_split(name: str, a: Any, b: Any, budget: int, first: Any, second: Any) -> None:
    _check_whole("split", name, first, second)
    within = (first >= 0) & (first <= a) & (second >= 0) & (second <= b)
    wrong = np.flatnonzero(~within | (first + second != np.minimum(a + b, budget)))
    if len(wrong):
        row = wrong[0]
        raise InputError(
            f"split {name} keeps {first[row]} + {second[row]} tokens of {a[row]} + {b[row]} at a budget of "
            f"{budget} (row {row}); it must keep min(a + b, budget), and of no side more than it has: this "
            "is a plugin bug; report it to its author"
        )


def _check_selection(name: str, side: Ragged, keep: NDArray[np.int64], indices: Any) -> None:
    _check_whole("selection", name, indices)
    if len(indices) != keep.sum():
        raise InputError(
            f"selection {name} kept {len(indices)} tokens where it was asked for {keep.sum()}: this is a "
            "plugin bug; report it to its author"
        )
    rows = np.repeat(np.arange(len(side)), keep)
    inside = (indices >= side.offsets[rows]) & (indices < side.offsets[rows + 1])
    rising = (np.diff(indices, prepend=-1) > 0) | (np.diff(rows, prepend=-1) > 0)
    wrong = np.flatnonzero(~(inside & rising))
    if len(wrong):
        raise InputError(
            f"selection {name} must keep tokens of the row, each once and in order, but does not (row "
            f"{rows[wrong[0]]}): this is a plugin bug; report it to its author"
        )


def _check_whole(kind: str, name: str, *arrays: Any) -> None:
    for array in arrays:
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iu" or array.ndim != 1:
            raise InputError(
                f"{kind} {name} returns no integer arrays: this is a plugin bug; report it to its author"
            )


def _gather(side: Ragged, indices: NDArray[np.int64], keep: NDArray[np.int64]) -> Ragged:
    if len(indices) == side.offsets[-1] - side.offsets[0]:
        return side
    return Ragged(side.values[indices], offsets_of(keep))
