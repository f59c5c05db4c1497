"""What attention knows of the distance between tokens: rotary positions, biases by distance, a window."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from trimtab.data.batch import Batch
from trimtab.model.architecture import Architecture

_FARTHEST = 128  # tokens; all that are farther apart share the last bucket


@dataclass(frozen=True, eq=False)
class Relations:
    """What one batch's attention is told of distances; None where the architecture has no such thing.

    rotation: cosines and sines, (T, head width / 2) each, by which pairs of a query's and a key's numbers are
    rotated. bias: added to scores, for each group of rows of equal length (heads, length, length), all in one
    (numbers,). window: tokens on either side that a token attends to, 0 for all.
    """

    rotation: tuple[Tensor, Tensor] | None = None
    bias: Tensor | None = None
    window: int = 0


NONE = Relations()


class Distances(nn.Module):
    """Makes the ``Relations`` of a batch for the layers of an encoder: one for global, one for windowed ones.

    ``bias``: the table of attention biases, (buckets, heads), where the architecture has one (Raffel et al.
    2020, section 2.1; Song et al. 2020).
    """

    def __init__(self, size: Architecture) -> None:
        super().__init__()
        self.size = size
        self.bias = nn.Embedding(size.relative_buckets, size.heads) if size.relative_buckets else None

    def forward(self, batch: Batch) -> tuple[Relations, Relations]:
        """The relations in global layers, and in windowed ones."""
        size = self.size
        if size.rotary_base is None and self.bias is None:
            return NONE, Relations(window=size.window)
        everywhere = Relations(self._rotation(batch, size.rotary_base), self._bias(batch))
        if not size.window:
            return everywhere, everywhere
        near = self._rotation(batch, size.window_rotary_base or size.rotary_base)
        return everywhere, Relations(near, everywhere.bias, size.window)

    def _rotation(self, batch: Batch, base: float | None) -> tuple[Tensor, Tensor] | None:
        if base is None:
            return None
        width = self.size.hidden // self.size.heads
        exponents = torch.arange(0, width, 2, device=batch.positions.device, dtype=torch.float32) / width
        angles = batch.positions[:, None].float() * (1.0 / base**exponents)
        return angles.cos(), angles.sin()

    def _bias(self, batch: Batch) -> Tensor | None:
        if self.bias is None:
            return None
        device, buckets = batch.tokens.device, self.size.relative_buckets
        tables = [self.bias(bucket_table(length, buckets).to(device)) for _, length in batch.groups]
        return torch.cat([table.permute(2, 0, 1).flatten() for table in tables])


def bucket_table(length: int, buckets: int) -> Tensor:
    """The bucket of each query's distance to each key of a row: (length, length) int64.

    Half of the buckets are for keys after the query. Of each half, the first half are for single distances,
    the others grow logarithmically up to a distance of 128.
    """
    return _buckets(1 << (length - 1).bit_length(), buckets)[:length, :length]


@cache
def _buckets(length: int, buckets: int) -> Tensor:
    """The table of the longest rows; that of shorter ones is its corner."""
    with torch.inference_mode(False):  # it is kept, and may first be asked for in evaluation
        places = torch.arange(length)
        ahead = places[None, :] - places[:, None]
        half, distance = buckets // 2, ahead.abs()
        exact = half // 2
        scale = (half - exact) / math.log(_FARTHEST / exact)
        far = exact + (torch.log(distance.clamp(min=1).float() / exact) * scale).long()
        return torch.where(distance < exact, distance, far.clamp(max=half - 1)) + (ahead > 0) * half


class Rotate(torch.autograd.Function):
    """Rotary positions (Su et al. 2021): rotates queries and keys of (T, parts, heads, width).

    The first half of the numbers of a head are paired with the second half. The last part, the value, is left
    as it is. Only cosines and sines are kept for the backward pass, which rotates the other way.
    """

    @staticmethod
    def forward(ctx: Any, parts: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """``parts`` rotated by angles of these cosines and sines, (T, width / 2)."""
        ctx.save_for_backward(cosine, sine)
        return _rotated(parts, cosine, sine)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """The gradient with respect to ``parts``."""
        cosine, sine = ctx.saved_tensors
        return _rotated(gradient, cosine, -sine), None, None


def _rotated(parts: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    result = torch.empty_like(parts)
    result[:, -1] = parts[:, -1]
    cosine, sine = cosine[:, None, None], sine[:, None, None]
    first, second = parts[:, :-1].float().chunk(2, dim=-1)
    low, high = result[:, :-1].chunk(2, dim=-1)
    low.copy_(first * cosine - second * sine)
    high.copy_(second * cosine + first * sine)
    return result
