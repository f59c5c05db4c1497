"""Dropout whose masks are made from the random 64-bit words of an explicit generator."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from trimtab.model.initialise import bits_of, set_words, words_of
from trimtab.model.mask_share import MaskShare

_LEVELS = 1 << 16


# How many of the numbers to be dropped each row has, given the rows' lengths.
PerRow = Callable[[NDArray[np.int64]], NDArray[np.int64]]


class Words(Protocol):
    """A source of random 64-bit words, as NumPy's bit generators are."""

    def random_raw(self, size: int) -> NDArray[np.uint64]:
        """The next ``size`` words."""


class Dropout(nn.Module):
    """Zero each number with ``probability`` and scale the rest, in training.

    On a CPU the mask is made from 64-bit random words, four numbers from each, in a few passes over 16-bit
    integers, at a tenth of the cost of a Bernoulli draw per number. So the probability is rounded to a
    multiple of 1/65536, and the scale follows the rounded one. ``seed_dropout`` sets the generator, so that a
    trial's seed fixes every mask.
    On CUDA it is torch's own, one kernel in each direction, which draws from the device's default generator.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropped = min(round(probability * _LEVELS), _LEVELS - 1)  # 1 would leave nothing to scale
        self.generator: Words | None = None
        self.share: MaskShare | None = None

    @property
    def rate(self) -> float:
        """The share of numbers that is dropped, 0 in evaluation."""
        return self.dropped / _LEVELS if self.training else 0.0

    def forward(self, x: Tensor) -> Tensor:
        """``x`` with some numbers zeroed in training; ``x`` itself in evaluation. Any shape."""
        if x.is_cuda:
            return F.dropout(x, self.rate, self.training)
        factors = self.factors(x.shape, x.device, x.dtype, self._per_row(x))
        return x if factors is None else x * factors

    def _per_row(self, x: Tensor) -> PerRow:
        """Of numbers of every token, or of every row where ``x`` has as many rows."""
        width, by_token = math.prod(x.shape[1:]), self.share is not None and len(x) == self.share.tokens
        return lambda lengths: width * (lengths if by_token else np.ones_like(lengths))

    def factors(
        self, shape: Sequence[int], device: torch.device, dtype: torch.dtype, per_row: PerRow
    ) -> Tensor | None:
        """Factors for numbers of this ``shape``, each 0 or the scale; None where nothing is dropped.

        per_row: how many of them each row has, which matters where processes share the rows.
        """
        if not self.training or self.dropped == 0:
            return None
        if device.type == "cuda":
            return F.dropout(torch.ones(shape, dtype=dtype, device=device), self.rate)
        numbers = math.prod(shape)
        before, of_all = self.share.place(per_row) if self.share else (0, numbers)
        return self._scaled(self._levels(of_all)[before : before + numbers].view(shape), dtype)

    def by_group(
        self, groups: Sequence[tuple[int, int]], per_row: PerRow, longer_than: int = 0
    ) -> Iterator[Callable[[Tensor], Tensor]]:
        """For each of ``groups``, (rows, length), the function that drops numbers of its rows.

        They are to be called one after another. per_row: as in ``factors``. longer_than: the length from
        which on the groups have numbers to be dropped at all.
        """
        if self.share is None or self.rate == 0:
            yield from repeat(self, len(groups))
            return
        for length, rows, before, own in self.share.groups(longer_than):
            each = int(per_row(np.array([length]))[0])
            levels = self._levels(rows * each)[before * each : (before + own) * each]
            if own:
                yield lambda x, levels=levels: x * self._scaled(levels.view(x.shape), x.dtype)  # type: ignore[misc]

    def _scaled(self, levels: Tensor, dtype: torch.dtype) -> Tensor:
        """Factors from random int16, which are overwritten."""
        last = self.dropped - 1 - _LEVELS // 2  # of the levels that are dropped
        keep = levels.clamp_(last, last + 1).sub_(last)
        return keep.to(dtype).mul_(_LEVELS / (_LEVELS - self.dropped))

    def _levels(self, numbers: int) -> Tensor:
        """Random int16, (numbers,), uniform over all their values."""
        if self.generator is None:
            raise RuntimeError("seed_dropout has not been called on the model of this layer")
        words: np.ndarray = self.generator.random_raw((numbers + 3) // 4)
        return torch.from_numpy(words.view(np.int16)[:numbers])


class Masks(dict[int, np.random.SFC64]):
    """The generators of a trial's dropout masks, one per number of a batch's part, made on first use.

    Each part has its own, so that its masks do not depend on the order in which threads compute the parts.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def __missing__(self, number: int) -> np.random.SFC64:
        self[number] = made = bits_of(self.seed, "dropout" if number == 0 else f"dropout {number}")
        return made

    def words(self) -> dict[int, list[int]]:
        """The states of all generators that were made, for a checkpoint."""
        return {number: words_of(each) for number, each in self.items()}

    def set(self, words: Mapping[int, list[int]]) -> None:
        """Restore the states that ``words`` gave."""
        for number, each in words.items():
            set_words(self[number], each)


def seed_dropout(model: nn.Module, generator: Words, share: MaskShare | None = None) -> None:
    """Let every dropout layer of ``model`` draw from ``generator``, in the order in which they run.

    share: which rows of a batch's part come next, where processes share the part: masks are drawn of all its
    rows, and used of these. None: of the whole part.
    """
    for module in model.modules():
        if isinstance(module, Dropout):
            module.generator, module.share = generator, share
