"""Compiled layers: everything after attention becomes a few kernels. Attention is not compiled."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from trimtab.model.classifier import Classifier
from trimtab.model.heads import Bert


def compile_layers(model: nn.Module, backend: str = "inductor") -> None:
    """Compile the part of each layer of ``model`` that follows attention, for any number of tokens.

    All layers share the compiled code. It is compiled on first use, once each for training and evaluation.
    """
    for layer in _layers(model):
        layer._after_attention = torch.compile(layer._after_attention, dynamic=True, backend=backend)


def restore_layers(model: nn.Module) -> None:
    """Undo ``compile_layers``, if it was called, and forget what was compiled.

    torch compiles a function at most eight times in a process, and beyond that runs it uncompiled, with a
    line in its log: a worker that trains one size after another would soon be there.
    """
    compiled = [vars(layer).pop("_after_attention", None) for layer in _layers(model)]
    if any(compiled):
        torch._dynamo.reset()


def _layers(model: nn.Module) -> Iterator[Any]:
    """The layers of a packed model; none of another."""
    if isinstance(model, Classifier | Bert):
        yield from model.encoder.layers
