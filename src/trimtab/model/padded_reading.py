"""Folders of weights without a packed form, as transformers reads them."""

import json
from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import torch
from pydantic import ValidationError
from tokenizers import Tokenizer

from trimtab.config import InputError, explain
from trimtab.data.files import open_binary
from trimtab.data.tokenizer import largest_id
from trimtab.model import weights_tokenizer
from trimtab.model.architecture import TRANSFORMERS, Activation, Architecture
from trimtab.model.heads import Parts
from trimtab.model.kinds.kind import OTHER_TASKS
from trimtab.model.padded_weights import head_names, without_head
from trimtab.model.transformers_package import class_of, configuration_of, quiet, require
from trimtab.model.weights import Weights
from trimtab.model.weights_archive import json_object

MARK = "config.json"

# Keys of a configuration that do not describe the encoder, or that name code to execute.
_BESIDE = (
    "architectures",
    "auto_map",
    "dtype",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "torch_dtype",
    "transformers_version",
    "_name_or_path",
)
_TENSORS = ("*.safetensors", "*.bin")
_COUNTERS = ("position_ids", "token_type_ids", "pooler.dense.weight", "pooler.dense.bias")  # not needed
_UNLIMITED = 1 << 20  # tokens, where neither a table nor the configuration limits them


def read(folder: Path) -> tuple[Weights, Tokenizer]:
    """The weights and tokeniser of a folder that transformers has a classifier of whole texts for.

    Tensors have transformers' names. InputError where transformers is not installed or does not know the
    architecture, and where tensors of the encoder are missing.
    """
    file = folder / MARK
    table = json_object(file, f"use the {MARK} of a model")
    require(f"{file}: model_type {table.get('model_type')!r}")
    tokenizer = weights_tokenizer.read(folder)
    configuration = configuration_of(table, file)
    model, missing, ignored = _loaded(folder, configuration)
    size = _size(model, _described(table, configuration, tokenizer, file), file)
    rows, largest = model.get_input_embeddings().weight.shape[0], largest_id(tokenizer)
    if largest >= rows:
        what = f"the tokeniser has ids up to {largest:,}, but the token table {rows:,} rows"
        raise InputError(f"{folder}: {what}; use the tokeniser that the weights were trained with")
    head = head_names(size)
    judges = not missing & head and not _of_another_task(table)
    classes = int(configuration.num_labels) if judges else 0
    tensors = {name: x.detach() for name, x in model.state_dict().items() if name not in missing}
    labels = tuple(str(configuration.id2label[number]) for number in range(classes))
    parts = Parts(size, rows, pooler=False, classes=classes)
    return Weights(parts, tensors if judges else without_head(tensors, size), labels, ignored), tokenizer


def _of_another_task(table: Mapping[str, Any]) -> bool:
    return any(str(name).endswith(OTHER_TASKS) for name in table.get("architectures") or ())


def _loaded(folder: Path, configuration: Any) -> tuple[Any, set[str], tuple[str, ...]]:
    """transformers' model, the names of tensors that the folder does not hold, and those not used."""
    kind = class_of(configuration)
    for file in sorted(path for pattern in _TENSORS for path in folder.glob(pattern)):
        with open_binary(file):  # for its error
            pass
    try:
        with quiet(), torch.random.fork_rng([]):
            torch.manual_seed(0)  # what it fills in without telling is the same each time
            model, found = kind.from_pretrained(
                folder,
                config=configuration,
                dtype=torch.float32,
                local_files_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # of transformers, safetensors, torch: each has its own for a damaged file
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder}: transformers cannot read its tensors ({reason}); save it again"
        ) from error
    missing = set(found["missing_keys"])
    missing |= {one if isinstance(one, str) else one[0] for one in found["mismatched_keys"]}
    body = f"{model.base_model_prefix}."
    if lost := sorted(name for name in missing if name.startswith(body) and ".pooler." not in name):
        what = f"has no tensor {lost[0]} of the expected shape"
        raise InputError(f"{folder}: {what}; it is incomplete, or belongs to another model; save it again")
    ignored = sorted(found["unexpected_keys"])
    if left := [name for name in ignored if name.startswith(body) and not name.endswith(_COUNTERS)]:
        what = f"tensor {left[0]} belongs to no layer that its configuration describes"
        raise InputError(f"{folder}: {what}; use weights and configuration of the same model")
    return model, missing, tuple(ignored)


def _described(
    table: Mapping[str, Any], configuration: Any, tokenizer: Tokenizer, file: Path
) -> dict[str, Any]:
    """What of a ``config.json`` describes the encoder, with dropouts and padding spelt out.

    InputError where padding would change what the model computes.
    """
    if getattr(configuration, "summary_type", None) == "last":
        what = f"model_type {configuration.model_type!r} judges a row by its last place, where padding is"
        raise InputError(f"{file}: {what}; use other weights")
    if "attention_mask" not in signature(class_of(configuration).forward).parameters:
        what = f"model_type {configuration.model_type!r} cannot be told which places are padding"
        raise InputError(f"{file}: {what}; use other weights")
    drops = {key: value for key, value in configuration.to_dict().items() if _is_dropout(key, value)}
    padding = getattr(configuration, "pad_token_id", None)
    if padding is None:
        padding = weights_tokenizer.padding_id(tokenizer)
    if padding is None:
        what = "has no pad_token_id, nor has the tokeniser a padding token"
        raise InputError(f"{file}: {what}; set pad_token_id to the id of a token that no text has")
    own = {key: value for key, value in table.items() if key not in _BESIDE}
    return own | drops | {"pad_token_id": padding}


def _is_dropout(key: str, value: Any) -> bool:
    return "drop" in key and isinstance(value, float | int) and not isinstance(value, bool)


def _size(model: Any, table: dict[str, Any], file: Path) -> Architecture:
    """The architecture of transformers' ``model``, as far as its configuration has the usual attributes."""
    of = model.config

    def first(*names: str, default: Any) -> Any:
        found = (getattr(of, name, None) for name in names)
        return next((value for value in found if value is not None), default)

    activation = first("hidden_act", "hidden_activation", "activation_function", default="gelu")
    hidden = first("hidden_size", default=model.get_input_embeddings().weight.shape[1])
    try:
        return Architecture(
            layers=first("num_hidden_layers", default=1),
            hidden=hidden,
            intermediate=first("intermediate_size", "n_inner", default=4 * hidden),
            heads=first("num_attention_heads", default=1),
            positions=_positions(model),
            activation=activation if activation in get_args(Activation) else "gelu",
            epsilon=first("layer_norm_eps", "norm_eps", "layer_norm_epsilon", default=1e-12),
            dropout=float(first("hidden_dropout_prob", "resid_pdrop", "dropout", default=0.0)),
            initial_deviation=first("initializer_range", default=0.02),
            kind=of.model_type,
            implementation=TRANSFORMERS,
            configuration=json.dumps(table, sort_keys=True),
        )
    except ValidationError as error:
        raise InputError(f"{file}: {explain(error, ())}") from error


def _positions(model: Any) -> int:
    """The longest input in tokens; of RoBERTa's relatives the table has rows that no token gets."""
    limit = getattr(model.config, "max_position_embeddings", None) or _UNLIMITED
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and hasattr(module, "weight"):
            padding = getattr(module, "padding_idx", None)
            limit = min(limit, module.weight.shape[0] - (0 if padding is None else padding + 1))
    return int(limit) if limit > 0 else _UNLIMITED
