"""Preparation: pretrained weights, texts and tokens of a study, read once for users and tests alike.

Free of torch for studies without pretrained weights.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.dataset import Dataset, build_tokenizer, read_splits, tokenised
from trimtab.data.examples import Examples
from trimtab.data.files import cache_root
from trimtab.data.tokenizer import WORD_TOKENIZERS, largest_id
from trimtab.model.architecture import AUTO, PACKED, TRANSFORMERS
from trimtab.model.transformers_package import require
from trimtab.study.definition import Study
from trimtab.study.grid import Variant
from trimtab.study.settings import Settings

if TYPE_CHECKING:
    from trimtab.model.heads import Parts
    from trimtab.model.weights import Weights

Splits = Mapping[str, Examples]


@dataclass(frozen=True, eq=False)
class InitialWeights:
    """Pretrained weights by the name that the study gives them.

    fingerprint: of the tensors that a trial takes over; file: where these lie, in the cache; ignored: the
    file's tensors that nothing takes over.
    """

    name: str
    fingerprint: str
    file: Path
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PreparedVariant:
    """A variant with everything that its trials need, before anything is truncated.

    number: its place in the study; cell: of the grid, with the size of its pretrained weights; dataset: the
    data as its tokeniser reads it, one object for all variants that share a tokeniser; initial_weights: None
    where it is trained from scratch.
    """

    number: int
    cell: Variant
    dataset: Dataset
    initial_weights: InitialWeights | None

    @property
    def name(self) -> str:
        """How the variant is called, see ``Variant.name``."""
        return self.cell.name

    @property
    def settings(self) -> Settings:
        """Truncation, length, architecture and recipe."""
        return self.cell.settings


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study with its variants prepared, in its order; examples: the texts of every split."""

    study: Study
    variants: tuple[PreparedVariant, ...]
    examples: Splits


AnyVariant = TypeVar("AnyVariant", bound=PreparedVariant)


def by_dataset(variants: Sequence[AnyVariant]) -> dict[Dataset, list[AnyVariant]]:
    """The data as each distinct tokeniser reads it, with the variants that use it, both in their order."""
    found: dict[Dataset, list[AnyVariant]] = {}
    for variant in variants:
        found.setdefault(variant.dataset, []).append(variant)
    return found


def prepare(study: Study, data: Path | None = None) -> Prepared:
    """Read the weights that ``study`` names, then its data, tokenised once for each distinct tokeniser.

    data: the folder of ``--data``. Raises InputError where a file is missing or wrong, where labels or the
    number of texts disagree, where a split is empty, and where weights are wrong, have another size than the
    study states, or too few positions or segments.
    """
    _check_transformers(study)
    names = dict.fromkeys(filter(None, (variant.settings.starts_from for variant in study.variants)))
    pretrained = {name: _pretrained(study, name, data) for name in names}
    examples = read_splits(study.data, data)
    datasets = _Datasets(examples, data)
    # First, as the name of a tokeniser that weights bring, too, is the one in [data].
    own = _own_tokenizer(study, examples, data, pretrained)
    without_weights = datasets.read_by(study.data.tokenizer, own) if own else None
    variants = []
    for number, cell in enumerate(study.variants):
        if weights := cell.settings.starts_from:
            found = pretrained[weights]
            dataset = datasets.read_by(weights, found.tokenizer)
            variants.append(PreparedVariant(number, _sized(cell, found.parts), dataset, found.weights))
        else:
            assert without_weights is not None
            variants.append(PreparedVariant(number, cell, without_weights, None))
    return Prepared(study, tuple(variants), examples)


@dataclass(frozen=True, eq=False)
class _Pretrained:
    """Pretrained weights that were read and put into the cache: others may be as large."""

    weights: InitialWeights
    tokenizer: Tokenizer
    parts: "Parts"


class _Datasets:
    """The splits as tokenisers read them, each distinct one once."""

    def __init__(self, examples: Splits, data: Path | None) -> None:
        self.examples, self.data = examples, data
        self.made: dict[str, Dataset] = {}

    def read_by(self, name: str, tokenizer: Tokenizer) -> Dataset:
        content = tokenizer.to_str()
        if content not in self.made:
            self.made[content] = tokenised(name, tokenizer, self.examples, self.data)
        return self.made[content]


def _check_transformers(study: Study) -> None:
    if any(variant.settings.implementation == TRANSFORMERS for variant in study.variants):
        require(f"implementation = {TRANSFORMERS!r}")


def _pretrained(study: Study, name: str, data: Path | None) -> _Pretrained:
    cells = [cell for cell in study.variants if cell.settings.starts_from == name]
    packed = any(cell.settings.implementation == PACKED for cell in cells)
    weights, tokenizer = _read(name, data, PACKED if packed else AUTO)
    # Before any data is read, as the study may name another size.
    _check_sizes(cells, weights.parts)
    _check_layers(cells, weights)
    from trimtab.model.initial_weights import initial_weights, save

    fingerprint, file = save(initial_weights(weights, largest_id(tokenizer) + 1), cache_root() / "weights")
    kept = InitialWeights(name, fingerprint, file, weights.ignored)
    return _Pretrained(kept, tokenizer, weights.parts)


def _read(
    name: str, data: Path | None, implementation: Literal["packed", "auto"] = AUTO
) -> "tuple[Weights, Tokenizer]":
    from trimtab.model.loading import read  # only studies with weights wait for torch

    return read(name, data, implementation=implementation)


def _check_sizes(cells: Iterable[Variant], parts: "Parts") -> None:
    from trimtab.model.weights import check_positions

    for cell in cells:
        sized = _sized(cell, parts)
        check_positions(parts, sized.settings.max_len, sized.name)


def _check_layers(cells: Iterable[Variant], weights: "Weights") -> None:
    """InputError where a recipe treats layers differently that tensors' names do not number one by one."""
    from trimtab.model.layer_names import layer_of

    size = weights.parts.size
    numbers = {layer_of(name) for name in weights.tensors} - {None}
    if size.configuration is None or len(numbers) == size.layers:
        return
    for cell in cells:
        if cell.settings.recipe.tells_layers_apart:
            what = f"layer_decay, frozen and reinitialise cannot tell the layers of {size.kind!r} apart"
            raise InputError(f"{cell.name}: {what}; leave them out")


def _sized(cell: Variant, parts: "Parts") -> Variant:
    """The cell with the size of the weights; InputError where the study states another."""
    try:
        settings = cell.settings.sized(parts.size)
        settings.check_depth()
    except InputError as error:
        raise InputError(f"{cell.name}: {error}") from error
    return replace(cell, settings=settings)


def _own_tokenizer(
    study: Study, examples: Splits, data: Path | None, pretrained: Mapping[str, _Pretrained]
) -> Tokenizer | None:
    """The tokeniser of variants without weights; None where there are none."""
    if all(variant.settings.starts_from for variant in study.variants):
        return None
    name = study.data.tokenizer
    if name in pretrained:
        return pretrained[name].tokenizer
    if _names_weights(name, data):
        return _read(name, data)[1]
    return build_tokenizer(study.data, examples["train"], data)


def tokenizer_of_weights(name: str, data: Path | None) -> Tokenizer | None:
    """The tokeniser of the pretrained weights ``name``; None where it names no weights."""
    return _read(name, data)[1] if _names_weights(name, data) else None


def _names_weights(tokenizer: str, data: Path | None) -> bool:
    if tokenizer in WORD_TOKENIZERS or Path(tokenizer).suffix in (".txt", ".json"):
        return False
    from trimtab.model.loading import names_weights

    return names_weights(tokenizer, data)
