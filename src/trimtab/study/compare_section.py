"""The [compare] section of a study file: what models are judged by, and which contrasts are drawn."""

import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from trimtab.config import InputError, StrictModel, validated
from trimtab.data.target import Target
from trimtab.study.grid import MOST_VALUES, Coordinates

if TYPE_CHECKING:
    from trimtab.statistics import Score


_POINTS = re.compile(r"([0-9]*\.?[0-9]+) ?points?")
_LARGE_MARGIN = 0.1  # a share beyond which a margin is more likely a slip of the unit


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


# What the three validators above accept, as a JSON schema: more than the types that they give.
_BASELINES = {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
_MARGIN = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": f"^ *{_POINTS.pattern} *$"},
    ]
}
_LOOKS = {"type": "array", "items": {"type": "integer", "minimum": 2}, "uniqueItems": True}


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

    baseline: Annotated[list[Coordinates], BeforeValidator(_baselines), WithJsonSchema(_BASELINES)] = Field(
        []
    )
    score: str = "accuracy"
    margin: Annotated[float, BeforeValidator(_margin), Field(gt=0), WithJsonSchema(_MARGIN)] = 0.005
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    exploratory: bool = False
    cross: bool = False
    looks: Annotated[tuple[int, ...], BeforeValidator(_looks), WithJsonSchema(_LOOKS)] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on what is allowed and probably not meant."""
        margin = self.margin
        if margin <= _LARGE_MARGIN or not _in_points(self.score):
            return ()
        return (
            f"[compare]: margin = {margin:g} is {100 * margin:g} points; if you mean {margin:g} points, "
            f'write margin = "{margin:g} points"',
        )

    @property
    def correction(self) -> str:
        """How the p-values of a family of contrasts are adjusted, a name of ``CORRECTIONS``."""
        return "bh" if self.exploratory else "holm"


def check_looks(compare: Compare, seeds: tuple[int, ...]) -> None:
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


def read_compare(given: dict[str, Any], target: Target) -> Compare:
    """The [compare] section of a study whose labels are ``target``; InputError names the place."""
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
