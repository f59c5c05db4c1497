"""Compiled layers: what comes after attention becomes a few kernels. Attention itself stays as it is."""

from collections.abc import Iterator
from typing import Any

import torch

from trimtab.model.encoder import Classifier


def compile_layers(model: Classifier, backend: str = "inductor") -> None:
    """Compile what each layer of ``model`` does after attention, for any number of tokens.

    All layers share their code, so it is compiled once for training, on first use, and once for evaluation.
    """
    for layer in _layers(model):
        layer._after_attention = torch.compile(layer._after_attention, dynamic=True, backend=backend)


def restore_layers(model: Classifier) -> None:
    """Undo ``compile_layers``, where it was done."""
    for layer in _layers(model):
        vars(layer).pop("_after_attention", None)


def _layers(model: Classifier) -> Iterator[Any]:
    yield from model.encoder.layers
