"""BERT with the heads that its weights have: pooler, masked words, next sentence, classes."""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.config import InputError
from trimtab.data.batch import Batch
from trimtab.model.encoder import Encoder, exact_on_cpu
from trimtab.model.sizes import Architecture


@dataclass(frozen=True)
class Parts:
    """The structure of a ``Bert``.

    vocabulary, segments: rows of the token and segment tables. pooler: whether the first token goes through a
    linear layer and tanh. masked_words, next_sentence: whether it has the heads of
    pretraining; tied: whether the masked-word head's output matrix is the token table. classes: logits of the
    classification head, 0 for none.
    """

    size: Architecture
    vocabulary: int
    segments: int = 2
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
        self.activation = getattr(F, size.activation)
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


class Bert(nn.Module):
    """An encoder and the heads that ``parts`` names: batch -> (T, hidden).

    ``encoder``, ``pooler`` and ``output`` have the same names and shapes as in ``Classifier``. A missing head
    is None, and asking for its logits an InputError.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        size, self.parts = parts.size, parts
        self.encoder = Encoder(size, parts.vocabulary)
        if parts.segments != 2:
            self.encoder.embeddings.segment = nn.Embedding(parts.segments, size.hidden)
        self.pooler = nn.Linear(size.hidden, size.hidden) if parts.pooler else None
        self.masked_words = MaskedWords(size, parts.vocabulary) if parts.masked_words else None
        if self.masked_words and parts.tied:
            self.tie()
        self.next_sentence = nn.Linear(size.hidden, 2) if parts.next_sentence else None
        self.output = nn.Linear(size.hidden, parts.classes) if parts.classes else None

    def tie(self) -> None:
        """Share one parameter between the masked-word head's output matrix and the token table."""
        head = cast(MaskedWords, self.masked_words)
        head.output.weight = cast(nn.Embedding, self.encoder.embeddings.token).weight

    def forward(self, batch: Batch) -> Tensor:
        """Representation of every token, (T, hidden)."""
        x: Tensor = self.encoder(batch)
        return x

    def pooled(self, x: Tensor, batch: Batch) -> Tensor:
        """Each row's first token of x (T, hidden) through ``pooler`` and tanh, (rows, hidden)."""
        return self._tanh(x[batch.cumulative_lengths[:-1]])

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
        output = _there(self.output, "classes")
        first = self.encoder.first(self.encoder.embeddings(batch), batch)
        with exact_on_cpu():
            logits: Tensor = output(self._tanh(first))
        return logits

    def _tanh(self, first: Tensor) -> Tensor:
        return torch.tanh(_there(self.pooler, "the first token")(first))


def _there(head: nn.Module | None, of: str) -> nn.Module:
    if head is None:
        raise InputError(f"these weights have no head for {of}; take others, or train it first")
    return head
