"""What each lever of the trainer replaced: the plainer way, put back in its place for a measurement."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from trimtab.data.batch import Batch
from trimtab.model import attention, encoder, grouped
from trimtab.model.dropout import Dropout
from trimtab.model.encoder import Encoder
from trimtab.training import trainer
from trimtab.training.backend import Backend
from trimtab.training.token_table import CompactTable


def whole_last_layer() -> None:
    """Every layer represents every token, and the first of each row is taken at the end."""

    def first(self: Encoder, x: Tensor, batch: Batch) -> Tensor:
        for layer in self.layers:
            x = layer(x, batch)
        return x[batch.cumulative_lengths[:-1]]

    Encoder.first = first  # type: ignore[method-assign]


def key_and_value_of_every_token() -> None:
    """The last layer has one query a row, but multiplies out every token's key and value."""

    def attend(x: Tensor, mix: Any, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
        hidden = x.shape[1]
        firsts = x[batch.cumulative_lengths[:-1]]
        query = F.linear(firsts, mix.weight[:hidden], mix.bias[:hidden]).view(len(batch), heads, 1, -1)
        rest = F.linear(x, mix.weight[hidden:], mix.bias[hidden:])
        parts = rest.split([rows * length for rows, length in batch.groups])
        queries = query.split([rows for rows, _ in batch.groups])
        attended = []
        for part, asked, (rows, length) in zip(parts, queries, batch.groups, strict=True):
            key, value = part.view(rows, length, 2, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
            weights = torch.softmax(asked @ key.transpose(-1, -2) / math.sqrt(key.shape[-1]), -1)
            attended.append((dropout(weights) @ value).reshape(rows, hidden))
        return torch.cat(attended)

    encoder.first_attention = attend


def whole_batches() -> None:
    """A batch goes through the layers as one part."""
    Backend.training_tokens = lambda self, size, parameters: 1 << 30  # type: ignore[method-assign]


def one_lane() -> None:
    """All threads share each operation, part after part."""
    Backend.lanes = lambda self, parameters: 1  # type: ignore[method-assign]


def smaller_parts() -> None:
    """Parts of a batch are half as large, so that caches hold more of them."""
    Backend.training_tokens = lambda self, size, parameters: 4_096  # type: ignore[method-assign]


def residuals_in_bf16() -> None:
    """Residual sums and layer norms in bf16, too, not in fp32 between products in bf16."""
    complete, after = encoder.Embeddings.complete, encoder.Layer._after_attention

    def halved(self: encoder.Embeddings, tokens: Tensor, batch: Batch) -> Tensor:
        return complete(self, tokens, batch).bfloat16()

    def exact(self: encoder.Layer, x: Tensor, attended: Tensor) -> Tensor:
        return after(self, x if torch.is_autocast_enabled("cpu") else x.float(), attended)

    encoder.Embeddings.complete = halved  # type: ignore[method-assign]
    encoder.Layer._after_attention = exact  # type: ignore[method-assign]


def whole_table() -> None:
    """Gradient and optimiser go over every row of the token table."""
    trainer.used_rows = lambda pairs, vocabulary: torch.ones(vocabulary, dtype=torch.bool)


def table_gradient_by_autograd() -> None:
    """For each part a gradient as large as the table is made and then added."""

    def add_gradient(self: CompactTable, tokens: Tensor, gradient: Tensor | None) -> None:
        assert gradient is not None
        assert self.weight.grad is not None
        made = torch.ops.aten.embedding_dense_backward(
            gradient, self.places[tokens], len(self.weight), -1, False
        )
        self.weight.grad += made

    CompactTable.add_gradient = add_gradient  # type: ignore[method-assign]


def attention_by_autograd() -> None:
    """autograd derives each group's attention, whose parts are copied apart and joined again."""
    encoder.attention = _by_group(_written_out)


def library_attention() -> None:
    """Each group's attention is scaled_dot_product_attention."""
    encoder.attention = _by_group(_library)


def bernoulli_masks() -> None:
    """Each number of a dropout mask is drawn as a Bernoulli variable."""

    def factors(self: Dropout, shape: Any, device: torch.device, dtype: torch.dtype) -> Tensor | None:
        keep = 1 - self.dropped / 65536
        made = torch.empty(shape, dtype=dtype, device=device).bernoulli_(keep)
        return made.div_(keep)

    Dropout.factors = factors  # type: ignore[method-assign]


def pytorch_words() -> None:
    """The random words of a mask come from PyTorch's generator."""

    def levels(self: Dropout, numbers: int) -> Tensor:
        words = torch.empty((numbers + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        return words.view(torch.int16)[:numbers]

    Dropout._levels = levels  # type: ignore[method-assign]


def any_size() -> None:
    """Batches come with as many tokens as they have, to bf16 products too."""
    Backend.wants_steady_sizes = property(lambda self: False)  # type: ignore[method-assign, assignment]


def mixed_to_fp32_first() -> None:
    """Query, key and value are converted to fp32 whole before they are copied apart."""
    apart = grouped.GroupedAttention

    class Converted:
        @staticmethod
        def apply(mixed: Tensor, *rest: Any) -> Any:
            return apart.apply(mixed.float(), *rest)

    attention.GroupedAttention = Converted  # type: ignore[misc, assignment]


def compiled_layers() -> None:
    """torch.compile on what follows attention in a layer: products, residual, activation, norms."""
    Dropout.factors = torch.compiler.disable(Dropout.factors)  # type: ignore[method-assign]  # NumPy's words
    encoder.Layer._after_attention = torch.compile(encoder.Layer._after_attention, dynamic=True)  # type: ignore[method-assign]


def little_padding() -> None:
    """Attention on fewer groups: rows whose lengths round up to the same multiple of 8, padded and masked."""
    encoder.attention = _in_fp32(_padded_groups)


def _in_fp32(attend: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """As trimtab's own attention on a CPU."""

    def attend_in_fp32(mixed: Tensor, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return attend(mixed.float(), batch, heads, dropout)

    return attend_in_fp32


def _by_group(attend: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def by_group(mixed: Tensor, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
        parts = mixed.split([rows * length for rows, length in batch.groups])
        made = [attend(part, *group, heads, dropout) for part, group in zip(parts, batch.groups, strict=True)]
        return torch.cat(made)

    return _in_fp32(by_group)


def _written_out(part: Tensor, rows: int, length: int, heads: int, dropout: Dropout) -> Tensor:
    query, key, value = part.view(rows, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    weights = torch.softmax((query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2), dim=-1)
    return (dropout(weights) @ value).transpose(1, 2).reshape(rows * length, -1)


def _library(part: Tensor, rows: int, length: int, heads: int, dropout: Dropout) -> Tensor:
    query, key, value = part.view(rows, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    made = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout.dropped / 65536)
    return made.transpose(1, 2).reshape(rows * length, -1)


def _padded_groups(mixed: Tensor, batch: Batch, heads: int, dropout: Dropout) -> Tensor:
    lengths = batch.lengths
    longest = -(-lengths // 8) * 8
    edges = [0, *(np.flatnonzero(np.diff(longest)) + 1).tolist(), len(lengths)]
    starts = batch.cumulative_lengths
    made = []
    for begin, end in pairwise(edges):
        length = int(longest[begin])
        real = torch.arange(length) < torch.from_numpy(lengths[begin:end])[:, None]
        place = (starts[begin:end, None] + torch.arange(length)).clamp_(max=len(mixed) - 1)
        query, key, value = mixed[place].view(end - begin, length, 3, heads, -1).permute(2, 0, 3, 1, 4)
        scores = (query / math.sqrt(query.shape[-1])) @ key.transpose(-1, -2)
        weights = torch.softmax(scores.masked_fill(~real[:, None, None], -math.inf), -1)
        made.append((dropout(weights) @ value).transpose(1, 2).reshape(end - begin, length, -1)[real])
    return torch.cat(made)
