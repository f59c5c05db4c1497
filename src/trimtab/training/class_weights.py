"""Class weights of the loss, so that rare classes count as much as frequent ones."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError


def class_weights(labels: ArrayLike, classes: int) -> NDArray[np.float32]:
    """The weight of each class by its inverse frequency: rows / (classes present x rows of the class).

    labels: (rows,) int, of the training rows, from 0 to ``classes`` - 1. The weights, (classes,) float32,
    have a mean of 1 over the rows, and the same sum over the rows of each class that is present: a weighted
    loss keeps its scale, and the learning rate its meaning. A class without rows has weight 0.
    With every class present these are scikit-learn's 'balanced' weights. Source: King and Zeng, Political
    Analysis 9 (2001).
    """
    given = np.asarray(labels)
    if given.ndim != 1 or given.dtype.kind not in "iu" or not given.size:
        raise InputError(f"labels have shape {given.shape} and type {given.dtype}: give an integer a row")
    if given.min() < 0 or given.max() >= classes:
        raise InputError(f"labels go from {given.min()} to {given.max()}: number them 0 to {classes - 1}")
    counts = np.bincount(given, minlength=classes)
    present = counts > 0
    weights = np.where(present, given.size / (present.sum() * np.maximum(counts, 1)), 0.0)
    return weights.astype(np.float32)
