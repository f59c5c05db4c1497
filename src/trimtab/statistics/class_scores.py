"""Scores of classes: from logits to per-example scores that ``compare`` takes, more being better.

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

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError

Floats = NDArray[np.float64]
Labels = NDArray[np.integer]

# Differences of larger numbers could overflow.
_LARGEST = 1e100


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
