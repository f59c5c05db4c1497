"""Compiled layers: everything after attention becomes a few kernels. Attention is not compiled."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from trimtab.model.classifier import Classifier


def compile_layers(model: nn.Module, backend: str = "inductor") -> None:
    """Compile the part of each layer of ``model`` that follows attention, for any number of tokens.

    All layers share the compiled code. It is compiled on first use, once each for training and evaluation.
    """
    for layer in _layers(model):
        layer._after_attention = torch.compile(layer._after_attention, dynamic=True, backend=backend)


def restore_layers(model: nn.Module) -> None:
    """Undo ``compile_layers``, if it was called."""
    for layer in _layers(model):
        vars(layer).pop("_after_attention", None)


def _layers(model: nn.Module) -> Iterator[Any]:
    """The layers of a packed classifier; none of another."""
    if isinstance(model, Classifier):
        yield from model.encoder.layers
