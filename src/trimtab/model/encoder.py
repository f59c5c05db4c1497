"""One BERT encoder over packed batches that can be both d2l's and the original."""

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

        The last layer computes nothing that these do not need.
        """
        for layer in self.layers[:-1]:
            x = layer(x, batch)
        with exact_on_cpu():
            return cast(Layer, self.layers[-1]).first(x, batch)


class Embeddings(nn.Module):
    """The sum of token, segment and position embeddings, normalised where the size says so."""

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
        """The embeddings from those of the tokens alone, (T, hidden)."""
        x = tokens + self.segment(batch.segments) + self.position(batch.positions)
        return x if self.norm is None else self.dropout(self.norm(x))


class Layer(nn.Module):
    """Attention and feed-forward, each followed by dropout, residual and layer norm."""

    def __init__(self, size: Architecture) -> None:
        super().__init__()
        hidden, inner = size.hidden, size.intermediate
        self.heads = size.heads
        self.activation = _ACTIVATIONS[size.activation]
        self.mix = nn.Linear(hidden, 3 * hidden)  # query, key and value in one product
        self.attention_dropout = Dropout(size.dropout)
        self.attention_out = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, size.epsilon)
        self.widen = nn.Linear(hidden, inner)
        self.narrow = nn.Linear(inner, hidden)
        self.output_norm = nn.LayerNorm(hidden, size.epsilon)
        self.dropout = Dropout(size.dropout)

    def forward(self, x: Tensor, batch: Batch) -> Tensor:
        """(T, hidden) -> (T, hidden), rows apart from each other."""
        attended = attention(self.mix(x), batch, self.heads, self.attention_dropout)
        return self._after_attention(x, attended)

    def first(self, x: Tensor, batch: Batch) -> Tensor:
        """What ``forward`` gives the first token of each row: (T, hidden) -> (rows, hidden)."""
        attended = first_attention(x, self.mix, batch, self.heads, self.attention_dropout)
        return self._after_attention(x[batch.cumulative_lengths[:-1]], attended)

    def _after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.attention_norm(x + self.dropout(self.attention_out(attended)))
        return self.output_norm(x + self.dropout(self.narrow(self.activation(self.widen(x)))))


class Classifier(nn.Module):
    """An encoder with a classification head on each row's first token: batch -> logits (rows, classes)."""

    def __init__(self, size: Architecture, vocabulary: int, classes: int) -> None:
        super().__init__()
        self.encoder = Encoder(size, vocabulary)
        self.hidden = nn.Linear(size.hidden, size.hidden)
        self.output = nn.Linear(size.hidden, classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (rows, classes), in the order of the batch's rows."""
        return self.classify(self.encoder.embeddings.token(batch.tokens), batch)

    def class_logits(self, batch: Batch) -> Tensor:
        """What ``forward`` gives, by the name that it has in a ``Bert``."""
        logits: Tensor = self(batch)
        return logits

    def classify(self, tokens: Tensor, batch: Batch) -> Tensor:
        """Logits (rows, classes) from the embeddings of the tokens alone, (T, hidden)."""
        x = self.encoder.embeddings.complete(tokens, batch)
        first = self.encoder.first(x, batch)
        with exact_on_cpu():
            return self.output(torch.tanh(self.hidden(first)))


def exact_on_cpu() -> AbstractContextManager[None]:
    """Where products have a row for each text, not each token: in fp32 on a CPU, whatever the precision.

    There are few of them, and bf16 kernels are compiled for each number of rows.
    """
    return torch.autocast("cpu", enabled=False)
