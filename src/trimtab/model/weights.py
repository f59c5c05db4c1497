"""Weights between files and models: every tensor under its name and in its shape, or an error."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from trimtab.config import InputError
from trimtab.model.architecture import Architecture
from trimtab.model.heads import Bert, Parts
from trimtab.model.padded import AnyModel, padded_with

TABLE, TIED = "encoder.embeddings.token.weight", "masked_words.output.weight"
POSITIONS = "encoder.embeddings.position.weight"


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of a ``Bert``, as read from a file or to be written to one.

    tensors: by the names of ``Bert``'s (and ``Classifier``'s) state_dict; float32 where they were read.
    labels: class names, where there is a classification head and they are known. ignored: names of trained
    tensors in the file that were not used: heads of other tasks, duplicates.
    """

    parts: Parts
    tensors: Mapping[str, Tensor]
    labels: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def model(self) -> AnyModel:
        """A model with these weights, in evaluation mode."""
        if self.parts.size.configuration is not None:
            return padded_with(self.parts, self.tensors)
        with torch.device("meta"):
            empty = Bert(self.parts)
        model = empty.to_empty(device="cpu")
        if model.masked_words and self.parts.tied:  # to_empty has untied them
            model.tie()
        model.load_state_dict(dict(self.tensors))
        return model.eval()


def weights_of(model: nn.Module, size: Architecture, labels: Iterable[str] = ()) -> Weights:
    """The weights of a ``Bert`` or ``Classifier`` of ``size``, sharing the model's memory."""
    return weights_from({name: x.detach() for name, x in model.state_dict().items()}, size, labels)


def weights_from(tensors: Mapping[str, Tensor], size: Architecture, labels: Iterable[str] = ()) -> Weights:
    """The same from a ``Bert``'s or ``Classifier``'s tensors by name."""
    last = tensors.get(TIED)
    parts = Parts(
        size=size,
        vocabulary=len(tensors[TABLE]),
        pooler="pooler.weight" in tensors,
        masked_words=last is not None,
        tied=last is not None and last.data_ptr() == tensors[TABLE].data_ptr(),
        next_sentence="next_sentence.weight" in tensors,
        classes=len(tensors.get("output.weight", ())),
    )
    return Weights(parts, tensors, tuple(labels))


def with_positions(weights: Weights, positions: int) -> Weights:
    """The same with only the first ``positions`` rows of the position table: those that were trained."""
    size = replace(weights.parts.size, positions=positions)
    rows = size.first_position + positions
    tensors = dict(weights.tensors) | {POSITIONS: weights.tensors[POSITIONS][:rows]}
    return replace(weights, parts=replace(weights.parts, size=size), tensors=tensors)


def _same(tensor: Tensor) -> Tensor:
    return tensor


@dataclass(frozen=True)
class TensorPlace:
    """Where a format keeps one of our tensors: under one name, or in equal parts under several.

    read: converts the parts, concatenated along their first axis, to our tensor; write: the inverse.
    """

    names: tuple[str, ...]
    read: Callable[[Tensor], Tensor] = _same
    write: Callable[[Tensor], Tensor] = _same

    def split(self, tensor: Tensor) -> dict[str, Tensor]:
        """Our tensor as the format's tensors, by name; views of it."""
        return dict(zip(self.names, self.write(tensor).chunk(len(self.names)), strict=True))


def place(name: str, layers: str, modules: Mapping[str, tuple[str, ...]]) -> TensorPlace:
    """The place of our tensor ``name`` in a format that differs only in the names of modules.

    layers: prefix of the format's names in a layer, with {} for the layer's number. modules: its module names
    by ours.
    """
    module, kind = name.rsplit(".", 1)
    before = ""
    if module.startswith("encoder.layers."):
        *_, number, module = module.split(".")
        before = layers.format(number)
    return TensorPlace(tuple(f"{before}{theirs}.{kind}" for theirs in modules[module]))


@dataclass(frozen=True, eq=False)
class FormatTensors:
    """The tensors of a file by the format's names, and what errors call them.

    path: of the file, on disk or in a zip. spelt: the file's own spelling of a name, where it differs.
    """

    path: object
    tensors: Mapping[str, Tensor]
    spelt: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, dimensions: int) -> Tensor:
        """The tensor ``name``, for its shape; InputError where it is missing or has other dimensions."""
        if name not in self.tensors:
            what = f"has no tensor {name}"
            raise InputError(
                f"{self.path}: {what}; it is incomplete, or belongs to another model; save it again"
            )
        found = self.tensors[name]
        if found.dim() != dimensions:
            what = f"tensor {name} has shape {tuple(found.shape)}, not the expected {dimensions} dimensions"
            raise InputError(f"{self.path}: {what}; use a file in this format")
        return found

    def checked(self, name: str, shape: torch.Size) -> Tensor:
        """The tensor ``name``; InputError where it is missing or has another shape."""
        if name not in self.tensors:
            what = f"has no tensor {name}, of shape {tuple(shape)}"
            raise InputError(
                f"{self.path}: {what}; it is incomplete, or belongs to another model; save it again"
            )
        found = self.tensors[name]
        if found.shape != shape:
            said, mend = self.spelt.get(name, name), "use weights and configuration of the same model"
            what = f"tensor {said} has shape {tuple(found.shape)}, not the expected {tuple(shape)}"
            raise InputError(f"{self.path}: {what}; {mend}")
        return found


def gather(
    source: FormatTensors,
    parts: Parts,
    place_of: Callable[[str], TensorPlace],
    body: str,
    unused: Iterable[str] = (),
    passed_over: tuple[str, ...] = (),
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Our tensors from a file's, and the names of those that were not used.

    body: prefix of the encoder's tensors; one that is not used is an InputError, as the model would compute
    something else without it, unless its name begins with one of ``passed_over``. unused: names of tensors
    that are not trained, which are not reported.
    """
    with torch.device("meta"):
        wanted = Bert(parts).state_dict()
    tensors: dict[str, Tensor] = {}
    left = set(source.tensors)
    for name, tensor in wanted.items():
        if name == TIED and parts.tied:
            continue
        where = place_of(name)
        found = [source.checked(part, like.shape) for part, like in where.split(tensor).items()]
        tensors[name] = where.read(torch.cat(found) if len(found) > 1 else found[0]).float().contiguous()
        left -= set(where.names)
    if parts.masked_words and parts.tied:
        tensors[TIED] = tensors[TABLE]
    left -= set(unused)
    strange = sorted(name for name in left if name.startswith(body) and not name.startswith(passed_over))
    if strange:
        kind, name = parts.size.kind, source.spelt.get(strange[0], strange[0])
        what = f"tensor {name} belongs to no layer of a plain {kind}"
        raise InputError(f"{source.path}: {what}; use a model with a plain {kind} encoder")
    return tensors, tuple(sorted(source.spelt.get(name, name) for name in left))


def lay_out(weights: Weights, place_of: Callable[[str], TensorPlace]) -> dict[str, Tensor]:
    """``weights`` as a format's tensors, each in its own memory."""
    return {
        name: part.detach().cpu().clone()
        for ours, tensor in weights.tensors.items()
        for name, part in place_of(ours).split(tensor).items()
    }


def check_positions(parts: Parts, max_len: int, where: str) -> None:
    """InputError, prefixed with ``where``, if ``max_len`` exceeds the position table."""
    if max_len > (known := parts.size.positions):
        what = f"max_len {max_len} exceeds the {known} positions of the weights"
        raise InputError(f"{where}: {what}; use at most {known}, or other weights")


def check_vocabulary(largest: int, rows: int, where: object, *, padded: bool) -> None:
    """InputError if a vocabulary with ids 0 to ``largest`` does not fit a token table of ``rows`` rows.

    ``padded`` allows a table that was padded to a multiple of 8, for speed.
    """
    size = largest + 1
    if size == rows or (padded and rows % 8 == 0 and 0 < rows - size < 128):
        return
    what = f"the vocabulary has {size:,} tokens, but the token table {rows:,} rows"
    raise InputError(f"{where}: {what}; use the vocabulary that the weights were trained with")
