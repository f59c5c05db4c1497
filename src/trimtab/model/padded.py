"""A classifier of transformers over packed batches, which are padded for it."""

import inspect
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from trimtab.config import InputError
from trimtab.data.batch import Batch
from trimtab.model.architecture import Architecture
from trimtab.model.heads import Bert, Parts
from trimtab.model.kinds import KINDS
from trimtab.model.transformers_package import configuration_of, empty_model

# What the names of the parameters of transformers' model begin with in ``PaddedClassifier``.
PREFIX = "inner."


class PaddedClassifier(nn.Module):
    """transformers' AutoModelForSequenceClassification of ``size``: batch -> (T, hidden).

    A batch is padded to its longest row; what comes out is in the order of its tokens, or of its rows.
    ``inner``: transformers' model. vocabulary: rows of the token table; a configuration of transformers' own
    says it itself. classes: logits, 0 where only representations are asked for.
    """

    def __init__(self, size: Architecture, vocabulary: int, classes: int) -> None:
        super().__init__()
        configuration = configuration_of(configuration_table(size, vocabulary), "configuration")
        configuration.num_labels = classes or 2
        if getattr(configuration, "use_cache", False):
            configuration.use_cache = False  # of decoders, to continue a text
        self.inner = empty_model(configuration)
        rows = self.inner.get_input_embeddings().weight.shape[0]
        self.parts = Parts(size, rows, pooler=False, classes=classes)
        # Attention masks hide padding; any id will do where the model itself does not look at it.
        self.pad = getattr(configuration, "pad_token_id", None) or 0
        takes = "token_type_ids" in inspect.signature(self.inner.forward).parameters
        self.has_segments = takes and getattr(configuration, "type_vocab_size", 0) > 1

    @property
    def classes(self) -> int:
        """Number of logits, 0 without an output layer."""
        return self.parts.classes

    def forward(self, batch: Batch) -> Tensor:
        """Representation of every token, (T, hidden)."""
        rows = _rows(batch)
        x: Tensor = self.inner.base_model(**self._padded(batch, rows)).last_hidden_state
        return x[rows, batch.positions]

    def first(self, batch: Batch) -> Tensor:
        """Representation of each row's first token, (rows, hidden)."""
        x: Tensor = self(batch)
        return x[batch.cumulative_lengths[:-1]]

    def class_logits(self, batch: Batch) -> Tensor:
        """Logits (rows, classes), in the order of the batch's rows."""
        if not self.classes:
            raise InputError("these weights have no head for classes; take others, or train it first")
        logits: Tensor = self.inner(**self._padded(batch, _rows(batch))).logits
        return logits

    def classify(self, tokens: Tensor, batch: Batch) -> Tensor:
        """The same, under the name that it has in ``Classifier``; tokens: the batch's, (T,)."""
        return self.class_logits(batch)

    def _padded(self, batch: Batch, rows: Tensor) -> dict[str, Tensor]:
        """The arguments of transformers' forward, each (rows, tokens of the longest row)."""
        shape = (len(batch), int(batch.lengths.max()))
        ids = batch.tokens.new_full(shape, self.pad)
        ids[rows, batch.positions] = batch.tokens
        mask = torch.zeros_like(ids)
        mask[rows, batch.positions] = 1
        found = {"input_ids": ids, "attention_mask": mask}
        if self.has_segments:
            segments = torch.zeros_like(ids)
            segments[rows, batch.positions] = batch.segments
            found["token_type_ids"] = segments
        return found


# What weights become: a packed model with all heads that they have, or a padded one.
AnyModel = Bert | PaddedClassifier


def padded_with(parts: Parts, tensors: Mapping[str, Tensor]) -> PaddedClassifier:
    """A model with ``tensors``, by transformers' names, in evaluation mode."""
    model = PaddedClassifier(parts.size, parts.vocabulary, parts.classes)
    load(model.inner, tensors)
    return model.eval()


def load(inner: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Copy ``tensors`` into transformers' model; ValueError where it has no such tensor."""
    own = inner.state_dict()  # views of the parameters
    for name, tensor in tensors.items():
        if name not in own or own[name].shape != tensor.shape:
            raise ValueError(f"{name} of shape {tuple(tensor.shape)} is no tensor of the model")
        own[name].copy_(tensor)


def configuration_table(size: Architecture, vocabulary: int) -> dict[str, Any]:
    """The keys of transformers' configuration of ``size``, those of special tokens left out."""
    if size.configuration is None:
        none = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"))
        described = KINDS[size.kind].configuration.described(size)
        return {"model_type": size.kind, "vocab_size": vocabulary, **none, **described}
    table: dict[str, Any] = json.loads(size.configuration)
    return table


def _rows(batch: Batch) -> Tensor:
    """The row of each token of a batch, (T,)."""
    lengths = batch.cumulative_lengths.diff()
    return torch.repeat_interleave(lengths, output_size=len(batch.tokens))
