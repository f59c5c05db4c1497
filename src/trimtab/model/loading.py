"""Models by name: published weights, a package's, a folder or zip, a name on the hub."""

import re
from pathlib import Path
from typing import Literal

import torch
from tokenizers import Tokenizer

from trimtab.config import InputError, nearest
from trimtab.data.files import data_root
from trimtab.model import padded_reading, weights_archive, weights_hf
from trimtab.model.architecture import AUTO, PACKED
from trimtab.model.formats import FORMATS
from trimtab.model.packages import PACKAGES
from trimtab.model.padded import AnyModel
from trimtab.model.weights import Weights

Implementation = Literal["packed", "auto"]

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_WANTED = [
    weights_hf.MARK,
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
]


def load(
    name: str | Path,
    data: Path | None = None,
    heads: int | None = None,
    implementation: Implementation = PACKED,
) -> tuple[AnyModel, Tokenizer]:
    """The model, in evaluation mode, and the tokeniser of weights; arguments and errors as ``read``'s."""
    weights, tokenizer = read(name, data, heads, implementation)
    return weights.model(), tokenizer


def read(
    name: str | Path,
    data: Path | None = None,
    heads: int | None = None,
    implementation: Implementation = PACKED,
) -> tuple[Weights, Tokenizer]:
    """The weights and the tokeniser of ``name``.

    ``bert.small`` and ``bert.base``: d2l's published archives, from the user's data folder (``data``, else
    TRIMTAB_DATA) or downloaded. ``minilm``, ``mpnet``: all-MiniLM-L6-v2 and all-mpnet-base-v2 from the
    packages of the extras of these names. A path, relative to
    the working folder or the data folder: a d2l folder or zip, or a Hugging Face folder. ``owner/name``: a
    model on the hub, with the extra ``hub``. heads: number of attention heads of d2l's weights, if it is not
    hidden / 64. implementation: ``auto`` reads what has no packed form through transformers, which is an
    InputError with ``packed``. Raises InputError where nothing is found, or it is incomplete or no encoder.
    """
    if str(name) in weights_archive.PUBLISHED:
        path = weights_archive.find(weights_archive.PUBLISHED[str(name)], data)
    elif str(name) in PACKAGES:
        path = PACKAGES[str(name)](data)
    else:
        path = _path(Path(name).expanduser(), data) or _from_hub(str(name))
    weights, tokenizer = _parsed(path, heads, implementation)
    for tensor, numbers in weights.tensors.items():
        if not torch.isfinite(numbers).all():
            what = f"{tensor} contains NaN or infinity"
            raise InputError(f"{path}: {what}, as after a training that diverged; use other weights")
    return weights, tokenizer


def _parsed(path: Path, heads: int | None, implementation: Implementation) -> tuple[Weights, Tokenizer]:
    if implementation == AUTO and weights_hf.recognise(path) and not weights_hf.has_packed_form(path):
        return padded_reading.read(path)
    for each in FORMATS.values():
        if (adapter := each.adapter()).recognise(path):
            return adapter.read(path, heads)
    marks = ", ".join(f"{each.adapter().MARK} ({each.name})" for each in FORMATS.values())
    raise InputError(f"{path}: has none of {marks}; name a folder of weights")


def names_weights(name: str, data: Path | None = None) -> bool:
    """Whether ``name`` names weights for ``read``, rather than a vocabulary file or something else."""
    if name in (*weights_archive.PUBLISHED, *PACKAGES):
        return True
    path = Path(name).expanduser()
    found = _path(path, data)
    if found is not None:
        return found.is_dir() or found.suffix == ".zip"
    return path.suffix == ".zip" or (not path.suffix and len(path.parts) > 1)


def _path(path: Path, data: Path | None) -> Path | None:
    places = [path] if path.is_absolute() else [path, *((root / path) for root in [data_root(data)] if root)]
    return next((place for place in places if place.exists()), None)


def _from_hub(name: str) -> Path:
    """The folder of a model in the hub client's cache, downloaded if it is not there."""
    if not _HUB_NAME.fullmatch(name):
        known = nearest(name, [*weights_archive.PUBLISHED, *PACKAGES])
        raise InputError(f"there are no weights {name!r}, {known}; or name an existing folder or zip")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        mend = "pip install 'trimtab[hub]' to look for it on the hub"
        raise InputError(f"there is no folder {name}; name an existing one, or {mend}") from error
    try:
        for file in (weights_hf.SAFETENSORS, weights_hf.PICKLE):
            path = Path(snapshot_download(name, allow_patterns=[*_WANTED, file]))
            if (path / file).is_file():
                break
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        mend = "check the name and the network, or download it elsewhere and name its folder"
        what = f"is no folder, and cannot be downloaded from the hub ({reason})"
        raise InputError(f"{name}: {what}; {mend}") from error
    return path
