"""Weights in padded classifiers, by the names of transformers: which are begun with, copied and written."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor

from trimtab.config import InputError
from trimtab.model import weights_tokenizer
from trimtab.model.architecture import Architecture
from trimtab.model.initialise import draw
from trimtab.model.layer_names import layer_of
from trimtab.model.padded import PaddedClassifier, load
from trimtab.model.transformers_package import quiet
from trimtab.model.weights import Weights


def begin(model: PaddedClassifier, initial: Mapping[str, Tensor], seed: int, reinitialise: int) -> None:
    """Fill ``model`` with ``initial``, and with random numbers where that holds none, fixed by the seed.

    The top ``reinitialise`` layers are random, and with any so is what stands between encoder and classes.
    """
    inner, size = model.inner, model.parts.size
    kept = {
        name: tensor for name, tensor in initial.items() if not _is_random(name, inner, size, reinitialise)
    }
    with torch.no_grad():
        for name, parameter in inner.named_parameters():
            if name not in kept:
                draw(parameter, name, seed, size.initial_deviation)
    load(inner, kept)


def _is_random(name: str, inner: Any, size: Architecture, reinitialise: int) -> bool:
    if not reinitialise:
        return False
    layer = layer_of(name)
    if layer is not None:
        return layer >= size.layers_with_weights - reinitialise
    return not name.startswith(f"{inner.base_model_prefix}.") or ".pooler." in name


def without_head(tensors: Mapping[str, Tensor], size: Architecture) -> dict[str, Tensor]:
    """``tensors`` without those of the output layer, whatever it is called."""
    head = head_names(size)
    return {name: tensor for name, tensor in tensors.items() if name not in head}


def head_names(size: Architecture) -> set[str]:
    """The names of the output layer's tensors: those whose shape depends on the number of classes."""
    shapes = []
    for classes in (2, 3):
        with torch.device("meta"):
            state = PaddedClassifier(size, 1, classes).inner.state_dict()
        shapes.append({name: tensor.shape for name, tensor in state.items()})
    return {name for name, shape in shapes[0].items() if shape != shapes[1][name]}


def write(folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    """Write ``weights`` and ``tokenizer`` as transformers' from_pretrained reads them."""
    parts = weights.parts
    if not parts.classes:
        raise InputError(f"{folder}: the model has no classification head; write a classifier")
    padded = cast(PaddedClassifier, weights.model())
    inner = padded.inner
    labels = weights.labels or tuple(f"LABEL_{number}" for number in range(parts.classes))
    inner.config.id2label = dict(enumerate(labels))
    inner.config.label2id = {label: number for number, label in enumerate(labels)}
    with quiet():
        inner.save_pretrained(folder)
    positions, types = parts.size.positions, padded.has_segments
    weights_tokenizer.write(folder, tokenizer, positions, token_types=types)
