"""A study file: parsed strictly, every key checked before any data is read."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from trimtab.config import InputError, StrictModel, nearest, validated
from trimtab.data.dataset import DataPlan
from trimtab.data.paragraphs import CORPORA
from trimtab.data.target import Target
from trimtab.study.compare_section import Compare, check_looks, read_compare
from trimtab.study.data_section import read_data_section
from trimtab.study.grid import (
    Axes,
    DeclaredContrast,
    Exclusions,
    Variant,
    declared_contrasts,
    make_variants,
    read_axes,
    read_exclusion,
)
from trimtab.study.names import named_variants
from trimtab.study.sections import check_sections
from trimtab.study.settings import NONE, SEEDS_OF_A_REPLICA

_NAME = re.compile(r"[\w][\w.+-]*")
_LONGEST_NAME = 100  # bytes; file systems allow 255, and folders and trackers add to it
_LARGEST_FILE = 1 << 20  # bytes of a study file


@dataclass(frozen=True)
class Study:
    """A study as its file defines it, resolved; ``path`` is that file, ``text`` its content.

    publish_rows: whether the ledger keeps some rows of the test sets, with their texts, for the report.
    checkpoint_seconds: between two checkpoints of a running trial.
    Sizes of variants with pretrained weights, and so which contrasts are paired, are final in a Plan alone.
    """

    path: Path
    text: str
    question: str
    data: DataPlan
    axes: Axes
    variants: tuple[Variant, ...]
    excluded: Exclusions
    seeds: tuple[int, ...]
    compare: Compare
    contrasts: tuple[DeclaredContrast, ...]
    keep_weights: bool = False
    publish_rows: bool = True
    checkpoint_seconds: float = 120.0
    given_name: str | None = None

    @property
    def name(self) -> str:
        """The name that the file gives, else the file's own without its ending; results are under it."""
        return self.given_name or self.path.stem

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what is allowed and probably not meant."""
        return tuple(f"{self.path}: {sentence}" for sentence in self.compare.warnings)

    @property
    def keeps_weights(self) -> bool:
        """Whether trials keep their weights: asked for, or needed for cross evaluation."""
        return self.keep_weights or self.compare.cross


def _name(given: str) -> str:
    """InputError where it would not do as the name of a folder."""
    if not _NAME.fullmatch(given):
        raise ValueError("should consist of letters, digits and any of _ . + -, as it names a folder")
    if len(given.encode()) > _LONGEST_NAME:
        raise ValueError(f"should have at most {_LONGEST_NAME} characters, as it names a folder")
    return given


class File(StrictModel):
    """The top level of a study file.

    question: what the study is to answer; name: its results are in results/NAME, by default the file's name;
    data: what the models are trained and tested on; base: what all variants share; grid: lists, every
    combination of whose values is a variant; exclude: parts of the grid that are left out, each with a
    reason; compare: what models are judged by, and which contrasts are drawn; names: short labels for values
    of the grid; keep_weights: whether each trial's weights are kept, for export; publish_rows: whether some
    rows of the test sets are kept with their texts, for the report; checkpoint_seconds: time between two
    checkpoints of a running trial.
    """

    question: Annotated[str, Field(min_length=1)]
    name: Annotated[str, AfterValidator(_name)] | None = None
    data: dict[str, Any]
    base: dict[str, Any] = Field({})
    grid: dict[str, Any]
    exclude: list[dict[str, Any]] = Field([])
    compare: dict[str, Any] = Field({})
    names: dict[str, Any] = Field({})
    keep_weights: bool = False
    publish_rows: bool = True
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 120.0


def load(path: str | Path) -> Study:
    """Read a study file; InputError says where the mistake is, what it is, and how to correct it."""
    path = Path(path)
    text, document = read_table(path, "studies/quickstart.toml")
    return _resolved(path, text, document)


def load_text(path: Path, text: str) -> Study:
    """The study that a file at ``path`` with this content would be; errors as ``load``'s."""
    try:
        document = tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from error
    return _resolved(path, text, document)


def _resolved(path: Path, text: str, document: dict[str, Any]) -> Study:
    try:
        return _study(path, text, document)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_table(path: Path, such_as: str) -> tuple[str, dict[str, Any]]:
    """A TOML file's text and content; InputError where it cannot be read, ``such_as`` being one that can."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            raise InputError(
                f"{path}: is over {_LARGEST_FILE >> 20} MiB, too large for a study; name another"
            )
        text = content.decode("utf-8-sig").replace("\r\n", "\n")  # some editors begin with a byte order mark
        return text, tomllib.loads(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such study file; name one, such as {such_as}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read ({reason}); name a TOML file in UTF-8") from error
    except RecursionError as error:
        raise InputError(
            f"{path}: not valid TOML: too many brackets within each other; write fewer"
        ) from error
    except ValueError as error:  # also a number of thousands of digits
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: not valid TOML: {error}") from error


def _study(path: Path, text: str, document: dict[str, Any]) -> Study:
    section = document.get("data")
    if isinstance(section, dict) and section.get("reader") in CORPORA and "grid" not in document:
        raise InputError("has no [grid], so it is a pretraining file; run it with trimtab pretrain")
    ours = {"top level": set(File.model_fields), "[compare]": set(Compare.model_fields)}
    check_sections(document, ours)
    for key in document:  # first, as a misspelt key also leaves the one that was meant missing
        if key not in File.model_fields:
            raise InputError(f"top level: unknown key {key!r}; {nearest(key, File.model_fields)}")
    file = validated(File, document, "top level")
    data = read_data_section(file.data)
    compare = read_compare(file.compare, data.target)
    axes, seeds = read_axes(_with_seeds(file.grid, compare.looks))
    check_looks(compare, seeds)
    overlap = sorted(axes.keys() & file.base.keys())
    if overlap:
        raise InputError(f"{overlap[0]} is set in both [base] and [grid]; keep one")
    excluded = tuple(read_exclusion(entry, axes) for entry in file.exclude)
    variants = make_variants(file.base, axes, excluded)
    if not variants:
        raise InputError("[[exclude]] leaves no variant; exclude less")
    if max(seeds) >= SEEDS_OF_A_REPLICA and any(variant.settings.replica for variant in variants):
        raise InputError(
            f"[grid]: with replica, seeds must be under {SEEDS_OF_A_REPLICA:,}; take smaller ones"
        )
    _check_tokenizer(file.data, variants)
    if data.target != "classes":
        _check_recipes(variants, data.target)
    variants = named_variants(variants, axes, file.names)
    contrasts = declared_contrasts(compare.baseline, variants, axes)
    if compare.looks and not contrasts:
        raise InputError(
            "[compare]: looks are for contrasts, of which the study declares none; leave looks out"
        )
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
        contrasts,
        file.keep_weights,
        file.publish_rows,
        file.checkpoint_seconds,
        file.name,
    )


def _with_seeds(grid: dict[str, Any], looks: tuple[int, ...]) -> dict[str, Any]:
    """[grid], with as many seeds as the last look has where it does not say how many."""
    return {**grid, "seeds": looks[-1]} if looks and "seeds" not in grid else grid


def _check_recipes(variants: tuple[Variant, ...], target: Target) -> None:
    """InputError where a recipe speaks of classes, which the labels are not."""
    for variant in variants:
        recipe = variant.settings.recipe
        if recipe.class_weights != "none":
            raise InputError(
                f"class_weights = {recipe.class_weights!r} is for classes, and [data] has target = "
                f"{target!r}; leave it out"
            )
        if recipe.evaluate == "best_accuracy":
            raise InputError(
                f"evaluate = 'best_accuracy' is for classes, and [data] has target = {target!r}; take "
                "'best_loss'"
            )


def _check_tokenizer(data: dict[str, Any], variants: tuple[Variant, ...]) -> None:
    """InputError where [data] names a tokeniser that no variant would use."""
    names = {variant.settings.weights for variant in variants}
    if "tokenizer" in data and NONE not in names and names != {data["tokenizer"]}:
        raise InputError(
            "[data]: tokenizer is for variants without weights, of which there are none; leave it out, as "
            "weights are read with the tokeniser that they bring"
        )
