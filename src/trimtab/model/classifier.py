"""A classifier in training: an encoder with a classification head."""

from torch import Tensor

from trimtab.data.batches import Batch
from trimtab.model.architecture import Architecture
from trimtab.model.class_head import WithClassHead


class Classifier(WithClassHead):
    """An encoder with a classification head on each row: batch -> logits (rows, classes)."""

    def __init__(self, size: Architecture, vocabulary: int, classes: int) -> None:
        super().__init__(size, vocabulary, classes)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (rows, classes), in the order of the batch's rows."""
        return self.classify(self.encoder.embeddings.token(batch.tokens), batch)

    def class_logits(self, batch: Batch) -> Tensor:
        """The same as ``forward``, under the name that it has in ``Bert``."""
        logits: Tensor = self(batch)
        return logits

    def classify(self, tokens: Tensor, batch: Batch) -> Tensor:
        """Logits (rows, classes), given the token embeddings, (T, their width)."""
        x = self.encoder.embeddings.complete(tokens, batch)
        return self.logits_of(self.representation(x, batch))
