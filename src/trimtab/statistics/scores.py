"""The scores by name: how each is computed, what it is called, and what guessing would come to.

``class_scores`` has those of classes, ``correlations`` and ``rankings`` those of scores and relevance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError, nearest
from trimtab.statistics import class_scores, correlations, rankings
from trimtab.statistics.truth import Truth

Floats = NDArray[np.float64]
ScoreFunction = Callable[[ArrayLike, Any], NDArray[Any]]

_NEVER = 1e-30  # stands for the share of a label that does not occur, so that its logarithm is finite


def given(scores: ArrayLike, labels: ArrayLike) -> Floats:
    """Scores that are there already, (seeds, examples, 1): any finite numbers, more being better."""
    return np.asarray(scores, np.float64)[..., 0]


def squared_error(outputs: ArrayLike, labels: ArrayLike) -> Floats:
    """Minus the squared difference of each output, (seeds, examples, 1), from the example's score."""
    values, truth = _checked_numbers(outputs, labels)
    return np.asarray(-np.square(values - truth))


def pearson(outputs: ArrayLike, labels: ArrayLike) -> Floats:
    """Pseudo-values of Pearson's correlation of outputs, (seeds, examples, 1), with the examples' scores."""
    return correlations.pearson(*_checked_numbers(outputs, labels))


def spearman(outputs: ArrayLike, labels: ArrayLike) -> Floats:
    """Pseudo-values of Spearman's correlation of outputs, (seeds, examples, 1), with the examples' scores."""
    return correlations.spearman(*_checked_numbers(outputs, labels))


def constant_prediction(score: "Score", truth: Truth, classes: int) -> float:
    """The score of giving every example the shares of the labels as its probabilities.

    The largest share makes the prediction, so that a score of predictions alone judges the commonest label.
    """
    shares = np.bincount(truth.labels, minlength=classes) / len(truth.labels)
    logits = np.log(np.maximum(shares, _NEVER)).astype(np.float32)
    return float(score.of(np.broadcast_to(logits, (1, len(truth.labels), classes)), truth).mean())


def proportional_guess(score: "Score", truth: Truth, classes: int) -> float:
    """Macro F1 of guessing at random in proportion to the shares: F1 of a class is then its share."""
    return 1 / classes


def mean_prediction(score: "Score", truth: Truth, classes: int) -> float:
    """The score of giving every example the mean of all scores."""
    return float(score.of(np.full((1, len(truth.labels), 1), truth.labels.mean()), truth).mean())


def ranked_at_random(name: str) -> "Prior":
    """What ranking at random comes to on average, by the measure of that name."""
    return lambda score, truth, classes: float(
        rankings.expected(np.zeros(len(truth.labels)), truth)[name].mean()
    )


Prior = Callable[["Score", Truth, int], float]


@dataclass(frozen=True)
class Score:
    """How a score is computed, named in tables (``label``, with its unit), and shown (times ``factor``).

    ``margin`` is the difference that does not matter where the study names none, in the score's units before
    ``factor``; None where the study must name its own. ``bounded``: whether an example's score lies between
    0 and 1; ``is_mean``: whether an example's score is its own, or a pseudo-value that depends on all others.
    ``labels``: the names of the classes, in their order, that it is for; None where any will do.
    ``interval_rows``: the fewest examples with which the interval of one variant's mean covers the truth
    about as often as it says; None where it does with no number. ``prior``: (score, truth, classes) ->
    the score of the label-prior baseline; None where there is none. ``target``: what labels it is for, a name
    of ``trimtab.data.target``; ``function`` takes labels, and the ``Truth`` itself of relevance.
    """

    function: ScoreFunction
    label: str
    factor: float = 1.0
    margin: float | None = None
    bounded: bool = False
    is_mean: bool = True
    labels: tuple[str, ...] | None = None
    prior: Prior | None = constant_prediction
    interval_rows: int | None = 0
    target: str = "classes"

    def prior_baseline(self, truth: Truth, classes: int) -> float | None:
        """The score of the label-prior baseline, which ignores the text and knows the shares of the labels.

        Of ``classes`` classes; of scores it gives their mean, and queries it ranks at random. In the score's
        units before ``factor``. None for
        the calibration error, where the baseline is perfect: its probabilities are the shares.
        """
        return None if self.prior is None else self.prior(self, truth, classes)

    def of(self, outputs: ArrayLike, truth: Truth) -> NDArray[Any]:
        """What is scored of each unit, (seeds, units), from outputs (seeds, examples, classes or 1)."""
        return np.asarray(self.function(outputs, truth if self.target == "relevance" else truth.labels))

    def has_interval(self, n_examples: int) -> bool:
        """Whether the interval of a mean over so many examples may be shown: whether it covers."""
        return self.interval_rows is not None and n_examples >= self.interval_rows

    @property
    def name(self) -> str:
        """What is measured, the label without its unit."""
        return self.label.partition(", ")[0]

    @property
    def unit(self) -> str:
        """What it is shown in: %, nats, or nothing."""
        return self.label.partition(", ")[2]


SCORES: dict[str, Score] = {
    "accuracy": Score(class_scores.accuracy, "accuracy, %", factor=100.0, margin=0.005, bounded=True),
    "log_loss": Score(class_scores.log_loss, "minus log loss, nats"),
    "brier": Score(class_scores.brier, "minus Brier score"),
    "matthews": Score(class_scores.matthews, "Matthews correlation", is_mean=False),
    # How often their 95 % intervals hold the truth with few rows: results/calibration, table few_rows.
    "macro_f1": Score(
        class_scores.macro_f1,
        "macro F1, %",
        factor=100.0,
        is_mean=False,
        prior=proportional_guess,
        interval_rows=200,
    ),
    "calibration_error": Score(
        class_scores.calibration_error,
        "minus calibration error, %",
        factor=100.0,
        is_mean=False,
        prior=None,
        interval_rows=None,
    ),
    "fnc1": Score(
        class_scores.fnc1, "FNC-1 score, %", factor=100.0, is_mean=False, labels=class_scores.FNC1_LABELS
    ),
    "spearman": Score(
        spearman,
        "Spearman correlation",
        is_mean=False,
        prior=mean_prediction,
        target="score",
    ),
    "pearson": Score(
        pearson,
        "Pearson correlation",
        is_mean=False,
        prior=mean_prediction,
        target="score",
    ),
    "squared_error": Score(squared_error, "minus squared error", prior=mean_prediction, target="score"),
    "ndcg@10": Score(
        rankings.ndcg,
        "NDCG@10, %",
        factor=100.0,
        bounded=True,
        prior=ranked_at_random("ndcg@10"),
        target="relevance",
    ),
    "mrr@10": Score(
        rankings.reciprocal_rank,
        "MRR@10, %",
        factor=100.0,
        bounded=True,
        prior=ranked_at_random("mrr@10"),
        target="relevance",
    ),
    "map": Score(
        rankings.average_precision,
        "MAP, %",
        factor=100.0,
        bounded=True,
        prior=ranked_at_random("map"),
        target="relevance",
    ),
}

# What models are judged by where a study does not say, by what its labels are.
USUAL = {"classes": "accuracy", "score": "spearman", "relevance": "ndcg@10"}


# Scores that a table of predictions holds instead of classes; which of the two, their values decide.
GIVEN: dict[str, Score] = {
    "score": Score(given, "score", prior=None),
    "score_0_1": Score(given, "score", margin=0.005, bounded=True, prior=None),
}


def score_or_given(name: str) -> Score:
    """The score of that name, in ``GIVEN`` or ``SCORES``. Raises InputError where there is none."""
    return GIVEN[name] if name in GIVEN else score_named(name)


def score_named(name: str) -> Score:
    """The score of that name. Raises InputError where there is none."""
    if name not in SCORES:
        raise InputError(f"score {name!r} is unknown: {nearest(str(name), SCORES)}")
    return SCORES[name]


def scores_for(labels: Sequence[str], target: str = "classes") -> dict[str, Score]:
    """The scores that can judge data of this target, with these names of classes."""
    return {
        name: score
        for name, score in SCORES.items()
        if score.target == target and score.labels in (None, tuple(labels))
    }


def _checked_numbers(outputs: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """One output of each seed and example, (seeds, examples), and the examples' scores."""
    truth = np.asarray(labels)
    if truth.ndim != 1 or truth.dtype.kind not in "iuf" or not np.isfinite(truth).all():
        raise InputError(f"labels have shape {truth.shape} and type {truth.dtype}: give a number each")
    return rankings.one_output(outputs, len(truth)), truth.astype(np.float64)
