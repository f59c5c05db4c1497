"""Attention over the rows of a packed batch, which do not attend to each other."""

import math
import sys
from collections import deque
from collections.abc import Callable, Iterator
from itertools import repeat

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.dropout import Dropout
from trimtab.model.grouped import GroupedAttention, Groups, biases
from trimtab.model.relations import NONE, Relations, Rotate
from trimtab.model.varlen import VarlenAttention, has_kernel
from trimtab.model.windowed import long_attention, windowed_attention, windowed_weights

# Rows longer than this are attended to without keeping the weights, which would grow with their square.
_LONG = 1_024


def attention(qkv: Tensor, batch: Batch, heads: int, dropout: Dropout, relations: Relations = NONE) -> Tensor:
    """Multi-head attention within each row of a packed batch.

    qkv: (T, 3 * hidden), query, key and value of each token. Returns (T, hidden).
    On CUDA in bf16 it is flash attention, but for biases by distance, which that cannot add; elsewhere, two
    batched matrix products for each group of rows of equal length. On a CPU an explicit softmax is faster
    than scaled_dot_product_attention for rows of 10 to 80 tokens, most of all backward. Attention stays in
    fp32 there whatever the precision: bf16 kernels are compiled for each shape, which costs a third more than
    they save where lengths vary. There, long rows are attended to in memory that grows with their length:
    in windowed layers, and in others where no dropout applies to the weights.
    """
    if relations.bias is None and has_kernel(qkv.device, qkv.dtype, qkv.shape[1] // 3 // heads):
        parts = qkv.view(len(qkv), 3, heads, -1)
        if relations.rotation:
            parts = Rotate.apply(parts, *relations.rotation)
        bounds = (batch.edges, batch.edges, batch.bound, batch.bound)
        return VarlenAttention.apply(parts, None, *bounds, dropout.rate, relations.window).flatten(1)
    with torch.autocast(qkv.device.type, enabled=False):
        if relations.rotation:
            parts = qkv.float().view(len(qkv), 3, heads, -1)
            qkv = Rotate.apply(parts, *relations.rotation).flatten(1)
        return _grouped(qkv, batch.groups, heads, dropout, relations)


def _grouped(qkv: Tensor, groups: Groups, heads: int, dropout: Dropout, relations: Relations) -> Tensor:
    """The same by groups of rows of equal length, shortest first; long rows are attended to otherwise."""
    window = relations.window
    short = window + 1 if window else _LONG  # within so many tokens all are near
    keeps = not window and (dropout.rate > 0 or relations.bias is not None)
    limit = sys.maxsize if keeps else short
    ordinary = tuple(group for group in groups if group[1] <= limit)
    others = groups[len(ordinary) :]
    weights = sum(rows * heads * length * length for rows, length in ordinary)
    factors = dropout.factors(
        (weights,), qkv.device, torch.float32, lambda each: heads * each * each * (each <= limit)
    )
    drops: Iterator[Callable[[Tensor], Tensor]] = repeat(dropout, len(others))
    if window:
        drops = dropout.by_group(others, lambda each: windowed_weights(each, heads, window), limit)
    if not others:
        deque(drops, 0)  # rows of another process may need some
        return GroupedAttention.apply(qkv, groups, heads, factors, relations.bias)
    place = sum(rows * length for rows, length in ordinary)
    found = [GroupedAttention.apply(qkv[:place], ordinary, heads, factors, None)] if ordinary else []
    for (rows, length), drop in zip(others, drops, strict=True):
        part = qkv[place : place + rows * length].float()
        shape = (rows, length, heads)
        found.append(
            windowed_attention(part, *shape, window, drop) if window else long_attention(part, *shape)
        )
        place += rows * length
    return torch.cat(found)


def first_attention(
    x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, dropout: Dropout, relations: Relations = NONE
) -> Tensor:
    """What ``attention(qkv(x), ...)`` gives the first token of each row, (rows, hidden), at far lower cost.

    x: (T, hidden). With one query per row, the products can be reordered: the query is multiplied by the key
    matrix, and the value matrix is applied after the weighted sum, so that no token needs a key or a value of
    its own. The key's bias adds the same to every score of a row, which softmax ignores.
    Flash attention needs keys and values, and so do rotary positions: only the other queries are saved.
    ``relations`` without a window.
    """
    if relations.bias is None and has_kernel(x.device, _product_dtype(x), x.shape[1] // heads):
        return _first_varlen(x, qkv, batch, heads, dropout, relations)
    if relations.rotation or qkv.bias is None:
        return _first_by_keys(x, qkv, batch, heads, dropout, relations)
    with torch.autocast(x.device.type, enabled=False):
        x, hidden = x.float(), x.shape[1]
        by_query, by_key, by_value = qkv.weight.view(3, heads, hidden // heads, hidden).unbind(0)
        query_bias, _, value_bias = qkv.bias.view(3, heads, 1, hidden // heads).unbind(0)
        first = batch.first_of(x)
        query = torch.baddbmm(query_bias, first.expand(heads, -1, -1), by_query.transpose(1, 2))
        asked = torch.bmm(query / math.sqrt(hidden // heads), by_key).transpose(0, 1)
        added = biases(relations.bias, batch.groups, heads)
        sums, totals = _weighted_sums(x, asked, batch.groups, dropout, added)
        values = torch.bmm(sums.transpose(0, 1), by_value.transpose(1, 2))
        values = values + totals.transpose(0, 1) * value_bias  # dropout leaves weights that do not sum to 1
        return values.transpose(0, 1).reshape(len(batch), hidden)


def _product_dtype(x: Tensor) -> torch.dtype:
    """The type of a matrix product of x in the current context."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _first_varlen(
    x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, dropout: Dropout, relations: Relations
) -> Tensor:
    """The same by flash attention: queries of first tokens only, keys and values of all tokens."""
    query, others = _query_and_others(x, qkv, batch, heads, relations)
    one_a_row = torch.arange(len(batch) + 1, dtype=torch.int32, device=x.device)
    bounds = (one_a_row, batch.edges, 1, batch.bound)
    return VarlenAttention.apply(others, query, *bounds, dropout.rate, 0).flatten(1)


def _first_by_keys(
    x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, dropout: Dropout, relations: Relations
) -> Tensor:
    """The same by groups of rows of equal length."""
    query, others = _query_and_others(x, qkv, batch, heads, relations)
    with torch.autocast(x.device.type, enabled=False):
        query, others = query.float() / math.sqrt(query.shape[-1]), others.float()
        added = biases(relations.bias, batch.groups, heads)
        found = []
        questions = query.split([rows for rows, _ in batch.groups])
        parts = others.split([rows * length for rows, length in batch.groups])
        drops = dropout.by_group(batch.groups, lambda each: heads * each)
        for question, part, bias, drop, (rows, length) in zip(
            questions, parts, added, drops, batch.groups, strict=True
        ):
            key, value = part.view(rows, length, 2, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            scores = question[:, :, None] @ key.transpose(-1, -2)
            if bias is not None:
                scores = scores + bias[:, :1]
            found.append((drop(torch.softmax(scores, -1)) @ value).flatten(1))
        return torch.cat(found)


def _query_and_others(
    x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, relations: Relations
) -> tuple[Tensor, Tensor]:
    """Queries of first tokens (rows, heads, width), keys and values of all tokens (T, 2, heads, width)."""
    hidden, width = x.shape[1], x.shape[1] // heads
    first = batch.first_of(x)
    bias = (None, None) if qkv.bias is None else (qkv.bias[:hidden], qkv.bias[hidden:])
    query = F.linear(first, qkv.weight[:hidden], bias[0]).view(-1, heads, width)
    others = F.linear(x, qkv.weight[hidden:], bias[1]).view(-1, 2, heads, width)
    if relations.rotation:  # which leaves a first token's query as it is
        others = Rotate.apply(others, *relations.rotation)
    return query, others


def _weighted_sums(
    x: Tensor, asked: Tensor, groups: Groups, dropout: Dropout, added: tuple[Tensor | None, ...]
) -> tuple[Tensor, Tensor]:
    """Each row's weighted sum of tokens (rows, heads, hidden), and the weights' sum (rows, heads, 1).

    asked: (rows, heads, hidden), whose product with a token is the token's score. added: to the scores, each
    group's (heads, length, length), or None.
    """
    sums, totals = [], []
    parts = x.split([rows * length for rows, length in groups])
    questions = asked.split([rows for rows, _ in groups])
    heads = asked.shape[1]
    drops = dropout.by_group(groups, lambda each: heads * each)
    for part, question, bias, drop, (rows, length) in zip(
        parts, questions, added, drops, groups, strict=True
    ):
        tokens = part.view(rows, length, -1)
        scores = question @ tokens.transpose(1, 2)
        if bias is not None:
            scores = scores + bias[:, 0]
        weights = drop(torch.softmax(scores, dim=-1))
        sums.append(weights @ tokens)
        totals.append(weights.sum(-1, keepdim=True))
    return torch.cat(sums), torch.cat(totals)
