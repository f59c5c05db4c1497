"""Attention over the rows of a packed batch: the one place that knows where rows begin."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.dropout import Dropout
from trimtab.model.grouped import GroupedAttention
from trimtab.model.varlen import VarlenAttention, has_kernel


def attention(mixed: Tensor, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """Multi-head attention within each row of a packed batch.

    mixed: (T, 3 * hidden), query, key and value of each token. Returns (T, hidden).
    On CUDA in bf16 it is flash attention; elsewhere each run of rows of equal length is two batched matrix
    products. A softmax written out is quicker than scaled_dot_product_attention for rows of 10 to 80 tokens
    on a CPU, most of all backward. There attention stays in fp32 whatever the precision: bf16 kernels are
    compiled for each shape that a batch brings, and cost a third more than they save where lengths vary.
    """
    if has_kernel(mixed.device, mixed.dtype, mixed.shape[1] // 3 // heads):
        parts = mixed.view(len(mixed), 3, heads, -1)
        bounds = (batch.edges, batch.edges, batch.bound, batch.bound)
        return VarlenAttention.apply(parts, None, *bounds, dropout.rate).flatten(1)
    with torch.autocast(mixed.device.type, enabled=False):
        weights = sum(rows * heads * length * length for rows, length in batch.groups)
        factors = dropout.factors((weights,), mixed.device, torch.float32)
        return GroupedAttention.apply(mixed, batch.groups, heads, factors)


def first_attention(x: Tensor, mix: nn.Linear, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """What ``attention(mix(x), ...)`` gives the first token of each row, (rows, hidden), far cheaper.

    x: (T, hidden). With one query a row, the products can be taken in another order: the query goes through
    the key's matrix, and the value's matrix comes after the weighted sum, so that no token needs a key or
    a value of its own. The key's bias adds the same to every score of a row, which softmax forgets.
    Flash attention wants keys and values as they are, and only spares the other queries.
    """
    if has_kernel(x.device, _product_dtype(x), x.shape[1] // heads):
        return _first_varlen(x, mix, batch, heads, dropout)
    with torch.autocast(x.device.type, enabled=False):
        x, hidden = x.float(), x.shape[1]
        by_query, by_key, by_value = mix.weight.view(3, heads, hidden // heads, hidden).unbind(0)
        query_bias, _, value_bias = mix.bias.view(3, heads, 1, hidden // heads).unbind(0)
        first = x[batch.cumulative_lengths[:-1]]
        query = torch.baddbmm(query_bias, first.expand(heads, -1, -1), by_query.transpose(1, 2))
        asked = torch.bmm(query / math.sqrt(hidden // heads), by_key).transpose(0, 1)
        sums, totals = _weighted_sums(x, asked, batch.groups, dropout)
        values = torch.bmm(sums.transpose(0, 1), by_value.transpose(1, 2))
        values = values + totals.transpose(0, 1) * value_bias  # dropout leaves weights that do not sum to 1
        return values.transpose(0, 1).reshape(len(batch), hidden)


def _product_dtype(x: Tensor) -> torch.dtype:
    """Of a matrix product of x here."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _first_varlen(x: Tensor, mix: nn.Linear, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    """The same by flash attention: a query of each row's first token, keys and values of all tokens."""
    hidden, width = x.shape[1], x.shape[1] // heads
    first = x[batch.cumulative_lengths[:-1]]
    query = F.linear(first, mix.weight[:hidden], mix.bias[:hidden]).view(-1, heads, width)
    others = F.linear(x, mix.weight[hidden:], mix.bias[hidden:]).view(-1, 2, heads, width)
    one_a_row = torch.arange(len(batch) + 1, dtype=torch.int32, device=x.device)
    bounds = (one_a_row, batch.edges, 1, batch.bound)
    return VarlenAttention.apply(others, query, *bounds, dropout.rate).flatten(1)


def _weighted_sums(
    x: Tensor, asked: Tensor, groups: tuple[tuple[int, int], ...], dropout: Dropout
) -> tuple[Tensor, Tensor]:
    """Sums of each row's tokens by attention weight (rows, heads, hidden), and the weights' (rows, heads, 1).

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
