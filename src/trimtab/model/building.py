"""Classifiers of either implementation: made empty, made to begin a training, read from a trial's tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor

from trimtab.model.architecture import Architecture
from trimtab.model.classifier import Classifier
from trimtab.model.initial_weights import copy_into
from trimtab.model.initialise import initialise
from trimtab.model.padded import PREFIX, PaddedClassifier, load
from trimtab.model.padded_weights import begin
from trimtab.model.weights import Weights, weights_from, weights_of
from trimtab.model.weights_hf import laid_out, taken_back

AnyClassifier = Classifier | PaddedClassifier


def empty(size: Architecture, vocabulary: int, classes: int) -> AnyClassifier:
    """A classifier whose weights are of no importance."""
    made = Classifier if size.is_packed else PaddedClassifier
    return made(size, vocabulary, classes)


def begun(
    size: Architecture,
    vocabulary: int,
    classes: int,
    seed: int,
    initial: Mapping[str, Tensor],
    reinitialise: int = 0,
) -> AnyClassifier:
    """A classifier as its training begins: with ``initial``, and random numbers where that holds none.

    The top ``reinitialise`` layers are random too. An architecture that has a packed form begins with the
    same numbers in both implementations.
    """
    if size.configuration is not None:
        model = PaddedClassifier(size, vocabulary, classes)
        begin(model, initial, seed, reinitialise)
        return model
    packed = Classifier(size, vocabulary, classes)
    initialise(packed, seed, size.initial_deviation)
    copy_into(packed, initial, reinitialise)
    if size.is_packed:
        return packed
    model = PaddedClassifier(size, vocabulary, classes)
    load(model.inner, laid_out(weights_of(packed, size)))
    return model


def weights_of_trial(tensors: Mapping[str, Tensor], size: Architecture, labels: tuple[str, ...]) -> Weights:
    """The weights of a trained classifier, packed wherever there is a packed form, from its state_dict."""
    if size.is_packed:
        return weights_from(tensors, size, labels)
    theirs = {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}
    if size.configuration is None:
        packed = size.begins_as
        return weights_from(taken_back(packed, theirs, len(labels)), packed, labels)
    with torch.device("meta"):
        parts = PaddedClassifier(size, 1, len(labels)).parts
    return Weights(parts, theirs, labels)
