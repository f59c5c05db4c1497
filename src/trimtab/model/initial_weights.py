"""What a classifier takes over from pretrained weights: the encoder, and the layer on its first token."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.data.files import cache_writable
from trimtab.model.encoder import Classifier
from trimtab.model.weights import SEGMENTS, TABLE, Weights
from trimtab.model.weights_files import read_safetensors

_SEGMENTS = 2  # rows of a classifier's segment table
_TAKEN = ("encoder.", "hidden.")


def taken(weights: Weights, vocabulary: int) -> dict[str, Tensor]:
    """The tensors of ``weights`` that training starts from, by the names of ``Classifier``'s state_dict.

    The heads of pretraining are left out, and one for classes, as the classes are others. vocabulary: how
    many ids there are; rows of the token table beyond them are padding. Of a segment table as many rows as
    a classifier has, or fewer.
    """
    rows = {TABLE: vocabulary, SEGMENTS: _SEGMENTS}
    found = {name: tensor for name, tensor in weights.tensors.items() if name.startswith(_TAKEN)}
    return {name: tensor[: rows.get(name)].contiguous() for name, tensor in found.items()}


def take_over(model: Classifier, start: Mapping[str, Tensor], reinitialise: int = 0) -> None:
    """Copy ``start`` into ``model``, its ``reinitialise`` top layers apart, and then ``hidden`` too.

    What ``start`` does not hold stays as it is: the last layer always.
    """
    number = len(model.encoder.layers)
    anew = [f"encoder.layers.{layer}." for layer in range(number - reinitialise, number)]
    anew += ["hidden."] if reinitialise else []
    own = model.state_dict()  # views of the parameters
    for name, tensor in start.items():
        if not name.startswith(tuple(anew)):
            place = own[name][: len(tensor)]
            if place.shape != tensor.shape:
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}, the model {tuple(place.shape)}")
            place.copy_(tensor)


def fingerprint(start: Mapping[str, Tensor]) -> str:
    """32 hexadecimal digits of names, shapes and numbers, wherever they were read from."""
    digest = hashlib.sha256()
    for name in sorted(start):
        digest.update(f"{name} {tuple(start[name].shape)} {start[name].dtype}\n".encode())
        digest.update(start[name].numpy().data)
    return digest.hexdigest()[:32]


def keep(start: Mapping[str, Tensor], folder: Path) -> tuple[str, Path]:
    """Put ``start`` into the file of ``folder`` that bears its fingerprint, unless it is there; the two."""
    name = fingerprint(start)
    file = folder / f"{name}.safetensors"
    if not _is_whole(file, name):
        with cache_writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(file) as temporary:
                save_file(dict(start), temporary)
    return name, file


def read(file: Path) -> dict[str, Tensor]:
    """What ``keep`` put there, mapped into memory; RuntimeError where it is not that any more."""
    start = read_safetensors(file)
    if fingerprint(start) != file.stem:
        raise RuntimeError(f"{file} changed while the study ran; run it again")
    return start


def _is_whole(file: Path, name: str) -> bool:
    try:
        return file.is_file() and fingerprint(read_safetensors(file)) == name
    except InputError:
        return False
