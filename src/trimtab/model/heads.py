"""A packed encoder with the heads that its weights have: pooler, masked words, next sentence, classes."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from trimtab.config import InputError
from trimtab.data.batch import Batch
from trimtab.model.activations import ACTIVATIONS
from trimtab.model.architecture import Architecture
from trimtab.model.class_head import WithClassHead
from trimtab.model.encoder import exact_on_cpu


@dataclass(frozen=True)
class Parts:
    """The structure of a ``Bert``.

    vocabulary: rows of the token table. pooler: whether there is a dense layer for a row's representation,
    with an activation. masked_words, next_sentence: whether it has the heads of
    pretraining; tied: whether the masked-word head's output matrix is the token table. classes: logits of the
    classification head, 0 for none.
    """

    size: Architecture
    vocabulary: int
    pooler: bool = True
    masked_words: bool = False
    tied: bool = False
    next_sentence: bool = False
    classes: int = 0


class MaskedWords(nn.Module):
    """The masked-word head: representations (N, hidden) -> logits (N, vocabulary).

    d2l and the original have the same layers; activation and epsilon are those of the encoder.
    """

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[size.activation]
        self.transform = nn.Linear(size.hidden, size.hidden)
        self.norm = nn.LayerNorm(size.hidden, size.epsilon)
        self.output = nn.Linear(size.hidden, vocabulary)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, vocabulary) of representations (N, hidden), usually of masked tokens only."""
        logits: Tensor = self.output(self.transformed(x))
        return logits

    def transformed(self, x: Tensor) -> Tensor:
        """The input of the output layer, (N, hidden)."""
        given: Tensor = self.norm(self.activation(self.transform(x)))
        return given


class Bert(WithClassHead):
    """An encoder and the heads that ``parts`` names: batch -> (T, hidden).

    ``encoder``, ``pooler`` and ``output`` have the same names and shapes as in ``Classifier``. A missing head
    is None, and asking for its logits an InputError.
    """

    def __init__(self, parts: Parts) -> None:
        size = parts.size
        super().__init__(size, parts.vocabulary, parts.classes, pooler=parts.pooler)
        self.parts = parts
        self.masked_words = MaskedWords(size, parts.vocabulary) if parts.masked_words else None
        if self.masked_words and parts.tied:
            self.tie()
        self.next_sentence = nn.Linear(size.hidden, 2) if parts.next_sentence else None

    def first(self, batch: Batch) -> Tensor:
        """Representation of each row's first token, (rows, hidden)."""
        return self.encoder.first(self.encoder.embeddings(batch), batch)

    def tie(self) -> None:
        """Share one parameter between the masked-word head's output matrix and the token table."""
        head = cast(MaskedWords, self.masked_words)
        head.output.weight = cast(nn.Embedding, self.encoder.embeddings.token).weight

    def forward(self, batch: Batch) -> Tensor:
        """Representation of every token, (T, hidden)."""
        x: Tensor = self.encoder(batch)
        return x

    def pooled(self, x: Tensor, batch: Batch) -> Tensor:
        """Each row's first token of x (T, hidden) through ``pooler`` and its activation: (rows, hidden)."""
        _there(self.pooler, "the first token")
        return self.pooled_first(batch.first_of(x))

    def masked_word_logits(self, x: Tensor, places: Tensor) -> Tensor:
        """Logits (N, vocabulary) at ``places``, (N,) indices into the representations x (T, hidden)."""
        logits: Tensor = _there(self.masked_words, "masked words")(x[places])
        return logits

    def next_sentence_logits(self, x: Tensor, batch: Batch) -> Tensor:
        """Logits (rows, 2) from x (T, hidden); column 1: the second text follows the first.

        This is d2l's order. transformers has the reverse, so columns are swapped when its files are read and
        written.
        """
        with exact_on_cpu():
            logits: Tensor = _there(self.next_sentence, "next sentence")(self.pooled(x, batch))
        return logits

    def class_logits(self, batch: Batch) -> Tensor:
        """Logits (rows, classes), in the order of the batch's rows."""
        _there(self.output, "classes")
        _there(self.pooler, "the first token")
        return self.logits_of(self.representation(self.encoder.embeddings(batch), batch))


def _there(head: nn.Module | None, of: str) -> nn.Module:
    if head is None:
        raise InputError(f"these weights have no head for {of}; take others, or train it first")
    return head
