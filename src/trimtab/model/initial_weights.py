"""Pretrained weights that a classifier starts from: the encoder and the pooler."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.data.files import cache_writable
from trimtab.model.classifier import Classifier
from trimtab.model.padded_weights import without_head
from trimtab.model.weights import TABLE, Weights
from trimtab.model.weights_files import read_safetensors

_SHARED = ("encoder.", "pooler.", "head_norm.")  # what a pretrained model and a classifier have in common


def initial_weights(weights: Weights, vocabulary: int) -> dict[str, Tensor]:
    """The tensors of ``weights`` that training starts from, by the names of ``Classifier``'s state_dict.

    Without a packed form they have transformers' names, and the token table is whole.

    Heads are left out, one for classes too, as it was trained for other classes. vocabulary: number of token
    ids; rows of the token table beyond them are padding.
    """
    if weights.parts.size.configuration is not None:
        return without_head(weights.tensors, weights.parts.size)
    rows = {TABLE: vocabulary}
    found = {name: tensor for name, tensor in weights.tensors.items() if name.startswith(_SHARED)}
    return {name: tensor[: rows.get(name)].contiguous() for name, tensor in found.items()}


def copy_into(model: Classifier, initial: Mapping[str, Tensor], reinitialise: int = 0) -> None:
    """Copy ``initial`` into ``model``, all but the top ``reinitialise`` layers and, with any, the pooler.

    Whatever ``initial`` does not hold keeps its random initialisation; the output layer always does.
    """
    number = len(model.encoder.layers)
    random = [f"encoder.layers.{layer}." for layer in range(number - reinitialise, number)]
    random += ["pooler.", "head_norm."] if reinitialise else []
    own = model.state_dict()  # views of the parameters
    for name, tensor in initial.items():
        if not name.startswith(tuple(random)):
            place = own[name][: len(tensor)]
            if place.shape != tensor.shape:
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}, the model {tuple(place.shape)}")
            place.copy_(tensor)


def fingerprint(initial: Mapping[str, Tensor]) -> str:
    """32 hexadecimal digits that depend on names, shapes and numbers, not on the file they came from."""
    digest = hashlib.sha256()
    for name in sorted(initial):
        digest.update(f"{name} {tuple(initial[name].shape)} {initial[name].dtype}\n".encode())
        digest.update(initial[name].numpy().data)
    return digest.hexdigest()[:32]


def save(initial: Mapping[str, Tensor], folder: Path) -> tuple[str, Path]:
    """Save ``initial`` in ``folder`` under its fingerprint, unless it is there; fingerprint and file."""
    name = fingerprint(initial)
    file = folder / f"{name}.safetensors"
    if not _is_intact(file, name):
        with cache_writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(file) as temporary:
                save_file(dict(initial), temporary)
    return name, file


def read(file: Path) -> dict[str, Tensor]:
    """The tensors that ``save`` wrote, mapped into memory; RuntimeError where the file has changed since."""
    initial = read_safetensors(file)
    if fingerprint(initial) != file.stem:
        raise RuntimeError(f"{file} changed while the study ran; run it again")
    return initial


def _is_intact(file: Path, name: str) -> bool:
    try:
        return file.is_file() and fingerprint(read_safetensors(file)) == name
    except InputError:
        return False
