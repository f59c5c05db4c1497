"""Predictions as typed arrays, checked: every run of a test set has every example, once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.predictions.values import Kind

Outputs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictedSet:
    """A test set. examples: their ids, in the order in which they first stand; labels: (examples,) int64, 0
    where scores are given; clusters: (examples,) int64, each its own where none are given.

    outputs: by number of a variant and then by seed, (examples, classes): what ``statistics.scores`` takes,
    logits whose softmax are the probabilities, 1 for the predicted class and 0 for the others, or the given
    scores as the only class.
    """

    name: str
    examples: tuple[str, ...]
    labels: NDArray[np.int64]
    clusters: NDArray[np.int64]
    outputs: Mapping[int, Mapping[int, Outputs]]


@dataclass(frozen=True, eq=False)
class Predictions:
    """All that was read. files: (path as given, rows) of each; variants: names, in the order in which they
    first stand; classes: names, none where scores are given; clustered: whether clusters are given.
    """

    files: tuple[tuple[str, int], ...]
    kind: Kind
    variants: tuple[str, ...]
    classes: tuple[str, ...]
    clustered: bool
    sets: tuple[PredictedSet, ...]
