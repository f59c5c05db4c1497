"""A study file: parsed strictly, every key checked before any data is read."""

import tomllib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from trimtab.config import InputError, StrictModel, nearest, validated
from trimtab.data.dataset import DataPlan
from trimtab.data.paragraphs import CORPORA
from trimtab.study.data_section import read_data_section
from trimtab.study.settings import NONE, OF_WEIGHTS, SEEDS_OF_A_REPLICA, Settings, known_keys, resolve

if TYPE_CHECKING:
    from trimtab.statistics import Score
    from trimtab.study.runner import Outcome

Coordinates = dict[str, Any]
Truth = tuple[tuple[str, Any], ...]


class Compare(StrictModel):
    """[compare]: which contrasts to draw, and how.

    baseline: the variant (some of its coordinates) that the others are compared with, all else equal;
    score: what models are judged by, a name of ``trimtab.statistics.SCORES``;
    margin: the largest difference in it that counts as none, in its units, which every score but accuracy
    must be given; alpha: the level of tests and intervals;
    exploratory: control the false discovery rate instead of the family-wise error;
    cross: evaluate each model on every other variant's test inputs too; keeps the weights of every trial.
    """

    baseline: dict[str, Any] = Field({})
    score: str = "accuracy"
    margin: Annotated[float, Field(gt=0)] = 0.005
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    exploratory: bool = False
    cross: bool = False


@dataclass(frozen=True)
class Variant:
    """One cell of the grid: its place there, and everything that it resolves to."""

    coordinates: Coordinates
    settings: Settings

    @property
    def name(self) -> str:
        """``longest_first, max_len 16``: the truncation by its spec, other axes by name and value."""
        return place_words(self.coordinates) or "the only variant"


def place_words(place: Coordinates) -> str:
    """Some coordinates as a person names them: ``ratio, max_len 16``."""
    return ", ".join(coordinate_words(key, value) for key, value in place.items())


def coordinate_words(key: str, value: Any) -> str:
    """A coordinate as a person names it: truncations and sizes speak for themselves."""
    return str(value) if key in ("truncation", "size") else f"{key} {value}"


@dataclass(frozen=True)
class Contrast:
    """A comparison that the study declares: numbers of two variants, and whether seeds pair them.

    Seeds mean the same initialisation and data order in variants of one size that start from the same
    weights or from none, and in no two replicas.
    """

    variant: int
    baseline: int
    paired: bool


@dataclass(frozen=True)
class Study:
    """A study as its file defines it, resolved; ``path`` is that file, ``text`` its content."""

    path: Path
    text: str
    question: str
    data: DataPlan
    axes: dict[str, list[Any]]
    variants: tuple[Variant, ...]
    excluded: tuple[tuple[Coordinates, str], ...]
    seeds: tuple[int, ...]
    compare: Compare
    contrasts: tuple[Contrast, ...]
    keep_weights: bool = False

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def keeps_weights(self) -> bool:
        """Whether trials keep their weights: asked for, or needed for cross evaluation."""
        return self.keep_weights or self.compare.cross

    def run(self, **options: Any) -> "Outcome":
        """Do what is left of the study; see ``runner.run``, which takes the same options."""
        from trimtab.study.runner import run  # training needs torch; a definition alone does not

        return run(self, **options)


class _File(StrictModel):
    """The top level of a study file."""

    question: Annotated[str, Field(min_length=1)]
    data: dict[str, Any]
    base: dict[str, Any] = Field({})
    grid: dict[str, Any]
    exclude: list[dict[str, Any]] = Field([])
    compare: dict[str, Any] = Field({})
    keep_weights: bool = False


def load(path: str | Path) -> Study:
    """Read a study file; InputError says where it is wrong, what is, and how to mend it."""
    path = Path(path)
    text, document = read_table(path, "studies/quickstart.toml")
    try:
        return _study(path, text, document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_table(path: Path, such_as: str) -> tuple[str, dict[str, Any]]:
    """A TOML file's text and content; InputError where it cannot be read, ``such_as`` being one that can."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such study file; name one, such as {such_as}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read ({reason}); name a TOML file in UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error


def _study(path: Path, text: str, document: dict[str, Any]) -> Study:
    section = document.get("data")
    if isinstance(section, dict) and section.get("reader") in CORPORA and "grid" not in document:
        raise InputError("has no [grid], so it is a study of pretraining; run it with trimtab pretrain")
    for key in document:  # first, as a misspelt key also leaves the one that was meant missing
        if key not in _File.model_fields:
            raise InputError(f"top level: unknown key {key!r}; {nearest(key, _File.model_fields)}")
    file = validated(_File, document, "top level")
    data = read_data_section(file.data)
    axes, seeds = _axes(file.grid)
    overlap = sorted(axes.keys() & file.base.keys())
    if overlap:
        raise InputError(f"{overlap[0]} stands in [base] and in [grid]; keep one of them")
    excluded = tuple(_exclusion(entry, axes) for entry in file.exclude)
    variants = tuple(_variants(file.base, axes, excluded))
    if not variants:
        raise InputError("[[exclude]] leaves no variant; exclude less")
    if max(seeds) >= SEEDS_OF_A_REPLICA and any(variant.settings.replica for variant in variants):
        raise InputError(
            f"[grid]: with replica, seeds must be under {SEEDS_OF_A_REPLICA:,}; take smaller ones"
        )
    _check_tokenizer(file.data, variants)
    compare = _compare(file.compare)
    baseline = _baseline(compare.baseline, axes)
    return Study(
        path,
        text,
        file.question,
        data,
        axes,
        variants,
        excluded,
        seeds,
        compare,
        tuple(_contrasts(variants, baseline)),
        file.keep_weights,
    )


def _compare(given: dict[str, Any]) -> Compare:
    compare = validated(Compare, given, "[compare]")
    if compare.score == "accuracy":
        return compare
    from trimtab.statistics import score_named  # scipy takes its time, and most studies need none yet

    try:
        score = score_named(compare.score)
    except InputError as error:
        raise InputError(f"[compare]: {error}") from error
    if "margin" not in given:
        raise InputError(
            f"[compare]: margin is missing, as score {compare.score!r} has none by default; give the largest "
            f"difference that counts as none, in {_margin_unit(score)}"
        )
    return compare


def _margin_unit(score: "Score") -> str:
    if score.unit == "%":
        return f"{score.name} as a share, where 0.01 is one point"
    return score.unit or f"units of the {score.name}"


def _axes(grid: dict[str, Any]) -> tuple[dict[str, list[Any]], tuple[int, ...]]:
    """The axes of the grid, each a list of values, and the seeds."""
    grid = dict(grid)
    if "seeds" not in grid:
        raise InputError("[grid]: seeds is missing; say how many, such as seeds = 5, or list them")
    seeds = _seeds(grid.pop("seeds"))
    for key, values in grid.items():
        if key not in known_keys():
            raise InputError(f"[grid]: unknown key {key!r}; {nearest(key, [*known_keys(), 'seeds'])}")
        if not isinstance(values, list) or not values:
            raise InputError(f"[grid]: {key} = {values!r} is wrong; it should be a list of values")
        if any(values.count(value) > 1 for value in values):
            raise InputError(f"[grid]: {key} names a value twice; keep one")
    return grid, seeds


def _seeds(value: Any) -> tuple[int, ...]:
    seeds = list(range(value)) if type(value) is int else value
    good = isinstance(seeds, list) and seeds and all(type(seed) is int and seed >= 0 for seed in seeds)
    if not good or len(set(seeds)) < len(seeds):
        raise InputError(
            f"[grid]: seeds = {value!r} is wrong; give their number, at least 1, or a list of different "
            "whole numbers from 0 on"
        )
    return tuple(seeds)


def _exclusion(entry: dict[str, Any], axes: dict[str, list[Any]]) -> tuple[Coordinates, str]:
    place = dict(entry)
    because = place.pop("because", None)
    if not isinstance(because, str) or not because:
        raise InputError("[[exclude]]: because is missing; say why these variants are left out")
    _check_place(place, axes, "[[exclude]]")
    if not place:
        raise InputError("[[exclude]] names no axis, so it would exclude everything; name at least one")
    return place, because


def _check_place(place: Coordinates, axes: dict[str, list[Any]], where: str) -> None:
    for key, value in place.items():
        if key not in axes:
            raise InputError(f"{where}: {key!r} is no axis of [grid]; {nearest(key, axes)}")
        if value not in axes[key]:
            known = ", ".join(map(str, axes[key]))
            raise InputError(f"{where}: {key} = {value!r} is not in [grid]; it has {known}")


def _variants(
    base: dict[str, Any], axes: dict[str, list[Any]], excluded: tuple[tuple[Coordinates, str], ...]
) -> list[Variant]:
    resolve(base, "[base]")  # so that its own faults are not laid to the grid
    # Where some variants start from weights and others do not, the size in [base] is that of the others.
    of_others = OF_WEIGHTS if NONE in axes.get("weights", ()) else ()
    variants = []
    for values in product(*axes.values()):
        place = dict(zip(axes, values, strict=True))
        if any(entry.items() <= place.items() for entry, _ in excluded):
            continue
        pretrained = place.get("weights", NONE) != NONE
        own = {key: value for key, value in base.items() if not (pretrained and key in of_others)}
        settings = resolve(own | place, "[grid]")
        settings.check_inputs()
        variants.append(Variant(place, settings))
    return variants


def _check_tokenizer(data: dict[str, Any], variants: tuple[Variant, ...]) -> None:
    """InputError where [data] names a tokeniser that no variant would use."""
    names = {variant.settings.weights for variant in variants}
    if "tokenizer" in data and NONE not in names and names != {data["tokenizer"]}:
        raise InputError(
            "[data]: tokenizer is for variants without weights, of which there are none; leave it out, as "
            "weights are read with the tokeniser that they bring"
        )


def _baseline(given: Coordinates, axes: dict[str, list[Any]]) -> Coordinates:
    """What the study names, else the first value of the truncation axis, else of the first real axis."""
    _check_place(given, axes, "[compare] baseline")
    if given:
        return given
    real = [key for key, values in axes.items() if len(values) > 1]
    chosen = "truncation" if "truncation" in real else next(iter(real), None)
    return {chosen: axes[chosen][0]} if chosen else {}


def _contrasts(variants: tuple[Variant, ...], baseline: Coordinates) -> list[Contrast]:
    """Each variant against the baseline, all other coordinates equal; those without one are left out."""
    number = {_key(variant.coordinates): i for i, variant in enumerate(variants)}
    contrasts = []
    for i, variant in enumerate(variants):
        base = number.get(_key(variant.coordinates | baseline))
        if base is not None and base != i:
            contrasts.append(Contrast(i, base, are_paired(variant, variants[base])))
    return contrasts


def are_paired(one: Variant, other: Variant) -> bool:
    """Whether a seed means the same initialisation and data order in both."""
    first, second = one.settings, other.settings
    same_start = (first.size, first.weights) == (second.size, second.weights)
    return same_start and first.replica == second.replica


def _key(coordinates: Coordinates) -> Truth:
    return tuple(sorted(coordinates.items()))
