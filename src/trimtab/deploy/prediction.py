"""New texts judged by an exported classifier, read and cut as in training."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.examples import Examples
from trimtab.data.pairs import Pairs
from trimtab.data.tokenizer import unknown_id
from trimtab.deploy.exported import Exported
from trimtab.model.representations import inputs
from trimtab.training.backend import Backend
from trimtab.training.loop import predict as logits_of


@dataclass(frozen=True, eq=False)
class Predictions:
    """A classifier's predictions for n texts or pairs.

    labels: names of the classes; probabilities: (n, classes) float64, the softmax of its logits, no better
    calibrated than that; unknown: the share of tokens that it read as unknown words.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    unknown: float

    @property
    def chosen(self) -> NDArray[np.int64]:
        """The number of each row's most probable label, (n,); ties go to the first."""
        return self.probabilities.argmax(axis=1)


def predict(classifier: Exported, first: list[str], second: list[str] | None = None) -> Predictions:
    """Judge texts, or pairs, of n strings each: cut as in training, without padding, at its precision.

    InputError where the classifier was trained on pairs and these are single texts, or the other way round.
    """
    _check_texts(classifier.texts, 1 if second is None else 2)
    pairs = inputs(
        first,
        second,
        model=classifier.model,
        tokenizer=classifier.tokenizer,
        max_len=classifier.max_len,
        truncation=classifier.truncation,
    )
    device = next(classifier.model.parameters()).device
    logits = logits_of(classifier.model, pairs, Backend(device, classifier.precision))
    probabilities = softmax(logits.astype(np.float64), axis=1)
    return Predictions(classifier.labels, probabilities, _unknown(pairs, classifier.tokenizer))


def labels_among(examples: Examples, labels: tuple[str, ...], file: str) -> list[int]:
    """The label of each row as a number among ``labels``; InputError names one that is not among them."""
    strange = [name for name in examples.label_names if name not in labels]
    if strange:
        raise InputError(
            f"{file}: label {strange[0]!r} is none of the model's, which are {', '.join(labels)}; "
            "correct the labels, or name another column"
        )
    return [labels.index(examples.label_names[number]) for number in examples.labels]


def _check_texts(trained: int | None, given: int) -> None:
    if trained == 1 and given == 2:
        raise InputError("the model was trained on single texts; leave out the second ones (--second)")
    if trained == 2 and given == 1:
        raise InputError("the model was trained on pairs; name the second texts' column too (--second)")


def _unknown(pairs: Pairs, tokenizer: Tokenizer) -> float:
    number = unknown_id(tokenizer)
    if number is None or not len(pairs):
        return 0.0
    return float(np.mean(pairs.tokens.values == number))
