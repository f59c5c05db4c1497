"""New texts judged by an exported classifier, read and cut as in training."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.examples import Examples
from trimtab.data.pairs import Pairs
from trimtab.data.tokenizer import unknown_id
from trimtab.deploy.activation import activated
from trimtab.deploy.exported import Exported
from trimtab.model.representations import inputs
from trimtab.training.backend import Backend
from trimtab.training.loop import predict as logits_of


@dataclass(frozen=True, eq=False)
class Predictions:
    """A classifier's predictions for n texts or pairs.

    labels: names of the classes; probabilities: (n, classes) float64, the softmax of its logits, no better
    calibrated than that. A model with one output has the label ``score``, and ``probabilities`` holds its
    scores, after its activation. tokens: of the rows as they were cut; unknown: how many of them it read as
    unknown words.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float64]
    tokens: int
    unknown: int

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def chosen(self) -> NDArray[np.int64]:
        """The number of each row's most probable label, (n,); ties go to the first."""
        return self.probabilities.argmax(axis=1)

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of each row, (n,), of a model with one output; InputError of others."""
        if len(self.labels) > 1:
            raise InputError(f"the model has {len(self.labels)} labels and no score; read its probabilities")
        return self.probabilities[:, 0]


def predict(
    classifier: Exported,
    first: list[str],
    second: list[str] | None = None,
    on_share: Callable[[float], None] = lambda share: None,
) -> Predictions:
    """Judge texts, or pairs, of n strings each: cut as in training, without padding, at its precision.

    on_share: is called after each batch with the share of the work that is done, by its tokens.
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
        windows=classifier.windows,
    )
    backend = Backend(next(classifier.model.parameters()).device, classifier.precision)
    batches, done = len(pairs.tokens.values) / backend.evaluation_tokens, count(1)
    logits = logits_of(
        classifier.model, pairs, backend, lambda: on_share(min(1.0, next(done) / max(1.0, batches)))
    )
    return Predictions(
        labels=classifier.labels,
        probabilities=activated(logits, classifier.activation),
        tokens=len(pairs.tokens.values),
        unknown=_unknown(pairs, classifier.tokenizer),
    )


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


def _unknown(pairs: Pairs, tokenizer: Tokenizer) -> int:
    number = unknown_id(tokenizer)
    return 0 if number is None else int(np.count_nonzero(pairs.tokens.values == number))
