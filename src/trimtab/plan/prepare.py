"""What trials start from: the pretrained weights that a study names, and the data as each tokeniser reads it.

Free of torch for studies that name none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.dataset import Dataset, build_tokenizer, read_splits, tokenised
from trimtab.data.examples import Examples
from trimtab.data.files import cache_root
from trimtab.data.tokenizer import WORD_TOKENIZERS, largest_id
from trimtab.study.definition import Study
from trimtab.study.grid import Variant, are_paired
from trimtab.study.settings import Settings

if TYPE_CHECKING:
    from trimtab.model.heads import Parts
    from trimtab.model.weights import Weights

Splits = Mapping[str, Examples]


@dataclass(frozen=True, eq=False)
class Start:
    """Pretrained weights by the name that the study gives them.

    fingerprint: of the tensors that a trial takes over; file: where these lie, in the cache; dataset: the
    data as the weights' tokeniser reads it; ignored: the file's tensors that nothing takes over.
    """

    name: str
    fingerprint: str
    file: Path
    dataset: Dataset
    ignored: tuple[str, ...] = ()


class Prepared(NamedTuple):
    """A study whose variants have the sizes of their weights, its data, and its weights; see ``Plan``."""

    study: Study
    dataset: Dataset
    starts: dict[str, Start]


class Reader(NamedTuple):
    """A tokeniser, its name in the study, and the variants that read with it."""

    name: str
    tokenizer: Tokenizer
    variants: list[Variant]


def start_of(variant: Variant, starts: Mapping[str, Start]) -> Start | None:
    """What a variant's trials start from; None where that is nothing."""
    name = variant.settings.starts_from
    return starts[name] if name else None


def reading_of(variant: Variant, dataset: Dataset, starts: Mapping[str, Start]) -> Dataset:
    """The data as a variant's tokeniser reads it; ``dataset`` is that without weights."""
    start = start_of(variant, starts)
    return start.dataset if start else dataset


def readings_of(
    study: Study, dataset: Dataset, starts: Mapping[str, Start] | None
) -> dict[Dataset, list[Variant]]:
    """The data as each distinct tokeniser reads it, and the variants that read it so, in their order."""
    found: dict[Dataset, list[Variant]] = {}
    for variant in study.variants:
        found.setdefault(reading_of(variant, dataset, starts or {}), []).append(variant)
    return found


def prepare_study(study: Study, data: Path | None) -> Prepared:
    """Read the weights that ``study`` names, then its data, tokenised once for each distinct tokeniser.

    data: the folder of ``--data``. Raises InputError where weights are wrong, have another size than the
    study says, or too few positions or segments; and as ``data.dataset.prepare`` does.
    """
    parts, brought, kept, ignored = {}, {}, {}, {}
    for name in _weights_of(study.variants):
        weights, brought[name] = _read(name, data)
        study = _sized(study, name, weights.parts)
        parts[name], kept[name] = weights.parts, _keep(weights, brought[name])
        ignored[name] = weights.ignored
        del weights  # others may be as large
    splits = read_splits(study.data, data)
    for name in parts:
        _check_segments(parts[name], splits, name)
    readings, starts = _Readings(splits, data), {}
    own = _own_tokenizer(study, splits, data, brought)
    dataset = readings.of(study.data.tokenizer, own) if own else None
    for name, (fingerprint, file) in kept.items():
        starts[name] = Start(name, fingerprint, file, readings.of(name, brought[name]), ignored[name])
    return Prepared(study, dataset or next(iter(starts.values())).dataset, starts)


def tokenizers_of(study: Study, splits: Splits, data: Path | None) -> list[Reader]:
    """Each distinct tokeniser of a study, its name, and the variants that read with it."""
    brought = {name: _read(name, data)[1] for name in _weights_of(study.variants)}
    own = _own_tokenizer(study, splits, data, brought)
    found: dict[str, Reader] = {}
    for variant in study.variants:
        name = variant.settings.starts_from
        tokenizer = brought[name] if name else own
        assert tokenizer is not None
        reader = Reader(name or study.data.tokenizer, tokenizer, [])
        found.setdefault(tokenizer.to_str(), reader).variants.append(variant)
    return list(found.values())


class _Readings:
    """The splits as tokenisers read them, those that are equal once."""

    def __init__(self, splits: Splits, data: Path | None) -> None:
        self.splits, self.data = splits, data
        self.made: dict[str, Dataset] = {}

    def of(self, name: str, tokenizer: Tokenizer) -> Dataset:
        content = tokenizer.to_str()
        if content not in self.made:
            self.made[content] = tokenised(name, tokenizer, self.splits, self.data)
        return self.made[content]


def _weights_of(variants: Iterable[Variant]) -> list[str]:
    names = (variant.settings.starts_from for variant in variants)
    return list(dict.fromkeys(name for name in names if name))


def _read(name: str, data: Path | None) -> "tuple[Weights, Tokenizer]":
    from trimtab.model.loading import read  # only studies with weights wait for torch

    return read(name, data)


def _keep(weights: "Weights", tokenizer: Tokenizer) -> tuple[str, Path]:
    from trimtab.model.initial_weights import keep, taken

    return keep(taken(weights, largest_id(tokenizer) + 1), cache_root() / "weights")


def _sized(study: Study, name: str, parts: "Parts") -> Study:
    """The study with the size of the weights ``name`` in the variants that start from them."""
    variants = tuple(
        replace(variant, settings=_settings(variant, parts))
        if variant.settings.starts_from == name
        else variant
        for variant in study.variants
    )
    contrasts = tuple(
        replace(each, paired=are_paired(variants[each.variant], variants[each.baseline]))
        for each in study.contrasts
    )
    return replace(study, variants=variants, contrasts=contrasts)


def _settings(variant: Variant, parts: "Parts") -> Settings:
    from trimtab.model.weights import check_positions

    try:
        settings = variant.settings.sized(parts.size)
        settings.check_depth()
    except InputError as error:
        raise InputError(f"{variant.name}: {error}") from error
    check_positions(parts, settings.max_len, variant.name)
    return settings


def _check_segments(parts: "Parts", splits: Splits, name: str) -> None:
    from trimtab.model.weights import check_segments

    check_segments(parts, 1 if splits["train"].second is None else 2, f"weights {name!r}")


def _own_tokenizer(
    study: Study, splits: Splits, data: Path | None, brought: Mapping[str, Tokenizer]
) -> Tokenizer | None:
    """What variants without weights read with; None where there are none."""
    if all(variant.settings.starts_from for variant in study.variants):
        return None
    name = study.data.tokenizer
    if name in brought:
        return brought[name]
    return (
        _read(name, data)[1]
        if _names_weights(name, data)
        else build_tokenizer(study.data, splits["train"], data)
    )


def _names_weights(tokenizer: str, data: Path | None) -> bool:
    if tokenizer in WORD_TOKENIZERS or Path(tokenizer).suffix in (".txt", ".json"):
        return False
    from trimtab.model.loading import names_weights

    return names_weights(tokenizer, data)
