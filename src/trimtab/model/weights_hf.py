"""Hugging Face's format: a folder with ``config.json`` and the tensors of one of ``KINDS``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError, explain, validated
from trimtab.data.tokenizer import largest_id
from trimtab.model import padded_weights, weights_tokenizer
from trimtab.model.architecture import Architecture
from trimtab.model.classifier import Classifier
from trimtab.model.heads import Parts
from trimtab.model.kinds import KINDS, Kind
from trimtab.model.kinds.kind import OTHER_TASKS, Configuration
from trimtab.model.weights import (
    TABLE,
    FormatTensors,
    TensorPlace,
    Weights,
    check_vocabulary,
    gather,
    lay_out,
    place,
)
from trimtab.model.weights_archive import json_object
from trimtab.model.weights_files import read_pickle, read_safetensors, without_prefix

MARK, SAFETENSORS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"
_DECODER, _BIAS, _OWN_BIAS = (
    f"cls.predictions.{name}" for name in ("decoder.weight", "decoder.bias", "bias")
)
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")  # counters, not trained
_WRAPPER = "model."


def _swapped(tensor: Tensor) -> Tensor:
    """Column 0 of the format, and column 1 of ours, says that the second text follows the first."""
    return tensor.flip(0)


def _placing(kind: Kind) -> Callable[[str], TensorPlace]:
    """Where a kind keeps each of our tensors."""

    def find(name: str) -> TensorPlace:
        module, part = name.rsplit(".", 1)
        if module == "next_sentence":
            return TensorPlace((f"cls.seq_relationship.{part}",), read=_swapped, write=_swapped)
        return place(name, kind.layers, kind.modules)

    return find


def tensor_places(size: Architecture, ours: str, tensor: Tensor) -> dict[str, Tensor]:
    """Our tensor ``ours`` as the format's tensors, by name; views of it."""
    return _placing(KINDS[size.kind])(ours).split(tensor)


def laid_out(weights: Weights) -> dict[str, Tensor]:
    """The tensors of a classifier by transformers' names, each in its own memory."""
    return lay_out(weights, _placing(KINDS[weights.parts.size.kind]))


def taken_back(size: Architecture, tensors: Mapping[str, Tensor], classes: int) -> dict[str, Tensor]:
    """The inverse of ``laid_out``: the tensors of a ``Classifier`` from transformers'."""
    find = _placing(KINDS[size.kind])
    vocabulary = len(tensors[find(TABLE).names[0]])
    with torch.device("meta"):
        wanted = Classifier(size, vocabulary, classes).state_dict()
    places = {name: find(name) for name in wanted}
    return {
        name: where.read(torch.cat([tensors[part] for part in where.names])) for name, where in places.items()
    }


def has_packed_form(folder: Path) -> bool:
    """Whether the configuration in ``folder`` is that of an encoder that can be packed."""
    try:
        kind, configuration = _configuration(folder / MARK)
        configuration.size(kind.model_type)
    except ValueError:  # of pydantic, of a kind's own check, or InputError
        return False
    return True


def recognise(path: Path) -> bool:
    """Whether ``path`` is a folder with a configuration."""
    return (path / MARK).is_file()


def read(folder: Path, _heads: int | None = None) -> tuple[Weights, Tokenizer]:
    """The weights and tokeniser of a folder that transformers saved one of ``KINDS`` to.

    Heads for classes of whole texts are read, of BERT those for masked words and next sentences too; others
    are listed in ``ignored``. Raises InputError, which names the architecture where it has no packed form.
    """
    kind, configuration = _configuration(folder / MARK)
    source = _source(folder, kind)
    parts = _parts(kind, configuration, source, folder)
    tokenizer = weights_tokenizer.read(folder)
    check_vocabulary(largest_id(tokenizer), parts.vocabulary, folder, padded=True)
    counters = [kind.prefix + name for name in _BUFFERS]
    tensors, ignored = gather(source, parts, _placing(kind), kind.prefix, counters, kind.unused)
    return Weights(parts, tensors, _labels(configuration, parts.classes), ignored), tokenizer


def _configuration(file: Path) -> tuple[Kind, Configuration]:
    table = json_object(file, f"use the {MARK} of a model")
    model_type = table.get("model_type", "bert")  # the oldest have none
    if model_type not in KINDS:
        what = f"model_type {model_type!r} has no packed form (those that have: {', '.join(KINDS)})"
        raise InputError(f"{file}: {what}; set implementation = 'transformers', which knows more")
    kind = KINDS[model_type]
    return kind, validated(kind.configuration, table, str(file))


def _source(folder: Path, kind: Kind) -> FormatTensors:
    if (path := folder / SAFETENSORS).is_file():
        raw = read_safetensors(path)
    elif (path := folder / PICKLE).is_file():
        raw = read_pickle(path)
    else:
        raise InputError(f"{folder}: has neither {SAFETENSORS} nor {PICKLE}; save the model as one file")
    raw = _unwrapped(raw, kind)
    spelt = {_full(name, kind): name for name in raw}
    if _BIAS not in spelt and _OWN_BIAS in spelt:  # saved once where both are the same
        spelt[_BIAS] = spelt.pop(_OWN_BIAS)
    if len(spelt) != len(raw):
        twice = sorted(set(raw) - set(spelt.values()))[0]
        raise InputError(f"{path}: has tensor {twice} under another name too; delete one")
    return FormatTensors(path, {name: raw[theirs] for name, theirs in spelt.items()}, spelt)


def _unwrapped(raw: dict[str, Tensor], kind: Kind) -> dict[str, Tensor]:
    """The tensors of a model that a training loop has kept as its ``model``."""
    own = kind.prefix == _WRAPPER and not any(name.startswith(_WRAPPER * 2) for name in raw)
    return raw if own else without_prefix(raw, _WRAPPER)


def _full(name: str, kind: Kind) -> str:
    """A tensor's name in its current spelling, with the prefix that a model without a head omits."""
    if name.startswith(kind.bare):
        name = kind.prefix + name
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        name = name.replace(old, new)
    return name


def _parts(kind: Kind, configuration: Configuration, source: FormatTensors, folder: Path) -> Parts:
    find = _placing(kind)
    pooler = find("pooler.weight").names[0] in source.tensors
    masked_words = _has(kind, "masked_words.transform", source)
    output = find("output.weight").names[0]
    whole_texts = not any(name.endswith(OTHER_TASKS) for name in configuration.architectures or ())
    try:
        size = configuration.size(kind.model_type)
    except ValidationError as error:
        raise InputError(f"{folder / MARK}: {explain(error, ())}") from error
    except ValueError as error:
        mend = "set implementation = 'transformers' to train it through those"
        raise InputError(f"{folder / MARK}: {error}; {mend}") from error
    return Parts(
        size,
        vocabulary=configuration.vocab_size,
        pooler=pooler,
        masked_words=masked_words,
        tied=masked_words and configuration.tie_word_embeddings and _is_tied(source.tensors, kind),
        next_sentence=kind.model_type == "bert" and "cls.seq_relationship.weight" in source.tensors,
        classes=len(source.of(output, 2)) if pooler and whole_texts and output in source.tensors else 0,
    )


def _has(kind: Kind, module: str, source: FormatTensors) -> bool:
    """Whether the file has our module, which not every kind has."""
    return module in kind.modules and f"{kind.modules[module][0]}.weight" in source.tensors


def _is_tied(tensors: Mapping[str, Tensor], kind: Kind) -> bool:
    """Whether the masked-word head's output matrix is omitted, or equals the token table."""
    table = tensors.get(_placing(kind)(TABLE).names[0])
    return _DECODER not in tensors or (table is not None and torch.equal(tensors[_DECODER], table))


def _labels(configuration: Configuration, classes: int) -> tuple[str, ...]:
    named = configuration.id2label or {}
    numbers = [str(number) for number in range(classes)]
    return tuple(str(named[number]) for number in numbers) if set(named) == set(numbers) else ()


def write(folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    """Write ``weights`` and ``tokenizer`` as transformers' from_pretrained reads them.

    The configuration must be able to describe the model, which ``Format.write`` checks. InputError where the
    tokeniser's vocabulary does not fit.
    """
    if weights.parts.size.configuration is not None:
        padded_weights.write(folder, weights, tokenizer)
        return
    parts, kind = weights.parts, KINDS[weights.parts.size.kind]
    check_vocabulary(largest_id(tokenizer), parts.vocabulary, folder, padded=True)
    name, tensors = _class_name(parts, kind), lay_out(weights, _placing(kind))
    if parts.masked_words:
        tensors[_OWN_BIAS] = tensors[_BIAS].clone()
    if parts.tied:
        del tensors[_BIAS], tensors[_DECODER]
    if name == kind.class_name(classes=False):
        tensors = {theirs.removeprefix(kind.prefix): tensor for theirs, tensor in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / SAFETENSORS) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    weights_tokenizer.write(folder, tokenizer, parts.size.positions, token_types=parts.size.segments > 1)
    write_json(folder / MARK, _described(weights, kind, name, tokenizer))


def _class_name(parts: Parts, kind: Kind) -> str:
    """The transformers class with the heads of ``parts``."""
    if parts.masked_words and not parts.classes:
        return "BertForPreTraining" if parts.next_sentence else "BertForMaskedLM"
    if parts.next_sentence and not parts.classes:
        return "BertForNextSentencePrediction"
    return kind.class_name(classes=parts.classes > 0)


def described_size(size: Architecture) -> dict[str, Any]:
    """An encoder's size as keys of ``config.json`` and of transformers' configuration of its kind."""
    return KINDS[size.kind].configuration.described(size)


def _described(weights: Weights, kind: Kind, name: str, tokenizer: Tokenizer) -> dict[str, Any]:
    parts, size = weights.parts, weights.parts.size
    labels = weights.labels or tuple(f"LABEL_{number}" for number in range(parts.classes))
    classes = {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    return {
        "architectures": [name],
        "model_type": kind.model_type,
        "vocab_size": parts.vocabulary,
        # transformers' own defaults may lie outside the vocabulary.
        "bos_token_id": None,
        "eos_token_id": None,
        "pad_token_id": weights_tokenizer.padding_id(tokenizer),
        **described_size(size),
        "tie_word_embeddings": parts.tied or not parts.masked_words,
    } | (classes if parts.classes else {})
