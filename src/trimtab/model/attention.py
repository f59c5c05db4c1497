"""Attention over the rows of a packed batch, which do not attend to each other."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.dropout import Dropout
from trimtab.model.grouped import GroupedAttention
from trimtab.model.varlen import VarlenAttention, has_kernel


def attention(qkv: Tensor, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """Multi-head attention within each row of a packed batch.

    qkv: (T, 3 * hidden), query, key and value of each token. Returns (T, hidden).
    On CUDA in bf16 it is flash attention; elsewhere, two batched matrix products for each group of rows of
    equal length. On a CPU an explicit softmax is faster than scaled_dot_product_attention for rows of 10 to
    80 tokens, most of all backward. Attention stays in fp32 there whatever the precision: bf16 kernels are
    compiled for each shape, which costs a third more than they save where lengths vary.
    """
    if has_kernel(qkv.device, qkv.dtype, qkv.shape[1] // 3 // heads):
        parts = qkv.view(len(qkv), 3, heads, -1)
        bounds = (batch.edges, batch.edges, batch.bound, batch.bound)
        return VarlenAttention.apply(parts, None, *bounds, dropout.rate).flatten(1)
    with torch.autocast(qkv.device.type, enabled=False):
        weights = sum(rows * heads * length * length for rows, length in batch.groups)
        factors = dropout.factors((weights,), qkv.device, torch.float32)
        return GroupedAttention.apply(qkv, batch.groups, heads, factors)


def first_attention(x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """What ``attention(qkv(x), ...)`` gives the first token of each row, (rows, hidden), at far lower cost.

    x: (T, hidden). With one query per row, the products can be reordered: the query is multiplied by the key
    matrix, and the value matrix is applied after the weighted sum, so that no token needs a key or a value of
    its own. The key's bias adds the same to every score of a row, which softmax ignores.
    Flash attention needs keys and values, and saves only the other queries.
    """
    if has_kernel(x.device, _product_dtype(x), x.shape[1] // heads):
        return _first_varlen(x, qkv, batch, heads, dropout)
    with torch.autocast(x.device.type, enabled=False):
        x, hidden = x.float(), x.shape[1]
        by_query, by_key, by_value = qkv.weight.view(3, heads, hidden // heads, hidden).unbind(0)
        query_bias, _, value_bias = qkv.bias.view(3, heads, 1, hidden // heads).unbind(0)
        first = x[batch.cumulative_lengths[:-1]]
        query = torch.baddbmm(query_bias, first.expand(heads, -1, -1), by_query.transpose(1, 2))
        asked = torch.bmm(query / math.sqrt(hidden // heads), by_key).transpose(0, 1)
        sums, totals = _weighted_sums(x, asked, batch.groups, dropout)
        values = torch.bmm(sums.transpose(0, 1), by_value.transpose(1, 2))
        values = values + totals.transpose(0, 1) * value_bias  # dropout leaves weights that do not sum to 1
        return values.transpose(0, 1).reshape(len(batch), hidden)


def _product_dtype(x: Tensor) -> torch.dtype:
    """The type of a matrix product of x in the current context."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _first_varlen(x: Tensor, qkv: nn.Linear, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """The same by flash attention: queries of first tokens only, keys and values of all tokens."""
    hidden, width = x.shape[1], x.shape[1] // heads
    first = x[batch.cumulative_lengths[:-1]]
    query = F.linear(first, qkv.weight[:hidden], qkv.bias[:hidden]).view(-1, heads, width)
    others = F.linear(x, qkv.weight[hidden:], qkv.bias[hidden:]).view(-1, 2, heads, width)
    one_a_row = torch.arange(len(batch) + 1, dtype=torch.int32, device=x.device)
    bounds = (one_a_row, batch.edges, 1, batch.bound)
    return VarlenAttention.apply(others, query, *bounds, dropout.rate).flatten(1)


def _weighted_sums(
    x: Tensor, asked: Tensor, groups: tuple[tuple[int, int], ...], dropout: Dropout
) -> tuple[Tensor, Tensor]:
    """Each row's weighted sum of tokens (rows, heads, hidden), and the weights' sum (rows, heads, 1).

    asked: (rows, heads, hidden), whose product with a token is the token's score.
    """
    sums, totals = [], []
    parts = x.split([rows * length for rows, length in groups])
    questions = asked.split([rows for rows, _ in groups])
    for part, question, (rows, length) in zip(parts, questions, groups, strict=True):
        tokens = part.view(rows, length, -1)
        weights = dropout(torch.softmax(question @ tokens.transpose(1, 2), dim=-1))
        sums.append(weights @ tokens)
        totals.append(weights.sum(-1, keepdim=True))
    return torch.cat(sums), torch.cat(totals)
