"""Attention on a CPU: a few batched matrix products for each group of rows of equal length."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Groups = tuple[tuple[int, int], ...]


class GroupedAttention(torch.autograd.Function):
    """Multi-head attention within rows: (T, 3 * hidden) -> (T, hidden), with an explicit backward pass.

    autograd would copy query, key and value for each product and concatenate the groups' results; here they
    are copied once in each direction, and results are written in place.
    """

    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, groups: Groups, heads: int, factors: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        """factors: dropout's factors of all attention weights, (weights,); None without dropout.

        bias: added to the scores, for each group (heads, length, length), all in one (numbers,); or None.
        """
        attended = qkv.new_empty(len(qkv), qkv.shape[1] // 3)
        saved = []
        added = biases(bias, groups, heads)
        for own, (place, rows, length, factor) in zip(added, _pieces(groups, heads, factors), strict=True):
            query, key, value = _split(qkv[place], 3, rows, length, heads).unbind(0)
            scores = torch.bmm(query, key.transpose(1, 2)).mul_(_scale(query))
            if own is not None:
                scores.view(rows, heads, length, length).add_(own)
            weights = torch.softmax(scores, -1)
            dropped = weights if factor is None else weights * factor
            _by_token(attended[place], 1, rows, length, heads)[0].copy_(
                torch.bmm(dropped, value).view(rows, heads, length, -1)
            )
            saved += [query, key, value, weights, dropped]
        ctx.save_for_backward(*saved)
        ctx.groups, ctx.heads, ctx.factors = groups, heads, factors
        ctx.has_bias = bias is not None
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, Tensor | None]:
        """The gradients with respect to ``qkv`` and ``bias``."""
        by_bias = []
        saved = iter(ctx.saved_tensors)
        heads, result = ctx.heads, gradient.new_empty(len(gradient), 3 * gradient.shape[1])
        for place, rows, length, factor in _pieces(ctx.groups, heads, ctx.factors):
            query, key, value, weights, dropped = (next(saved) for _ in range(5))
            outer = _split(gradient[place], 1, rows, length, heads)[0]
            inner = torch.bmm(outer, value.transpose(1, 2))
            if factor is not None:
                inner.mul_(factor)
            scores = torch._softmax_backward_data(inner, weights, -1, inner.dtype)
            if ctx.has_bias:
                by_bias.append(scores.view(rows, heads, length, length).sum(0).flatten())
            scores.mul_(_scale(query))
            parts = _by_token(result[place], 3, rows, length, heads)
            parts[0].copy_(torch.bmm(scores, key).view(rows, heads, length, -1))
            parts[1].copy_(torch.bmm(scores.transpose(1, 2), query).view(rows, heads, length, -1))
            parts[2].copy_(torch.bmm(dropped.transpose(1, 2), outer).view(rows, heads, length, -1))
        return result, None, None, None, torch.cat(by_bias) if ctx.has_bias else None


def biases(bias: Tensor | None, groups: Groups, heads: int) -> tuple[Tensor | None, ...]:
    """The bias of each group, (heads, length, length), out of all of them, (numbers,); None without one."""
    if bias is None:
        return (None,) * len(groups)
    parts = bias.split([heads * length * length for _, length in groups])
    return tuple(part.view(heads, length, length) for part, (_, length) in zip(parts, groups, strict=True))


def _pieces(
    groups: Groups, heads: int, factors: Tensor | None
) -> Iterator[tuple[slice, int, int, Tensor | None]]:
    """Each group's tokens, rows, length and (rows * heads, length, length) factors."""
    token = weight = 0
    for rows, length in groups:
        weights = rows * heads * length * length
        factor = None
        if factors is not None:
            factor = factors[weight : weight + weights].view(rows * heads, length, length)
        yield slice(token, token + rows * length), rows, length, factor
        token, weight = token + rows * length, weight + weights


def _by_token(x: Tensor, parts: int, rows: int, length: int, heads: int) -> Tensor:
    """A view (parts, rows, heads, length, width) of x, (rows * length, parts * heads * width)."""
    return x.view(rows, length, parts, heads, -1).permute(2, 0, 3, 1, 4)


def _split(x: Tensor, parts: int, rows: int, length: int, heads: int) -> Tensor:
    """The same as a copy (parts, rows * heads, length, width) for batched products, at least in fp32."""
    view = _by_token(x, parts, rows, length, heads)
    exact = torch.promote_types(x.dtype, torch.float32)
    copied = torch.empty(view.shape, dtype=exact, device=x.device).copy_(view)
    return copied.view(parts, rows * heads, length, -1)


def _scale(query: Tensor) -> float:
    return 1 / math.sqrt(query.shape[-1])
