"""The sum of embeddings that a packed batch enters the encoder with."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.architecture import Architecture
from trimtab.model.dropout import Dropout


class Embeddings(nn.Module):
    """The sum of token, segment and position embeddings, as far as the architecture has them.

    A norm and dropout follow where it has them, and a dense layer where embeddings are narrower than the
    encoder.
    """

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        width = size.embedding or size.hidden
        self.first_position = size.first_position
        self.token: nn.Module = nn.Embedding(vocabulary, width)
        self.segment = nn.Embedding(size.segments, width) if size.segments else None
        rows = size.positions + size.first_position
        self.position = nn.Embedding(rows, width) if size.has_position_table else None
        self.norm = nn.LayerNorm(width, size.epsilon, bias=size.norm_bias) if size.embedding_norm else None
        self.dropout = Dropout(size.dropout)
        self.project = nn.Linear(width, size.hidden) if size.embedding else None

    def forward(self, batch: Batch) -> Tensor:
        """(T, hidden)."""
        return self.complete(self.token(batch.tokens), batch)

    def complete(self, tokens: Tensor, batch: Batch) -> Tensor:
        """The embeddings (T, hidden), given the token embeddings, (T, their width)."""
        x = tokens
        if self.segment is not None:
            x = x + _by_segment(self.segment, batch.segments)
        if self.position is not None:
            x = x + self.position(self._places(batch))
        if self.norm is not None:
            x = self.dropout(self.norm(x))
        return x if self.project is None else self.project(x)

    def _places(self, batch: Batch) -> Tensor:
        """The row of the position table of each token, (T,).

        Where positions begin after the padding token's id, as RoBERTa's, that token has a row of its own and
        is not counted, even where a text holds it.
        """
        first = self.first_position
        if not first:
            return batch.positions
        padding = batch.tokens == first - 1
        counted = padding.cumsum(0)
        starts = torch.arange(len(counted), device=counted.device) - batch.positions
        before = F.pad(counted, (1, 0))[starts]
        return torch.where(padding, first - 1, batch.positions + first - (counted - before))


def _by_segment(table: nn.Embedding, segments: Tensor) -> Tensor:
    """The segment embedding of each token, (T, width), or (1, width) for all."""
    weight = table.weight
    if len(weight) == 1:  # both texts belong to the one segment, whatever the tokeniser says
        return weight
    if weight.is_cuda and len(weight) == 2:
        # There an embedding's backward pass sums each row of the table one token after the other.
        return weight[:1] + segments[:, None] * (weight[1:] - weight[:1])
    found: Tensor = table(segments)
    return found
