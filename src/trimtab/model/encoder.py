"""One BERT encoder over packed batches that can be both d2l's and the original."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.attention import grouped_attention
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
            x = layer(x, batch.groups)
        return x


class Embeddings(nn.Module):
    """The sum of token, segment and position embeddings, normalised where the size says so."""

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, size.hidden)
        self.segment = nn.Embedding(2, size.hidden)
        self.position = nn.Embedding(size.positions, size.hidden)
        self.norm = nn.LayerNorm(size.hidden, size.epsilon) if size.embedding_norm else None
        self.dropout = Dropout(size.dropout)

    def forward(self, batch: Batch) -> Tensor:
        """(T, hidden)."""
        x = self.token(batch.tokens) + self.segment(batch.segments) + self.position(batch.positions)
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

    def forward(self, x: Tensor, groups: tuple[tuple[int, int], ...]) -> Tensor:
        """(T, hidden) -> (T, hidden), rows apart from each other."""
        attended = grouped_attention(self.mix(x), groups, self.heads, self.attention_dropout)
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
        first = self.encoder(batch)[batch.cumulative_lengths[:-1]]
        return self.output(torch.tanh(self.hidden(first)))
