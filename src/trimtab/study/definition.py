"""A study file: parsed strictly, every key checked before any data is read."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from trimtab.config import InputError, StrictModel, nearest, validated
from trimtab.data.dataset import DataPlan
from trimtab.data.paragraphs import CORPORA
from trimtab.data.target import Target
from trimtab.study.data_section import read_data_section
from trimtab.study.grid import (
    MOST_VALUES,
    Axes,
    Coordinates,
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

if TYPE_CHECKING:
    from trimtab.statistics import Score


_POINTS = re.compile(r"([0-9]*\.?[0-9]+) ?points?")
_LARGE_MARGIN = 0.1  # a share beyond which a margin is more likely a slip of the unit
_NAME = re.compile(r"[\w][\w.+-]*")
_LONGEST_NAME = 100  # bytes; file systems allow 255, and folders and trackers add to it
_LARGEST_FILE = 1 << 20  # bytes of a study file


def _baselines(given: Any) -> Any:
    """One baseline may stand without a list around it; an empty one is none."""
    if not isinstance(given, dict | list) or len(given) > MOST_VALUES:
        raise ValueError("should be some coordinates of a variant, or a list of such")
    return [given] if isinstance(given, dict) and given else list(given)


def _margin(given: Any) -> Any:
    """``"0.5 points"`` is 0.005."""
    if not isinstance(given, str):
        return given
    share = share_of_points(given)
    if share is None:
        raise ValueError("should be a number, or points as in '0.5 points'")
    return share


def share_of_points(given: str) -> float | None:
    """The share that ``"0.5 points"`` is, 0.005; None where it is no such text."""
    found = _POINTS.fullmatch(given.strip())
    return float(found[1]) / 100 if found else None


def _looks(given: Any) -> Any:
    """Rising whole numbers of seeds from 2 on, two or more; none at all where there are to be no looks."""
    good = isinstance(given, list | tuple) and all(type(each) is int for each in given)
    if not good or (given and (len(given) < 2 or min(given) < 2 or sorted(set(given)) != list(given))):
        raise ValueError("should be two or more numbers of seeds, rising, from 2 on, as in [3, 5, 8, 12]")
    return tuple(given)


class Compare(StrictModel):
    """[compare]: which contrasts to draw, and how.

    baseline: the variant (some of its coordinates) that the others are compared with, all else equal, or a
    list of such, each of which adds contrasts to the one family; see ``grid.declared_contrasts`` for none;
    score: what models are judged by, a name of ``trimtab.statistics.SCORES``; where none is given, accuracy,
    the Spearman correlation of scores, or NDCG@10 of rankings;
    margin: the largest difference in it that counts as none, in its units, or as text such as "0.5 points"
    where these are shares; every score but accuracy must be given it; alpha: the level of tests and
    intervals;
    exploratory: control the false discovery rate instead of the family-wise error;
    cross: evaluate each model on every other variant's test inputs too; keeps the weights of every trial;
    looks: the numbers of seeds, rising, at which the study is analysed and what is settled stops, the last
    being all seeds; none where it is analysed once.
    """

    baseline: Annotated[list[Coordinates], BeforeValidator(_baselines)] = Field([])
    score: str = "accuracy"
    margin: Annotated[float, BeforeValidator(_margin), Field(gt=0)] = 0.005
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    exploratory: bool = False
    cross: bool = False
    looks: Annotated[tuple[int, ...], BeforeValidator(_looks)] = ()

    @property
    def correction(self) -> str:
        """How the p-values of a family of contrasts are adjusted, a name of ``CORRECTIONS``."""
        return "bh" if self.exploratory else "holm"


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
        margin = self.compare.margin
        if margin <= _LARGE_MARGIN or not _in_points(self.compare.score):
            return ()
        return (
            f"{self.path}: [compare]: margin = {margin:g} is {100 * margin:g} points; if you mean "
            f'{margin:g} points, write margin = "{margin:g} points"',
        )

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


class _File(StrictModel):
    """The top level of a study file."""

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
    ours = {"top level": set(_File.model_fields), "[compare]": set(Compare.model_fields)}
    check_sections(document, ours)
    for key in document:  # first, as a misspelt key also leaves the one that was meant missing
        if key not in _File.model_fields:
            raise InputError(f"top level: unknown key {key!r}; {nearest(key, _File.model_fields)}")
    file = validated(_File, document, "top level")
    data = read_data_section(file.data)
    compare = _compare(file.compare, data.target)
    axes, seeds = read_axes(_with_seeds(file.grid, compare.looks))
    _check_looks(compare, seeds)
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


def _check_looks(compare: Compare, seeds: tuple[int, ...]) -> None:
    """InputError where looks do not end with the study's seeds, or have another error rate than the study."""
    if not compare.looks:
        return
    if compare.looks[-1] != len(seeds):
        raise InputError(
            f"[compare]: the last of looks is {compare.looks[-1]} and [grid] has {len(seeds)} seeds; make "
            "them agree, or leave seeds out of [grid]"
        )
    if compare.exploratory:
        raise InputError(
            "[compare]: looks hold the family-wise error, and exploratory the false discovery rate; leave "
            "one of them out"
        )


def _compare(given: dict[str, Any], target: Target) -> Compare:
    compare = validated(Compare, {"score": _usual_score(target)} | given, "[compare]")
    if isinstance(given.get("margin"), str) and not _in_points(compare.score):
        raise InputError(
            f"[compare]: margin = {given['margin']!r} is in points, and {compare.score} is not; give a number"
        )
    if compare.score == "accuracy" and target == "classes":
        return compare
    from trimtab.statistics import score_named  # scipy takes its time, and most studies need none yet

    try:
        score = score_named(compare.score)
    except InputError as error:
        raise InputError(f"[compare]: {error}") from error
    _check_target(compare.score, score.target, target)
    if "margin" not in given:
        raise InputError(
            f"[compare]: margin is missing, as score {compare.score!r} has none by default; give the largest "
            f"difference that counts as equivalent, in {margin_unit(score)}"
        )
    return compare


def _usual_score(target: Target) -> str:
    if target == "classes":
        return "accuracy"
    from trimtab.statistics import USUAL

    return USUAL[target]


def _check_target(name: str, wanted: str, target: Target) -> None:
    """InputError where a score judges labels of another kind."""
    if wanted == target:
        return
    from trimtab.statistics import scores_for

    known = ", ".join(scores_for((), target))
    raise InputError(
        f"[compare]: score {name!r} is for target = {wanted!r}, and [data] has {target!r}; take one of "
        f"{known}"
    )


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


def _in_points(score: str) -> bool:
    """Whether differences of a score are in points; False where there is no such score."""
    if score == "accuracy":
        return True
    from trimtab.statistics import SCORES

    return score in SCORES and SCORES[score].unit == "%"


def margin_unit(score: "Score") -> str:
    """What a margin of a score is given in."""
    if score.unit == "%":
        return f"{score.name} as a share, where 0.01 is one point"
    return score.unit or f"units of the {score.name}"


def _check_tokenizer(data: dict[str, Any], variants: tuple[Variant, ...]) -> None:
    """InputError where [data] names a tokeniser that no variant would use."""
    names = {variant.settings.weights for variant in variants}
    if "tokenizer" in data and NONE not in names and names != {data["tokenizer"]}:
        raise InputError(
            "[data]: tokenizer is for variants without weights, of which there are none; leave it out, as "
            "weights are read with the tokeniser that they bring"
        )
