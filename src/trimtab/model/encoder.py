"""A BERT encoder over packed batches, of d2l's flavour or the original's."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.attention import attention, first_attention
from trimtab.model.dropout import Dropout
from trimtab.model.sizes import Architecture

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "relu": F.relu}


class Encoder(nn.Module):
    """Embeddings and post-norm transformer layers (Devlin et al. 2019): batch -> (T, hidden)."""

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.embeddings = Embeddings(size, vocabulary)
        self.layers = nn.ModuleList(Layer(size) for _ in range(size.layers))

    def forward(self, batch: Batch) -> Tensor:
        """Representation of every token, (T, hidden)."""
        x = self.embeddings(batch)
        for layer in self.layers:
            x = layer(x, batch)
        return x

    def first(self, x: Tensor, batch: Batch) -> Tensor:
        """Representation of each row's first token, (rows, hidden), from embeddings x (T, hidden).

        The last layer computes only what these need.
        """
        for layer in self.layers[:-1]:
            x = layer(x, batch)
        with exact_on_cpu():
            return cast(Layer, self.layers[-1]).first(x, batch)


class Embeddings(nn.Module):
    """The sum of token, segment and position embeddings, with a norm where the size has one."""

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.token: nn.Module = nn.Embedding(vocabulary, size.hidden)
        self.segment = nn.Embedding(2, size.hidden)
        self.position = nn.Embedding(size.positions, size.hidden)
        self.norm = nn.LayerNorm(size.hidden, size.epsilon) if size.embedding_norm else None
        self.dropout = Dropout(size.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """(T, hidden)."""
        return self.complete(self.token(batch.tokens), batch)

    def complete(self, tokens: Tensor, batch: Batch) -> Tensor:
        """The embeddings, given the token embeddings, (T, hidden)."""
        x = tokens + self.segment(batch.segments) + self.position(batch.positions)
        return x if self.norm is None else self.dropout(self.norm(x))


class Layer(nn.Module):
    """Attention and feed-forward, each followed by dropout, residual and layer norm."""

    def __init__(self, size: Architecture) -> None:
        super().__init__()
        hidden, inner = size.hidden, size.intermediate
        self.heads = size.heads
        self.activation = _ACTIVATIONS[size.activation]
        self.qkv = nn.Linear(hidden, 3 * hidden)  # query, key and value in one product
        self.attention_dropout = Dropout(size.dropout)
        self.attention_out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, size.epsilon)
        self.ffn_in = nn.Linear(hidden, inner)
        self.ffn_out = nn.Linear(inner, hidden)
        self.output_norm = nn.LayerNorm(hidden, size.epsilon)
        self.dropout = Dropout(size.dropout)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        """(T, hidden) -> (T, hidden); rows do not attend to each other."""
        attended = attention(self.qkv(x), batch, self.heads, self.attention_dropout)
        return self._after_attention(x, attended)

    def first(self, x: Tensor, batch: Batch) -> Tensor:
        """What ``forward`` gives the first token of each row: (T, hidden) -> (rows, hidden)."""
        attended = first_attention(x, self.qkv, batch, self.heads, self.attention_dropout)
        return self._after_attention(x[batch.cumulative_lengths[:-1]], attended)

    def _after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.attention_norm(x + self.dropout(self.attention_out(attended)))
        return self.output_norm(x + self.dropout(self.ffn_out(self.activation(self.ffn_in(x)))))


class Classifier(nn.Module):
    """An encoder with a classification head on each row's first token: batch -> logits (rows, classes)."""

    def __init__(self, size: Architecture, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.encoder = Encoder(size, vocabulary)
        self.pooler = nn.Linear(size.hidden, size.hidden)
        self.output = nn.Linear(size.hidden, classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (rows, classes), in the order of the batch's rows."""
        return self.classify(self.encoder.embeddings.token(batch.tokens), batch)

    def class_logits(self, batch: Batch) -> Tensor:
        """The same as ``forward``, under the name that it has in ``Bert``."""
        logits: Tensor = self(batch)
        return logits

    def classify(self, tokens: Tensor, batch: Batch) -> Tensor:
        """Logits (rows, classes), given the token embeddings, (T, hidden)."""
        x = self.encoder.embeddings.complete(tokens, batch)
        first = self.encoder.first(x, batch)
        with exact_on_cpu():
            return self.output(torch.tanh(self.pooler(first)))


def exact_on_cpu() -> AbstractContextManager[None]:
    """The context of products with a row per text instead of per token: on a CPU they stay in fp32.

    They are few, and bf16 kernels would be compiled for each number of rows.
    """
    return torch.autocast("cpu", enabled=False)
