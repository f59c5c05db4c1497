"""A folder of weights with what they need to be used: ``trimtab.json`` says how texts are truncated."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from trimtab.atomic import write_json
from trimtab.config import InputError, validated
from trimtab.ledger.tokenizers import Frequencies
from trimtab.model import loading
from trimtab.model.architecture import AUTO
from trimtab.model.padded import AnyModel
from trimtab.model.weights import Weights, check_positions
from trimtab.model.weights_archive import json_object
from trimtab.truncation import Truncation, parse

DESCRIPTION, _MODEL = "trimtab.json", "config.json"
_MEND = "export the model again"
_FREQUENCIES = "document_frequencies.npy"


class Use(BaseModel):
    """How a classifier's texts were read in training, which is how they are read in use.

    truncation: a spec string; texts: 1, or 2 where it judges pairs; labels: in the order of the logits;
    precision: of its matrix products. Other keys of ``trimtab.json`` are for people.
    """

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    truncation: str = "longest_first"
    max_len: int | None = None
    texts: Literal[1, 2] | None = None
    labels: list[str] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"


@dataclass(frozen=True, eq=False)
class Exported:
    """A classifier that is ready for use; described: whether ``trimtab.json`` gives a truncation.

    labels: a name for each logit; truncation: fitted where it has to be; texts: 1, 2 or None where that is
    not known.
    """

    model: AnyModel
    tokenizer: Tokenizer
    labels: tuple[str, ...]
    truncation: Truncation
    max_len: int
    texts: int | None
    precision: str
    described: bool


def describe(folder: Path, use: Use, frequencies: Frequencies | None, about: Mapping[str, Any]) -> None:
    """Write ``trimtab.json`` into a folder of weights: how they are used; ``about`` is for people."""
    written = json_object(
        folder / DESCRIPTION, _MEND
    )  # which d2l's format writes for what its tensors do not tell
    write_json(folder / DESCRIPTION, {**written, **use.model_dump(), **about})
    if frequencies is not None:
        np.save(folder / _FREQUENCIES, frequencies, allow_pickle=False)


def read(folder: Path) -> Exported:
    """The classifier in a folder, of ``trimtab export`` or any other of d2l's or Hugging Face's format.

    Without a ``trimtab.json`` texts are cut by longest_first to the length of the position table. InputError
    where there is no such folder, or no classification head, or ``trimtab.json`` is wrong.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name one that trimtab export has written")
    table = json_object(folder / DESCRIPTION, _MEND)
    use = validated(Use, table, str(folder / DESCRIPTION))
    weights, tokenizer = loading.read(folder.resolve(), implementation=AUTO)
    _check_head(weights.parts.classes, json_object(folder / _MODEL, _MEND), folder)
    max_len = weights.parts.size.positions if use.max_len is None else use.max_len
    check_positions(weights.parts, max_len, str(folder / DESCRIPTION))
    return Exported(
        model=weights.model(),
        tokenizer=tokenizer,
        labels=_labels(use, weights, folder),
        truncation=_truncation(use, folder),
        max_len=max_len,
        texts=use.texts,
        precision=use.precision,
        described="truncation" in table,
    )


def _check_head(classes: int, model: Mapping[str, Any], folder: Path) -> None:
    kind = model.get("problem_type")
    if classes > 1 and kind not in (None, "single_label_classification"):
        what = f"problem_type {kind!r} is no choice of one label, which predict makes"
        raise InputError(f"{folder / _MODEL}: {what}; name a model that was trained to choose one")
    if classes < 2:
        what = "a single regression output" if classes else "no classification head"
        raise InputError(f"{folder}: has {what}; name a classifier, such as trimtab export writes")


def _labels(use: Use, weights: Weights, folder: Path) -> tuple[str, ...]:
    """A name for each logit: those of trimtab.json, else of config.json, else numbers."""
    classes = weights.parts.classes
    labels = tuple(use.labels or weights.labels or map(str, range(classes)))
    if len(labels) != classes:
        what = f"names {len(labels)} labels, and the head has {classes} outputs"
        raise InputError(f"{folder / DESCRIPTION}: {what}; export the model again")
    if repeated := [label for label, times in Counter(labels).items() if times > 1]:
        where = folder / (DESCRIPTION if use.labels else _MODEL)
        raise InputError(f"{where}: calls two labels {repeated[0]!r}; give each a name of its own")
    return labels


def _truncation(use: Use, folder: Path) -> Truncation:
    """What trimtab.json names, with what it counted in the training split."""
    try:
        truncation = parse(use.truncation)
    except InputError as error:
        raise InputError(f"{folder / DESCRIPTION}: {error}") from error
    if not truncation.needs_fit:
        return truncation
    file = folder / _FREQUENCIES
    try:
        return replace(truncation, frequencies=np.load(file, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        what = f"cannot be read, which {truncation} needs ({getattr(error, 'strerror', None) or error})"
        raise InputError(f"{file}: {what}; export the model again") from error
