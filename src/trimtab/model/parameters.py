"""The named tensors of a classifier, as transformers' BertForSequenceClassification has them."""

from typing import NamedTuple

import torch

from trimtab.model.architecture import Architecture
from trimtab.model.classifier import Classifier
from trimtab.model.weights_hf import tensor_places

# The order of embeddings in transformers; everything else has the order of our model.
_EMBEDDINGS = ("word_embeddings", "position_embeddings", "token_type_embeddings")


class NamedTensor(NamedTuple):
    """A tensor's name in Hugging Face's format, its shape, and how many trained numbers it holds."""

    name: str
    shape: tuple[int, ...]
    numbers: int

    @property
    def shape_words(self) -> str:
        """``768 x 3072``."""
        return " x ".join(map(str, self.shape))


def parameter_rows(size: Architecture, vocabulary: int, classes: int) -> list[NamedTensor]:
    """Every tensor of an encoder with a classification head, in the order of ``named_parameters()``.

    Queries, keys and values are separate tensors, which are one in our model. A size without a norm on its
    embeddings has no tensors for it. Nothing is allocated.
    """
    with torch.device("meta"):
        tensors = Classifier(size, vocabulary, classes).state_dict()
    found: dict[str, list[tuple[str, torch.Tensor]]] = {}  # by module: its weight, then its bias
    for ours, tensor in tensors.items():
        for name, part in tensor_places(size, ours, tensor).items():
            found.setdefault(name.rpartition(".")[0], []).append((name, part))
    modules = sorted(found, key=_among_embeddings)
    return [
        NamedTensor(name, tuple(part.shape), part.numel())
        for module in modules
        for name, part in found[module]
    ]


def _among_embeddings(module: str) -> int:
    """A module's sort key: embeddings first, everything else after them."""
    name = module.rpartition(".")[2]
    return _EMBEDDINGS.index(name) if name in _EMBEDDINGS else len(_EMBEDDINGS)
