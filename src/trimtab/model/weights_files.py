"""Files of tensors: safetensors, and pickles that hold nothing but tensors."""

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from trimtab.config import InputError
from trimtab.data.files import open_binary

_WRAPPERS = ("module.", "_orig_mod.")
_FAULTS = (RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError, OSError)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file; InputError where it is corrupt."""
    with open_binary(path):  # for its error
        pass
    try:
        return _unwrapped(load_file(path))
    except SafetensorError as error:
        raise InputError(
            f"{path}: cannot be read ({error}); it is truncated or corrupt: copy it again"
        ) from error


def read_pickle(path: Path) -> dict[str, Tensor]:
    """The tensors of a file that torch.save wrote; InputError where it is corrupt or holds other objects."""
    with open_binary(path) as stream:
        return read_pickled(stream, path)


def read_pickled(stream: BinaryIO, path: object) -> dict[str, Tensor]:
    """The same for an open file; ``path`` is its name in errors."""
    try:
        found = torch.load(stream, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = "holds more than tensors, or is truncated; it was not executed"
        raise InputError(f"{path}: {what}: save a state_dict with torch.save, or as safetensors") from error
    except (*_FAULTS, zipfile.BadZipFile) as error:
        what = f"cannot be read ({str(error).splitlines()[0] if str(error) else 'it ends too early'})"
        raise InputError(f"{path}: {what}; it is truncated or corrupt: copy it again") from error
    if not isinstance(found, Mapping) or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path}: does not map names to tensors; save a model's state_dict")
    return _unwrapped({str(name): tensor.detach() for name, tensor in found.items()})


def without_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The same tensors without a prefix that all their names share; unchanged where one lacks it."""
    if not all(name.startswith(prefix) for name in tensors):
        return tensors
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}


def _unwrapped(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a model that was saved inside another: of parallel training, of torch.compile."""
    for prefix in _WRAPPERS * 2:  # one may stand in the other, in either order
        tensors = without_prefix(tensors, prefix)
    return tensors
