"""Hugging Face's format: a folder with ``config.json`` and the tensors of a model of type bert."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError, explain, validated
from trimtab.data.tokenizer import largest_id
from trimtab.model import weights_tokenizer
from trimtab.model.heads import Parts
from trimtab.model.sizes import Architecture, Count
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
from trimtab.model.weights_archive import parsed
from trimtab.model.weights_files import read_pickle, read_safetensors

MARK, SAFETENSORS, PICKLE = "config.json", "model.safetensors", "pytorch_model.bin"
_PREFIX = "bert."
_DECODER, _BIAS, _OWN_BIAS = (
    f"cls.predictions.{name}" for name in ("decoder.weight", "decoder.bias", "bias")
)
_OTHER_TASKS = {
    "BertForMultipleChoice",
    "BertForTokenClassification",
}  # whose classifier does not classify whole texts
_BUFFERS = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")  # counters, not trained

_MODULES = {
    "encoder.embeddings.token": ("bert.embeddings.word_embeddings",),
    "encoder.embeddings.segment": ("bert.embeddings.token_type_embeddings",),
    "encoder.embeddings.position": ("bert.embeddings.position_embeddings",),
    "encoder.embeddings.norm": ("bert.embeddings.LayerNorm",),
    "qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "attention_norm": ("attention.output.LayerNorm",),
    "ffn_in": ("intermediate.dense",),
    "ffn_out": ("output.dense",),
    "output_norm": ("output.LayerNorm",),
    "pooler": ("bert.pooler.dense",),
    "masked_words.transform": ("cls.predictions.transform.dense",),
    "masked_words.norm": ("cls.predictions.transform.LayerNorm",),
    "masked_words.output": ("cls.predictions.decoder",),
    "output": ("classifier",),
}


class BertConfiguration(BaseModel):
    """The keys of ``config.json`` that matter here, with transformers' defaults; others are ignored."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    vocab_size: Count = 30_522
    hidden_size: Count = 768
    num_hidden_layers: Count = 12
    num_attention_heads: Count = 12
    intermediate_size: Count = 3_072
    hidden_act: Literal["gelu", "relu"] = "gelu"
    hidden_dropout_prob: float = 0.1
    max_position_embeddings: Count = 512
    type_vocab_size: Count = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    tie_word_embeddings: bool = True
    position_embedding_type: Literal["absolute"] | None = "absolute"
    is_decoder: Literal[False] = False
    id2label: dict[str, Any] | None = None
    architectures: list[str] | None = None

    def size(self) -> Architecture:
        """The encoder's size; the dropout of hidden layers is used everywhere."""
        return Architecture(
            layers=self.num_hidden_layers,
            hidden=self.hidden_size,
            intermediate=self.intermediate_size,
            heads=self.num_attention_heads,
            positions=self.max_position_embeddings,
            activation=self.hidden_act,
            epsilon=self.layer_norm_eps,
            dropout=self.hidden_dropout_prob,
            initial_deviation=self.initializer_range,
        )


def _swapped(tensor: Tensor) -> Tensor:
    """Column 0 of the format, and column 1 of ours, says that the second text follows the first."""
    return tensor.flip(0)


def _place(name: str) -> TensorPlace:
    module, kind = name.rsplit(".", 1)
    if module == "next_sentence":
        return TensorPlace((f"cls.seq_relationship.{kind}",), read=_swapped, write=_swapped)
    return place(name, "bert.encoder.layer.{}.", _MODULES)


def tensor_places(ours: str, tensor: Tensor) -> dict[str, Tensor]:
    """Our tensor ``ours`` as the format's tensors, by name; views of it."""
    return _place(ours).split(tensor)


def recognise(path: Path) -> bool:
    """Whether ``path`` is a folder with a configuration."""
    return (path / MARK).is_file()


def read(folder: Path, _heads: int | None = None) -> tuple[Weights, Tokenizer]:
    """The weights and tokeniser of a folder that transformers saved a BertModel or a model based on it to.

    Heads for classes of whole texts, masked words and next sentences are read, others listed in ``ignored``.
    The configuration has the number of attention heads. Raises InputError, which names the architecture where
    it is not BERT's.
    """
    configuration = _configuration(folder / MARK)
    source = _source(folder)
    parts = _parts(configuration, source, folder)
    tokenizer = weights_tokenizer.read(folder)
    check_vocabulary(largest_id(tokenizer), parts.vocabulary, folder, padded=True)
    tensors, ignored = gather(source, parts, _place, _PREFIX, _BUFFERS)
    return Weights(parts, tensors, _labels(configuration, parts.classes), ignored), tokenizer


def _configuration(file: Path) -> BertConfiguration:
    table = parsed(file)
    if not isinstance(table, dict):
        raise InputError(f"{file}: is not a JSON object; use the {MARK} of a model")
    kind = table.get("model_type", "bert")  # the oldest have none
    if kind != "bert":
        raise InputError(
            f"{file}: model_type {kind!r} is another architecture; use a model of model_type 'bert'"
        )
    return validated(BertConfiguration, table, str(file))


def _source(folder: Path) -> FormatTensors:
    if (path := folder / SAFETENSORS).is_file():
        raw = read_safetensors(path)
    elif (path := folder / PICKLE).is_file():
        raw = read_pickle(path)
    else:
        raise InputError(f"{folder}: has neither {SAFETENSORS} nor {PICKLE}; save the model as one file")
    spelt = {_full(name): name for name in raw}
    if _BIAS not in spelt and _OWN_BIAS in spelt:  # saved once where both are the same
        spelt[_BIAS] = spelt.pop(_OWN_BIAS)
    if len(spelt) != len(raw):
        twice = sorted(set(raw) - set(spelt.values()))[0]
        raise InputError(f"{path}: has tensor {twice} under another name too; delete one")
    return FormatTensors(path, {name: raw[theirs] for name, theirs in spelt.items()}, spelt)


def _full(name: str) -> str:
    """A tensor's name in its current spelling, with the prefix that a plain BertModel omits."""
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = _PREFIX + name
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        name = name.replace(old, new)
    return name


def _parts(configuration: BertConfiguration, source: FormatTensors, folder: Path) -> Parts:
    pooler = "bert.pooler.dense.weight" in source.tensors
    masked_words = "cls.predictions.transform.dense.weight" in source.tensors
    whole_texts = pooler and _OTHER_TASKS.isdisjoint(configuration.architectures or ())
    whole_texts = whole_texts and "classifier.weight" in source.tensors
    try:
        size = configuration.size()
    except ValidationError as error:
        raise InputError(f"{folder / MARK}: {explain(error, ())}") from error
    return Parts(
        size,
        vocabulary=configuration.vocab_size,
        segments=configuration.type_vocab_size,
        pooler=pooler,
        masked_words=masked_words,
        tied=masked_words and configuration.tie_word_embeddings and _is_tied(source.tensors),
        next_sentence="cls.seq_relationship.weight" in source.tensors,
        classes=len(source.of("classifier.weight", 2)) if whole_texts else 0,
    )


def _is_tied(tensors: Mapping[str, Tensor]) -> bool:
    """Whether the masked-word head's output matrix is omitted, or equals the token table."""
    table = tensors.get(_place(TABLE).names[0])
    return _DECODER not in tensors or (table is not None and torch.equal(tensors[_DECODER], table))


def _labels(configuration: BertConfiguration, classes: int) -> tuple[str, ...]:
    named = configuration.id2label or {}
    numbers = [str(number) for number in range(classes)]
    return tuple(str(named[number]) for number in numbers) if set(named) == set(numbers) else ()


def write(folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    """Write ``weights`` and ``tokenizer`` as transformers' from_pretrained reads them.

    The model must have a norm on its embeddings, which ``Format.write`` checks. InputError where the
    tokeniser's vocabulary does not fit.
    """
    parts = weights.parts
    check_vocabulary(largest_id(tokenizer), parts.vocabulary, folder, padded=True)
    name, tensors = _architecture(parts), lay_out(weights, _place)
    if parts.masked_words:
        tensors[_OWN_BIAS] = tensors[_BIAS].clone()
    if parts.tied:
        del tensors[_BIAS], tensors[_DECODER]
    if name == "BertModel":
        tensors = {ours.removeprefix(_PREFIX): tensor for ours, tensor in tensors.items()}
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / SAFETENSORS) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    weights_tokenizer.write(folder, tokenizer, parts.size.positions)
    write_json(folder / MARK, _described(weights, name))


def _architecture(parts: Parts) -> str:
    """The transformers class with the heads of ``parts``."""
    if parts.classes:
        return "BertForSequenceClassification"
    if parts.masked_words:
        return "BertForPreTraining" if parts.next_sentence else "BertForMaskedLM"
    return "BertForNextSentencePrediction" if parts.next_sentence else "BertModel"


def described_size(size: Architecture) -> dict[str, Any]:
    """An encoder's size as keys of ``config.json`` and of transformers' BertConfig."""
    return {
        "hidden_size": size.hidden,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": size.intermediate,
        "hidden_act": size.activation,
        "hidden_dropout_prob": size.dropout,
        "attention_probs_dropout_prob": size.dropout,
        "max_position_embeddings": size.positions,
        "initializer_range": size.initial_deviation,
        "layer_norm_eps": size.epsilon,
    }


def _described(weights: Weights, name: str) -> dict[str, Any]:
    parts, size = weights.parts, weights.parts.size
    labels = weights.labels or tuple(f"LABEL_{number}" for number in range(parts.classes))
    classes = {
        "id2label": {str(number): label for number, label in enumerate(labels)},
        "label2id": {label: number for number, label in enumerate(labels)},
    }
    return {
        "architectures": [name],
        "model_type": "bert",
        "vocab_size": parts.vocabulary,
        "type_vocab_size": parts.segments,
        **described_size(size),
        "tie_word_embeddings": parts.tied or not parts.masked_words,
    } | (classes if parts.classes else {})
