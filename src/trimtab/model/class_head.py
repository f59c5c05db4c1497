"""The classification head, which a classifier and a model with several heads share."""

import torch
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.activations import ACTIVATIONS
from trimtab.model.architecture import Architecture
from trimtab.model.dropout import Dropout
from trimtab.model.encoder import Encoder, exact_on_cpu


class WithClassHead(nn.Module):
    """An encoder and what turns its representation of a row into logits.

    ``pooler``: a dense layer, followed by the head's activation; ``head_norm``, where the head has a norm;
    ``output``: the output layer. A pooler or output layer that the weights do not have is None.
    """

    def __init__(self, size: Architecture, vocabulary: int, classes: int, *, pooler: bool = True) -> None:
        super().__init__()
        head = size.head
        self.encoder = Encoder(size, vocabulary)
        self.pooler = nn.Linear(size.hidden, size.hidden, bias=head.bias) if pooler else None
        self.head_norm = (
            nn.LayerNorm(size.hidden, size.epsilon, bias=size.norm_bias) if head.norm and pooler else None
        )
        self.output = nn.Linear(size.hidden, classes) if classes else None
        self.head, self.head_dropout = head, Dropout(head.dropout)

    @property
    def classes(self) -> int:
        """Number of logits, 0 without an output layer."""
        return 0 if self.output is None else self.output.out_features

    def representation(self, x: Tensor, batch: Batch) -> Tensor:
        """What the head judges of each row, (rows, hidden), from embeddings x (T, hidden)."""
        if self.head.pooling == "mean":
            return mean_by_row(self.encoder.after_embeddings(x, batch), batch)
        return self.encoder.first(x, batch)

    def logits_of(self, row: Tensor) -> Tensor:
        """Logits (rows, classes) of representations (rows, hidden); the model must have the whole head."""
        assert self.output is not None
        with exact_on_cpu():
            if self.head.dropout_first:
                row = self.head_dropout(row)
            logits: Tensor = self.output(self.head_dropout(self.pooled_first(row)))
        return logits

    def pooled_first(self, row: Tensor) -> Tensor:
        """Representations (rows, hidden) through the dense layer, its activation and norm."""
        assert self.pooler is not None
        row = ACTIVATIONS[self.head.activation](self.pooler(row))
        return row if self.head_norm is None else self.head_norm(row)


def mean_by_row(x: Tensor, batch: Batch) -> Tensor:
    """The mean of each row's tokens of x (T, hidden), special tokens included: (rows, hidden)."""
    lengths = batch.cumulative_lengths.diff()
    row = torch.repeat_interleave(lengths, output_size=len(x))
    return x.new_zeros(len(batch), x.shape[1]).index_add_(0, row, x) / lengths[:, None]
