"""Compiled layers: everything after attention becomes a few kernels. Attention is not compiled."""

from collections.abc import Iterator
from typing import Any

import torch

from trimtab.model.classifier import Classifier


def compile_layers(model: Classifier, backend: str = "inductor") -> None:
    """Compile the part of each layer of ``model`` that follows attention, for any number of tokens.

    All layers share the compiled code. It is compiled on first use, once each for training and evaluation.
    """
    for layer in _layers(model):
        layer._after_attention = torch.compile(layer._after_attention, dynamic=True, backend=backend)


def restore_layers(model: Classifier) -> None:
    """Undo ``compile_layers``, if it was called."""
    for layer in _layers(model):
        vars(layer).pop("_after_attention", None)


def _layers(model: Classifier) -> Iterator[Any]:
    yield from model.encoder.layers
