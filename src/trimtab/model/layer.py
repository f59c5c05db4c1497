"""One layer of an encoder: attention and feed-forward over a packed batch."""

from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.activations import ACTIVATIONS
from trimtab.model.architecture import Architecture
from trimtab.model.attention import attention, first_attention
from trimtab.model.dropout import Dropout
from trimtab.model.relations import NONE, Relations


class Layer(nn.Module):
    """Attention and feed-forward, each with dropout, a residual sum and a layer norm after it, or before it.

    number: of the layer, from 0. The first of those with norms before has none before its attention.
    """

    def __init__(self, size: Architecture, number: int = 0) -> None:
        super().__init__()
        hidden, inner = size.hidden, size.intermediate
        self.heads, self.norm_first, self.gated = size.heads, size.norm_first, size.gated
        self.activation = ACTIVATIONS[size.activation]
        # Query, key and value in one product.
        self.qkv = nn.Linear(hidden, 3 * hidden, bias=size.attention_bias)
        dropout = size.dropout if size.attention_dropout is None else size.attention_dropout
        self.attention_dropout = Dropout(dropout)
        self.attention_out = nn.Linear(hidden, hidden, bias=size.attention_bias)
        bare = size.norm_first and number == 0
        self.attention_norm = nn.Identity() if bare else _norm(size)
        self.ffn_in = nn.Linear(hidden, inner * (2 if size.gated else 1), bias=size.ffn_bias)
        self.ffn_out = nn.Linear(inner, hidden, bias=size.ffn_bias)
        self.output_norm = _norm(size)
        self.dropout = Dropout(size.dropout)

    def forward(self, x: Tensor, batch: Batch, relations: Relations = NONE) -> Tensor:
        """(T, hidden) -> (T, hidden); rows do not attend to each other."""
        seen = self.attention_norm(x) if self.norm_first else x
        attended = attention(self.qkv(seen), batch, self.heads, self.attention_dropout, relations)
        return self._after_attention(x, attended)

    def first(self, x: Tensor, batch: Batch, relations: Relations = NONE) -> Tensor:
        """What ``forward`` gives the first token of each row: (T, hidden) -> (rows, hidden)."""
        if relations.window:
            return batch.first_of(self(x, batch, relations))
        seen = self.attention_norm(x) if self.norm_first else x
        shape = (batch, self.heads, self.attention_dropout, relations)
        return self._after_attention(batch.first_of(x), first_attention(seen, self.qkv, *shape))

    def _after_attention(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.dropout(self.attention_out(attended))
        if self.norm_first:
            return x + self._feed_forward(self.output_norm(x))
        x = self.attention_norm(x)
        return self.output_norm(x + self._feed_forward(x))

    def _feed_forward(self, x: Tensor) -> Tensor:
        x = self.ffn_in(x)
        if self.gated:
            x, gate = x.chunk(2, dim=-1)
            given: Tensor = self.ffn_out(self.dropout(self.activation(x) * gate))
            return given
        return self.dropout(self.ffn_out(self.activation(x)))


def _norm(size: Architecture) -> nn.LayerNorm:
    return nn.LayerNorm(size.hidden, size.epsilon, bias=size.norm_bias)
