"""Predictions as something to be compared: what a study declares, from the files and a few options."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.config import InputError, nearest
from trimtab.predictions.records import Predictions
from trimtab.statistics import SCORES, score_or_given, scores_for
from trimtab.study.compare_section import Compare, margin_unit, share_of_points
from trimtab.study.compared import ComparedVariant
from trimtab.study.grid import DeclaredContrast

# What can be judged where a class is all that is known of a prediction.
_OF_CLASSES = ("accuracy", "matthews", "macro_f1", "fnc1")


@dataclass(frozen=True)
class PredictedVariant:
    """A variant of which predictions are all that is known; paired: whether its seeds are those of others."""

    number: int
    name: str
    paired: bool
    max_len: None = None

    @property
    def coordinates(self) -> dict[str, str]:
        """Its name, which is all that tells it apart."""
        return {"variant": self.name}

    @property
    def aliases(self) -> dict[str, str]:
        """Its name for its coordinate."""
        return {f"variant {self.name}": self.name}

    @property
    def series(self) -> str:
        """Its name."""
        return self.name

    @property
    def same_as(self) -> int:
        """Its own number: equal predictions do not say that models were given the same inputs."""
        return self.number

    @property
    def is_first(self) -> bool:
        """True."""
        return True

    @property
    def initialisation(self) -> int | None:
        """None of all variants whose seeds pair them, else its own number."""
        return None if self.paired else self.number


@dataclass(frozen=True, eq=False)
class PredictedStudy:
    """Variants of which predictions are known, each against the baseline; see ``ComparedStudy``.

    files: (path as given, rows); kind: what the predictions are; clustered: whether examples form clusters;
    paired: whether a seed means the same in all variants.
    """

    name: str
    question: str
    seeds: tuple[int, ...]
    variants: Sequence[ComparedVariant]
    contrasts: tuple[DeclaredContrast, ...]
    compare: Compare
    tests: tuple[str, ...]
    labels: tuple[str, ...]
    scores: tuple[str, ...]
    files: tuple[tuple[str, int], ...]
    kind: str
    clustered: bool
    paired: bool


def predicted_study(
    predictions: Predictions,
    name: str,
    *,
    baseline: str | None = None,
    score: str | None = None,
    margin: float | str | None = None,
    alpha: float = 0.05,
    paired: bool = True,
) -> PredictedStudy:
    """What is to be compared: every variant with ``baseline``, by default the first.

    InputError where an option does not fit. score: a name of ``SCORES``, for classes and probabilities;
    margin: in the score's units, or "0.5 points"; it has a default for accuracy, and for given scores that
    are all from 0 to 1.
    """
    names = list(predictions.variants)
    first = names[0] if baseline is None else baseline
    if first not in names:
        raise InputError(f"--baseline {first!r}: there is no such variant; {nearest(first, names)}")
    scores = _scores(predictions)
    judged = _judged(predictions, scores, score)
    base = names.index(first)
    return PredictedStudy(
        name=name,
        question=f"How does each variant compare with {first}?",
        seeds=_seeds(predictions, paired),
        variants=[PredictedVariant(number, each, paired) for number, each in enumerate(names)],
        contrasts=tuple(DeclaredContrast(n, base, paired) for n in range(len(names)) if n != base),
        compare=Compare(score=judged, margin=_margin(judged, margin), alpha=_alpha(alpha)),
        tests=tuple(one.name for one in predictions.sets),
        labels=predictions.classes,
        scores=scores,
        files=predictions.files,
        kind=predictions.kind,
        clustered=predictions.clustered,
        paired=paired,
    )


def _seeds(predictions: Predictions, paired: bool) -> tuple[int, ...]:
    """All seeds; where they mean nothing from variant to variant, their places in a variant's order."""
    every = [by_seed for one in predictions.sets for by_seed in one.outputs.values()]
    if paired:
        return tuple(sorted({seed for by_seed in every for seed in by_seed}))
    return tuple(range(max(map(len, every), default=0)))


def _scores(predictions: Predictions) -> tuple[str, ...]:
    """The names of the scores that the predictions can be judged by."""
    if predictions.kind == "score":
        values = [each for one in predictions.sets for by in one.outputs.values() for each in by.values()]
        bounded = all(each.min() >= 0 and each.max() <= 1 for each in values)
        return ("score_0_1",) if bounded else ("score",)
    able = tuple(scores_for(predictions.classes))
    return able if predictions.kind == "probability" else tuple(each for each in able if each in _OF_CLASSES)


def _judged(predictions: Predictions, scores: tuple[str, ...], score: str | None) -> str:
    if predictions.kind == "score":
        return scores[0]  # --score chose it where the file was read
    if score is None or score in scores:
        return score or "accuracy"
    if score in SCORES:
        raise InputError(
            f"--score {score}: cannot be had from {predictions.kind}s of these classes; choose one of "
            f"{', '.join(scores)}"
        )
    raise InputError(f"--score {score!r} is unknown; {nearest(score, scores)}")


def _margin(score: str, given: float | str | None) -> float:
    judged = score_or_given(score)
    if given is None:
        if judged.margin is None:
            raise InputError(
                f"--margin: {judged.name} has none by default; give the largest difference that does not "
                f"matter, in {margin_unit(judged)}"
            )
        return judged.margin
    text = str(given).strip()
    value = share_of_points(text)
    if value is not None and judged.unit != "%":
        raise InputError(f"--margin {text!r} is in points, and {judged.name} is not; give a number")
    if value is None:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
    if not 0 < value < float("inf"):
        raise InputError(f"--margin {text!r}: give a positive number, or points as in '0.5 points'")
    return value


def _alpha(given: float) -> float:
    if not 0 < given < 1:
        raise InputError(f"--alpha {given:g}: give a number between 0 and 1, such as 0.05")
    return given
