"""What turns a folder's logits into what it predicts: as transformers and sentence-transformers have it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from trimtab.config import InputError
from trimtab.model.weights_archive import json_object

Activation = Literal["softmax", "sigmoid", "tanh", "identity"]

CONFIG, _SENTENCES, _MODULES = "config.json", "config_sentence_transformers.json", "modules.json"
_MEND = "save the model again"
_KNOWN: dict[str, Activation] = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Identity": "identity"}


def activation_of(folder: Path, outputs: int) -> Activation:
    """The activation of a classifier's logits, from the files of its folder.

    Several outputs choose one label, by softmax. Of a single output, sentence-transformers says it: under
    ``activation_fn`` in its own file, else within ``config.json``, or in the older
    ``sbert_ce_default_activation_function``. Without these it is the identity for a regression by
    ``problem_type``, else sigmoid, as transformers' pipeline does; sentence-transformers takes sigmoid for
    both.

    InputError where the model is for something else: several labels at a time, several numbers, another
    activation, or further layers of sentence-transformers.
    """
    table = json_object(folder / CONFIG, _MEND)
    sentences = json_object(folder / _SENTENCES, _MEND)
    kind = table.get("problem_type")
    if outputs > 1:
        if kind not in (None, "single_label_classification"):
            what = f"problem_type {kind!r} is no choice of one label, which predict makes"
            raise InputError(f"{folder / CONFIG}: {what}; name a model that was trained to choose one")
        return "softmax"
    _check_plain(folder, sentences)
    file, name = _named(folder, table, sentences)
    if name is None:
        return "identity" if kind == "regression" else "sigmoid"
    module, _, last = str(name).rpartition(".")
    if not module.startswith("torch.nn") or last not in _KNOWN:
        known = ", ".join(f"torch.nn.{each}" for each in _KNOWN)
        raise InputError(f"{file}: activation function {name!r} is unknown; set one of {known}")
    return _KNOWN[last]


def _named(folder: Path, table: Mapping[str, Any], sentences: Mapping[str, Any]) -> tuple[Path, Any]:
    """The file that names an activation function, and the name; None where there is none."""
    inner = table.get("sentence_transformers")
    older = table.get("sbert_ce_default_activation_function")
    for file, name in (
        (folder / _SENTENCES, sentences.get("activation_fn")),
        (folder / CONFIG, inner.get("activation_fn") if isinstance(inner, dict) else None),
        (folder / CONFIG, older),
    ):
        if name is not None:
            return file, name
    return folder / CONFIG, None


def _check_plain(folder: Path, sentences: Mapping[str, Any]) -> None:
    """InputError where sentence-transformers does more than to run transformers' classifier."""
    if (name := sentences.get("default_prompt_name")) is not None:
        what = f"puts the prompt {name!r} before texts, which predict does not"
        raise InputError(f"{folder / _SENTENCES}: {what}; set default_prompt_name to null to do without")
    modules = folder / _MODULES
    if modules.is_file() and modules.read_bytes().count(b'"type"') > 1:
        what = "has further modules of sentence-transformers after the classifier"
        raise InputError(
            f"{modules}: {what}, which are unknown here; use sentence-transformers' CrossEncoder"
        )


def activated(logits: NDArray[np.float32], activation: Activation) -> NDArray[np.float64]:
    """What logits (rows, outputs) become, of the same shape."""
    exact = logits.astype(np.float64)
    match activation:
        case "softmax":
            return np.asarray(softmax(exact, axis=1))
        case "sigmoid":
            return np.asarray(expit(exact))
        case "tanh":
            return np.tanh(exact)
    return exact
