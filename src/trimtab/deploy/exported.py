"""A folder of weights with what they need to be used: ``trimtab.json`` says how texts are truncated.

Folders of transformers and of sentence-transformers' CrossEncoder have none, and are used as these use them.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from trimtab.atomic import write_json
from trimtab.config import InputError, validated
from trimtab.deploy.activation import Activation, activation_of
from trimtab.ledger.tokenizers import Frequencies
from trimtab.model import loading
from trimtab.model.architecture import AUTO
from trimtab.model.padded import AnyModel
from trimtab.model.weights import Weights, check_positions
from trimtab.model.weights_archive import json_object
from trimtab.truncation import Truncation, parse
from trimtab.truncation.windows import NO_WINDOWS, Windows, parse_windows

DESCRIPTION, _MODEL = "trimtab.json", "config.json"
_MEND = "export the model again"
_FREQUENCIES = "document_frequencies.npy"
_TOKENIZER, _SENTENCES = "tokenizer_config.json", "sentence_bert_config.json"
SCORE = "score"  # what the one output of a model is called that gives no labels


class Use(BaseModel):
    """How a classifier's texts were read in training, which is how they are read in use.

    truncation, windows: spec strings; texts: 1, or 2 where it judges pairs; labels: in the order of the
    logits; precision: of its matrix products; activation: of its logits, by default what the folder's other
    files say. Other keys of ``trimtab.json`` are for people.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", strict=True, frozen=True)

    truncation: str = "longest_first"
    max_len: int | None = None
    texts: Literal[1, 2] | None = None
    labels: list[str] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    activation: Activation | None = None
    windows: str = NO_WINDOWS


@dataclass(frozen=True, eq=False)
class Exported:
    """A classifier that is ready for use; described: whether ``trimtab.json`` gives a truncation.

    labels: a name for each logit; that of a single one is ``score``. activation: of the logits. truncation:
    fitted where it has to be; windows: what takes its place, if anything; texts: 1, 2 or None where that is
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
    activation: Activation = "softmax"
    windows: Windows | None = None

    @property
    def about(self) -> str:
        """How it reads texts: ``ratio, max_len 64``."""
        windows = "" if self.windows is None else f", windows {self.windows}"
        return f"{self.truncation}, max_len {self.max_len}{windows}"

    @property
    def gives_scores(self) -> bool:
        """Whether it has one output: a number for each row, and no label."""
        return self.model.classes == 1


def describe(folder: Path, use: Use, frequencies: Frequencies | None, about: Mapping[str, Any]) -> None:
    """Write ``trimtab.json`` into a folder of weights: how they are used; ``about`` is for people."""
    written = json_object(
        folder / DESCRIPTION, _MEND
    )  # which d2l's format writes for what its tensors do not tell
    write_json(folder / DESCRIPTION, {**written, **use.model_dump(), **about})
    if frequencies is not None:
        np.save(folder / _FREQUENCIES, frequencies, allow_pickle=False)


def read(folder: Path) -> Exported:
    """The classifier in a folder: of ``trimtab export``, or any other of d2l's or Hugging Face's format.

    Without a ``trimtab.json`` texts of Hugging Face's format are cut as its fast tokenisers cut them, to the
    length of the position table or what the tokeniser's own files say, whichever is less; of d2l's by
    longest_first. InputError where there is no such folder, or no classification head, or ``trimtab.json`` is
    wrong.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name one that trimtab export has written")
    table = json_object(folder / DESCRIPTION, _MEND)
    use = validated(Use, table, str(folder / DESCRIPTION))
    weights, tokenizer = loading.read(folder.resolve(), implementation=AUTO)
    classes = weights.parts.classes
    if not classes:
        what = "has no classification head"
        raise InputError(f"{folder}: {what}; name a classifier, such as trimtab export writes")
    activation = use.activation or activation_of(folder, classes)
    max_len = _limit(weights.parts.size.positions, folder) if use.max_len is None else use.max_len
    check_positions(weights.parts, max_len, str(folder / DESCRIPTION))
    return Exported(
        model=weights.model(),
        tokenizer=tokenizer,
        labels=_labels(use, weights, folder),
        truncation=_truncation(use if "truncation" in table else _as_transformers(use, folder), folder),
        max_len=max_len,
        texts=use.texts,
        precision=use.precision,
        described="truncation" in table,
        activation=activation,
        windows=_windows(use, folder),
    )


def _limit(positions: int, folder: Path) -> int:
    """The most tokens of a row where ``trimtab.json`` does not say it."""
    said = (
        json_object(folder / _TOKENIZER, _MEND).get("model_max_length"),
        json_object(folder / _SENTENCES, _MEND).get("max_seq_length"),
    )
    # transformers writes 1e30 for a tokeniser without a limit.
    return min([positions, *(int(each) for each in said if isinstance(each, int | float) and each > 0)])


def _as_transformers(use: Use, folder: Path) -> Use:
    """The same with the truncation that ``truncation=True`` is to transformers' fast tokenisers."""
    if not (folder / _MODEL).is_file():
        return use
    left = json_object(folder / _TOKENIZER, _MEND).get("truncation_side") == "left"
    return use.model_copy(update={"truncation": "longest_first(tie=hf_fast)" + "+tail" * left})


def _labels(use: Use, weights: Weights, folder: Path) -> tuple[str, ...]:
    """A name for each logit: those of trimtab.json, else of config.json, else numbers."""
    classes = weights.parts.classes
    if classes == 1:
        return (SCORE,)
    labels = tuple(use.labels or weights.labels or map(str, range(classes)))
    if len(labels) != classes:
        what = f"names {len(labels)} labels, and the head has {classes} outputs"
        raise InputError(f"{folder / DESCRIPTION}: {what}; export the model again")
    if repeated := [label for label, times in Counter(labels).items() if times > 1]:
        where = folder / (DESCRIPTION if use.labels else _MODEL)
        raise InputError(f"{where}: calls two labels {repeated[0]!r}; give each a name of its own")
    return labels


def _windows(use: Use, folder: Path) -> Windows | None:
    try:
        return parse_windows(use.windows)
    except InputError as error:
        raise InputError(f"{folder / DESCRIPTION}: {error}") from error


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
