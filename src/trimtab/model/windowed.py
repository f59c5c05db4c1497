"""Attention on a CPU whose memory grows with the length of a row, not with its square."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor


def windowed_attention(
    qkv: Tensor, rows: int, length: int, heads: int, window: int, drop: Callable[[Tensor], Tensor]
) -> Tensor:
    """Multi-head attention of each token to those at most ``window`` tokens away, in rows of equal length.

    qkv: (rows * length, 3 * hidden). Returns (rows * length, hidden). Rows are cut into blocks of ``window``
    queries, each of which meets its own block of keys, the one before and the one after. drop: dropout on the
    weights, of which each row has ``windowed_weights``.
    """
    query, key, value = _by_head(qkv, rows, length, heads)
    blocks = -(-length // window)
    missing = blocks * window - length
    query = F.pad(query, (0, 0, 0, missing)).unflatten(1, (blocks, window))
    keys, values = (
        F.pad(part, (0, 0, window, window + missing)).unfold(1, 3 * window, window) for part in (key, value)
    )  # (rows * heads, blocks, width, 3 * window)
    scores = query @ keys * query.shape[-1] ** -0.5
    scores = scores.masked_fill(_hidden(length, blocks, window, qkv.device), torch.finfo(scores.dtype).min)
    weights = drop(torch.softmax(scores, -1))
    attended = (weights @ values.transpose(-1, -2)).flatten(1, 2)[:, :length]
    return _by_token(attended, rows, heads)


def windowed_weights(lengths: NDArray[np.int64], heads: int, window: int) -> NDArray[np.int64]:
    """How many weights ``windowed_attention`` has for rows of these lengths."""
    return heads * -(-lengths // window) * 3 * window * window


def long_attention(qkv: Tensor, rows: int, length: int, heads: int) -> Tensor:
    """Multi-head attention of each token to all of its row, without keeping the weights; no dropout.

    Arguments and result as in ``windowed_attention``.
    """
    parts = (part.unflatten(0, (rows, heads)) for part in _by_head(qkv, rows, length, heads))
    return _by_token(F.scaled_dot_product_attention(*parts).flatten(0, 1), rows, heads)


def _by_head(qkv: Tensor, rows: int, length: int, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value, each (rows * heads, length, width)."""
    parts = qkv.view(rows, length, 3, heads, -1).permute(2, 0, 3, 1, 4).flatten(1, 2)
    query, key, value = parts.unbind(0)
    return query, key, value


def _by_token(attended: Tensor, rows: int, heads: int) -> Tensor:
    """(rows * heads, length, width) -> (rows * length, hidden)."""
    return attended.unflatten(0, (rows, heads)).transpose(1, 2).flatten(2).flatten(0, 1)


def _hidden(length: int, blocks: int, window: int, device: torch.device) -> Tensor:
    """Which keys no query of a block may meet: (blocks, window, 3 * window) bool."""
    query = torch.arange(window, device=device)[None, :, None]
    key = torch.arange(3 * window, device=device)[None, None, :] - window  # relative to the block's start
    place = torch.arange(blocks, device=device)[:, None, None] * window + key
    return ((key - query).abs() > window) | (place < 0) | (place >= length)
