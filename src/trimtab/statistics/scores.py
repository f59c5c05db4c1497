"""Scores beyond accuracy: from logits to per-example scores that ``compare`` takes, more being better.

``logits`` (seeds, examples, classes), ``labels`` (examples,) int from 0; the answer is (seeds, examples), and
the mean over examples is the score. If a score is not a mean over examples (Matthews correlation, macro F1,
calibration error, FNC-1's) the answer holds jackknife pseudo-values

    p_i = N theta - (N - 1) theta_(-i)

with theta_(-i) the score without example i, exactly. Their mean differs from the score by some 1/N, and their
scatter tells the variance of theta: so they go into the same formulas. One may lie outside the score's range.

Pseudo-values leave out one example, also where examples form clusters: p_i is theta plus the influence of i
up to terms of 1/N, so their sum over a cluster, which ``compare`` takes, is the cluster's influence, as if it
had been left out whole. That holds as long as no single cluster is a large share of all examples.

Source: Tukey, Annals of Mathematical Statistics 29 (1958); Miller, Biometrika 61 (1974).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError, nearest
from trimtab.statistics import correlations, rankings
from trimtab.statistics.truth import Truth

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]
ScoreFunction = Callable[[ArrayLike, Any], NDArray[Any]]

# Differences of larger numbers could overflow.
_LARGEST = 1e100
_NEVER = 1e-30  # stands for the share of a label that does not occur, so that its logarithm is finite


def accuracy(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Right or not, the largest logit being the prediction; ties go to the first class."""
    outputs, truth = _checked(logits, labels)
    return outputs.argmax(axis=2) == truth


def log_loss(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Minus the log loss: the log of the probability of the right class, in nats."""
    outputs, truth = _checked(logits, labels)
    return np.asarray(_log_probabilities(outputs)[:, np.arange(truth.size), truth])


def brier(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Minus the Brier score: the squared distance of the probabilities from the truth, from -2 to 0.

    Source: Brier, Monthly Weather Review 78 (1950).
    """
    outputs, truth = _checked(logits, labels)
    errors = np.exp(_log_probabilities(outputs))
    errors[:, np.arange(truth.size), truth] -= 1.0
    return np.asarray(-_over_classes(np.add, np.square(errors))[..., 0])


def matthews(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Pseudo-values of the Matthews correlation, for any number of classes.

    It is 0 where all labels, or all predictions, are the same, as in scikit-learn; so too in leaving one out.
    Source: Gorodkin's R_K, Computational Biology and Chemistry 28 (2004).
    """
    return _jackknife(_correlation, *_checked(logits, labels))


def macro_f1(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Pseudo-values of macro F1: the mean of F1 over all classes that the logits have.

    F1 of a class that is never right is 0, also of one that neither occurs nor is predicted: scikit-learn's
    with every class among its ``labels``; so too in leaving one out, where the classes stay the same.
    """
    return _jackknife(_mean_f1, *_checked(logits, labels))


def calibration_error(logits: ArrayLike, labels: ArrayLike, bins: int = 15) -> Floats:
    """Pseudo-values of minus the expected calibration error: of the predicted class, in bins of equal width.

    The error is the sum over bins of |right - confidence| summed inside, over N; a bin holds its upper end.
    Where a bin is almost perfectly calibrated |.| has its corner, and the pseudo-values their weakness: with
    few examples their mean is lower than the truth by points (see ``Score.interval_rows``).
    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; Guo et al., ICML 2017, arXiv:1706.04599.
    """
    if not isinstance(bins, int | np.integer) or bins < 1:
        raise InputError(f"bins {bins!r}: give a whole number of at least 1")
    outputs, truth = _checked(logits, labels)
    confidence = np.exp(_over_classes(np.maximum, _log_probabilities(outputs))[..., 0])
    gap = (outputs.argmax(axis=2) == truth) - confidence
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    place += bins * np.arange(len(gap))[:, None]
    sums = np.bincount(place.ravel(), weights=gap.ravel(), minlength=bins * len(gap))[place]
    # Without example i only its own bin changes, and N cancels.
    return np.abs(sums - gap) - np.abs(sums)


FNC1_LABELS = ("agree", "disagree", "discuss", "unrelated")


def fnc1(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Pseudo-values of the Fake News Challenge's weighted score, as a share of the maximum.

    The last class is 'unrelated', the others are stances of related pairs. Telling related from unrelated
    gives 0.25, and the right stance of a related pair 0.75 more; the score is the sum over all pairs, divided
    by the largest possible sum. Without the only example it is 0.
    Source: fakenewschallenge.org, stage 1.
    """
    outputs, truth = _checked(logits, labels)
    predicted, unrelated = outputs.argmax(axis=2), outputs.shape[2] - 1
    related = truth != unrelated
    given = 0.25 * ((predicted != unrelated) == related) + 0.75 * ((predicted == truth) & related)
    most = np.where(related, 1.0, 0.25)
    whole, possible = given.sum(axis=1, keepdims=True), most.sum()
    rest = possible - most
    without = np.where(rest > 0, (whole - given) / np.where(rest > 0, rest, 1.0), 0.0)
    return np.asarray(truth.size * whole / possible - (truth.size - 1) * without)


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
    "accuracy": Score(accuracy, "accuracy, %", factor=100.0, margin=0.005, bounded=True),
    "log_loss": Score(log_loss, "minus log loss, nats"),
    "brier": Score(brier, "minus Brier score"),
    "matthews": Score(matthews, "Matthews correlation", is_mean=False),
    # How often their 95 % intervals hold the truth with few rows: results/calibration, table few_rows.
    "macro_f1": Score(
        macro_f1,
        "macro F1, %",
        factor=100.0,
        is_mean=False,
        prior=proportional_guess,
        interval_rows=200,
    ),
    "calibration_error": Score(
        calibration_error,
        "minus calibration error, %",
        factor=100.0,
        is_mean=False,
        prior=None,
        interval_rows=None,
    ),
    "fnc1": Score(fnc1, "FNC-1 score, %", factor=100.0, is_mean=False, labels=FNC1_LABELS),
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


def _jackknife(theta: Callable[[Floats, Floats, Floats], Floats], outputs: Floats, truth: Labels) -> Floats:
    """Pseudo-values of a score of (examples right, labelled, predicted), each (..., classes) counts."""
    n_seeds, n_examples, n_classes = outputs.shape
    predicted = outputs.argmax(axis=2)
    seed, one = np.arange(n_seeds)[:, None], np.eye(n_classes)
    flat = (seed * n_classes + truth) * n_classes + predicted
    cells = np.bincount(flat.ravel(), minlength=n_seeds * n_classes**2)
    cells = cells.reshape(n_seeds, n_classes, n_classes).astype(np.float64)
    counts = [cells.diagonal(axis1=1, axis2=2), cells.sum(axis=2), cells.sum(axis=1)]
    # The score without one example of cell (truth, prediction): computed for each cell (seeds, classes,
    # classes, classes) instead of each example.
    right, labelled, guessed = (count[:, None, None, :] for count in counts)
    without = theta(right - one[:, None] * one, labelled - one[:, None], guessed - one)
    # Computed for empty cells too, which no example looks up.
    values = n_examples * theta(*counts)[:, None, None] - (n_examples - 1) * without
    return np.asarray(values[seed, truth, predicted])


def _correlation(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    total = labelled.sum(axis=-1)
    together = total * right.sum(axis=-1) - (labelled * predicted).sum(axis=-1)
    alone = [total**2 - np.square(counts).sum(axis=-1) for counts in (labelled, predicted)]
    scale = np.sqrt(np.maximum(alone[0], 0.0)) * np.sqrt(np.maximum(alone[1], 0.0))
    return np.where(scale > 0, together / np.where(scale > 0, scale, 1.0), 0.0)


def _mean_f1(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    both = labelled + predicted
    return np.where(both > 0, 2 * right / np.where(both > 0, both, 1.0), 0.0).mean(axis=-1)


def _log_probabilities(outputs: Floats) -> Floats:
    shifted = outputs - _over_classes(np.maximum, outputs)
    return np.asarray(shifted - np.log(_over_classes(np.add, np.exp(shifted))))


def _over_classes(combine: np.ufunc, values: Floats) -> Floats:
    """Combine the last axis into one of length 1; class by class, as numpy is slow along short axes."""
    found = values[..., :1].copy()
    for k in range(1, values.shape[-1]):
        combine(found, values[..., k : k + 1], out=found)
    return found


def _checked(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, Labels]:
    given, truth = np.asarray(logits), np.asarray(labels)
    if given.ndim != 3 or 0 in given.shape:
        raise InputError(
            f"logits have shape {given.shape}: give (seeds, examples, classes), at least one of each"
        )
    if given.dtype.kind not in "iuf":
        raise InputError(f"logits are of type {given.dtype}: give floats")
    outputs = given.astype(np.float64)
    if not np.abs(outputs).max() < _LARGEST:  # which holds for nan, too
        seed, example = np.argwhere(~(np.abs(outputs) < _LARGEST).all(axis=2))[0]
        raise InputError(
            f"logits: seed {seed}, example {example} holds nan, infinity or a number beyond 1e100; "
            "leave out that trial or fix it"
        )
    if truth.shape != outputs.shape[1:2] or truth.dtype.kind not in "iu":
        raise InputError(
            f"labels have shape {truth.shape} and type {truth.dtype}: "
            f"give an integer for each of {outputs.shape[1]} examples"
        )
    if truth.min() < 0 or truth.max() >= outputs.shape[2]:
        raise InputError(
            f"labels go from {truth.min()} to {truth.max()}: number them 0 to {outputs.shape[2] - 1}"
        )
    return outputs, truth


def _checked_numbers(outputs: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """One output of each seed and example, (seeds, examples), and the examples' scores."""
    truth = np.asarray(labels)
    if truth.ndim != 1 or truth.dtype.kind not in "iuf" or not np.isfinite(truth).all():
        raise InputError(f"labels have shape {truth.shape} and type {truth.dtype}: give a number each")
    return rankings.one_output(outputs, len(truth)), truth.astype(np.float64)
