"""Dropout from an explicit generator, with masks cut from random 64-bit words."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

_LEVELS = 1 << 16


class Dropout(nn.Module):
    """Zero each number with ``probability`` and scale the rest, while training.

    The mask is cut from 64-bit random words, four numbers a word, which costs a tenth of a Bernoulli draw
    a number; so the probability is rounded to a multiple of 1/65536, and the scale goes with the rounded one.
    On CUDA it is torch's own, one kernel each way, which draws from the device's default generator.
    ``generator`` is set by ``seed_dropout``: the seed of a trial fixes every mask.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropped = min(round(probability * _LEVELS), _LEVELS - 1)  # 1 would leave nothing to scale
        self.generator: torch.Generator | None = None

    @property
    def rate(self) -> float:
        """The share of numbers that is dropped now."""
        return self.dropped / _LEVELS if self.training else 0.0

    def forward(self, x: Tensor) -> Tensor:
        """``x`` with some numbers zeroed while training; ``x`` itself otherwise. Any shape."""
        if x.is_cuda:
            return F.dropout(x, self.rate, self.training)
        factors = self.factors(x.shape, x)
        return x if factors is None else x * factors

    def factors(self, shape: Sequence[int], like: Tensor) -> Tensor | None:
        """What ``shape`` numbers are multiplied by, 0 or the scale, in dtype and on device of ``like``.

        None where nothing is dropped.
        """
        if not self.training or self.dropped == 0:
            return None
        numbers = math.prod(shape)
        words = torch.empty((numbers + 3) // 4, dtype=torch.int64, device=like.device)
        words.random_(-(2**63), None, generator=self.generator)
        levels = words.view(torch.int16)[:numbers].view(shape)
        keep = levels >= self.dropped - _LEVELS // 2
        return (keep * (_LEVELS / (_LEVELS - self.dropped))).to(like.dtype)


def seed_dropout(model: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout of ``model`` draw from ``generator``, in the order in which they run."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.generator = generator
