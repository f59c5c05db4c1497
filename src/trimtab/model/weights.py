"""Weights between files and models: every tensor in its place, in the right shape, or an error."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from trimtab.config import InputError
from trimtab.model.heads import Bert, Parts
from trimtab.model.sizes import Architecture

TABLE, TIED = "encoder.embeddings.token.weight", "masked_words.output.weight"
SEGMENTS = "encoder.embeddings.segment.weight"
POSITIONS = "encoder.embeddings.position.weight"


@dataclass(frozen=True, eq=False)
class Weights:
    """The numbers of a ``Bert``: what a file holds, and what is written to one.

    tensors: by the names of ``Bert``'s (and ``Classifier``'s) state_dict, float32 where they were read.
    labels: names of the classes where there is a classification head and they are known. ignored: names of
    the file's learnt tensors that were not used: heads of other tasks, second copies.
    """

    parts: Parts
    tensors: Mapping[str, Tensor]
    labels: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def model(self) -> Bert:
        """A model with these numbers, in evaluation mode."""
        with torch.device("meta"):
            empty = Bert(self.parts)
        model = empty.to_empty(device="cpu")
        if model.masked_words and self.parts.tied:  # to_empty makes two of one
            model.tie()
        model.load_state_dict(dict(self.tensors))
        return model.eval()


def weights_of(model: nn.Module, size: Architecture, labels: Iterable[str] = ()) -> Weights:
    """The weights of a ``Bert`` or ``Classifier`` of ``size``, sharing its memory."""
    return weights_from({name: x.detach() for name, x in model.state_dict().items()}, size, labels)


def weights_from(tensors: Mapping[str, Tensor], size: Architecture, labels: Iterable[str] = ()) -> Weights:
    """The same from a ``Bert``'s or ``Classifier``'s tensors by name."""
    last = tensors.get(TIED)
    parts = Parts(
        size=size,
        vocabulary=len(tensors[TABLE]),
        segments=len(tensors[SEGMENTS]),
        hidden="hidden.weight" in tensors,
        masked_words=last is not None,
        tied=last is not None and last.data_ptr() == tensors[TABLE].data_ptr(),
        next_sentence="next_sentence.weight" in tensors,
        classes=len(tensors.get("output.weight", ())),
    )
    return Weights(parts, tensors, tuple(labels))


def with_positions(weights: Weights, positions: int) -> Weights:
    """The same with the first ``positions`` rows of the position table alone: those that were trained."""
    size = replace(weights.parts.size, positions=positions)
    tensors = dict(weights.tensors) | {POSITIONS: weights.tensors[POSITIONS][:positions]}
    return replace(weights, parts=replace(weights.parts, size=size), tensors=tensors)


def _same(tensor: Tensor) -> Tensor:
    return tensor


@dataclass(frozen=True)
class Place:
    """Where a format keeps one of our tensors: under one name, or in equal parts under several.

    read makes ours of the parts joined along their first axis, write undoes it.
    """

    names: tuple[str, ...]
    read: Callable[[Tensor], Tensor] = _same
    write: Callable[[Tensor], Tensor] = _same

    def split(self, tensor: Tensor) -> dict[str, Tensor]:
        """The format's tensors of ours, by name; views of it."""
        return dict(zip(self.names, self.write(tensor).chunk(len(self.names)), strict=True))


def place(name: str, layers: str, modules: Mapping[str, tuple[str, ...]]) -> Place:
    """The place of our tensor ``name`` where a format only has other names for modules.

    layers: what its names in a layer begin with, {} for the number. modules: its names by ours.
    """
    module, kind = name.rsplit(".", 1)
    before = ""
    if module.startswith("encoder.layers."):
        *_, number, module = module.split(".")
        before = layers.format(number)
    return Place(tuple(f"{before}{theirs}.{kind}" for theirs in modules[module]))


@dataclass(frozen=True, eq=False)
class Source:
    """The tensors of a file by the format's names, and how to speak of them in an error.

    path: of the file, on disk or in a zip. spelt: the file's own spelling of a name, where that is another.
    """

    path: object
    tensors: Mapping[str, Tensor]
    spelt: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, dimensions: int) -> Tensor:
        """The tensor ``name``, to read sizes of; InputError where it is missing or has other dimensions."""
        if name not in self.tensors:
            what = f"holds no tensor {name}"
            raise InputError(f"{self.path}: {what}; it is incomplete, or of another model: save it again")
        found = self.tensors[name]
        if found.dim() != dimensions:
            what = f"tensor {name} has shape {tuple(found.shape)}, where {dimensions} dimensions are due"
            raise InputError(f"{self.path}: {what}; take a file that is of this format")
        return found

    def checked(self, name: str, shape: torch.Size) -> Tensor:
        """The tensor ``name``; InputError where it is missing or has another shape."""
        if name not in self.tensors:
            what = f"holds no tensor {name}, of shape {tuple(shape)}"
            raise InputError(f"{self.path}: {what}; it is incomplete, or of another model: save it again")
        found = self.tensors[name]
        if found.shape != shape:
            said, mend = self.spelt.get(name, name), "take the weights and the configuration of one model"
            what = f"tensor {said} has shape {tuple(found.shape)}, where {tuple(shape)} is due"
            raise InputError(f"{self.path}: {what}; {mend}")
        return found


def gather(
    source: Source, parts: Parts, place_of: Callable[[str], Place], body: str, unused: Iterable[str] = ()
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Our tensors out of a file's, and the names of those that were not used.

    body: what the names of the encoder's tensors begin with; one of those that is not used is an InputError,
    as the model would compute something else without it. unused: names of what is not learnt, and not told.
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
    strange = sorted(name for name in left if name.startswith(body))
    if strange:
        what = f"tensor {source.spelt.get(strange[0], strange[0])} has no place in this BERT"
        raise InputError(f"{source.path}: {what}; take a model with the plain encoder")
    return tensors, tuple(sorted(source.spelt.get(name, name) for name in left))


def lay_out(weights: Weights, place_of: Callable[[str], Place]) -> dict[str, Tensor]:
    """A format's tensors of ``weights``, each with memory of its own."""
    return {
        name: part.detach().cpu().clone()
        for ours, tensor in weights.tensors.items()
        for name, part in place_of(ours).split(tensor).items()
    }


def check_positions(parts: Parts, max_len: int, where: str) -> None:
    """InputError where inputs of ``max_len`` tokens are longer than the position table; ``where`` asks."""
    if max_len > (known := parts.size.positions):
        what = f"max_len {max_len} is longer than the {known} positions that the weights know"
        raise InputError(f"{where}: {what}; take {known} or less, or other weights")


def check_segments(parts: Parts, needed: int, where: str) -> None:
    """InputError where the data has more segments (1: single texts, 2: pairs) than the weights know."""
    if needed > parts.segments:
        what = f"the data has {needed} segments, and the weights know {parts.segments}"
        raise InputError(f"{where}: {what}; take single texts, or weights that were trained on pairs")


def check_vocabulary(largest: int, rows: int, where: object, *, padded: bool) -> None:
    """InputError where a vocabulary, ids 0 to ``largest``, is not that of a token table of ``rows``.

    ``padded`` allows a table that was made a little larger, to a multiple of 8, for speed.
    """
    size = largest + 1
    if size == rows or (padded and rows % 8 == 0 and 0 < rows - size < 128):
        return
    what = f"the vocabulary has {size:,} tokens, and the token table {rows:,} rows"
    raise InputError(f"{where}: {what}; take the vocabulary that the weights were trained with")
