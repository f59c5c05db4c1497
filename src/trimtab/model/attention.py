"""Attention over the rows of a packed batch: the one place that knows where rows begin."""

import math

import torch
from torch import Tensor

from trimtab.model.dropout import Dropout


def grouped_attention(
    mixed: Tensor, groups: tuple[tuple[int, int], ...], heads: int, dropout: Dropout
) -> Tensor:
    """Multi-head attention within each row of a packed batch.

    mixed: (T, 3 * hidden), query, key and value of each token; groups: (rows, length) of each run of rows
    of equal length, which together are the T tokens. Returns (T, hidden). Each group is two batched
    matrix products; a softmax written out is quicker than scaled_dot_product_attention for rows of 10 to
    80 tokens on a CPU, most of all backward, and one ``split`` is far cheaper than a slice a group.
    Attention stays in fp32 whatever the precision: bf16 kernels are compiled for each shape that a batch
    brings, and cost a third more than they save where lengths vary.
    """
    with torch.autocast(mixed.device.type, enabled=False):
        parts = mixed.float().split([rows * length for rows, length in groups])
        return torch.cat(
            [_attend(part, *group, heads, dropout) for part, group in zip(parts, groups, strict=True)]
        )


def _attend(part: Tensor, rows: int, length: int, heads: int, dropout: Dropout) -> Tensor:
    width = part.shape[1] // (3 * heads)
    query, key, value = part.view(rows, length, 3, heads, width).permute(2, 0, 3, 1, 4).unbind(0)
    weights = torch.softmax((query * (1 / math.sqrt(width))) @ key.transpose(-1, -2), dim=-1)
    return (dropout(weights) @ value).transpose(1, 2).reshape(rows * length, heads * width)
