"""Dropout from an explicit generator, with masks cut from random 64-bit words."""

import torch
from torch import Tensor, nn

_LEVELS = 1 << 16


class Dropout(nn.Module):
    """Zero each number with ``probability`` and scale the rest, while training.

    The mask is cut from 64-bit random words, four numbers a word, which costs a tenth of a Bernoulli draw
    a number; so the probability is rounded to a multiple of 1/65536, and the scale goes with the rounded one.
    ``generator`` is set by ``seed_dropout``: the seed of a trial fixes every mask.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.dropped = min(round(probability * _LEVELS), _LEVELS - 1)  # 1 would leave nothing to scale
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """``x`` with some numbers zeroed while training; ``x`` itself otherwise. Any shape."""
        if not self.training or self.dropped == 0:
            return x
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64, device=x.device)
        words.random_(-(2**63), None, generator=self.generator)
        levels = words.view(torch.int16)[: x.numel()].view(x.shape)
        keep = levels >= self.dropped - _LEVELS // 2
        return x * (keep * (_LEVELS / (_LEVELS - self.dropped))).to(x.dtype)


def seed_dropout(model: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout of ``model`` draw from ``generator``, in the order in which they run."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.generator = generator
