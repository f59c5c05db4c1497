"""What a classifier is trained to make small, by what the labels of its rows are."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.layout import IGNORED
from trimtab.data.pairs import Pairs
from trimtab.data.target import Labels, Target
from trimtab.training.class_weights import class_weights


@dataclass(frozen=True, eq=False)
class Objective:
    """The loss of rows, on the device while training and on the host in an evaluation.

    Classes: cross-entropy, with ``weights`` (classes,) or None. Scores: the squared error. Relevance: binary
    cross-entropy of each row by itself, of its grade as a share of ``largest``, the largest of train (a
    higher one elsewhere counts as that), as sentence-transformers' CrossEncoder is trained by default.
    """

    target: Target
    largest: float = 1.0
    weights: Tensor | None = None

    @property
    def is_of_classes(self) -> bool:
        """Whether an answer is right or wrong."""
        return self.target == "classes"

    def sums(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The sum of losses and the number of right answers, 0-dim, of logits (rows, outputs), float32.

        labels: (rows,) int64, as a layout has them; rows whose label is IGNORED count nothing. Where answers
        are not right or wrong the number is 0.
        """
        if self.is_of_classes:
            loss = F.cross_entropy(logits, labels, self.weights, reduction="sum")
            return loss, (logits.argmax(1) == labels).sum()
        real = labels != IGNORED
        # The bits of IGNORED are no number, and would spread.
        wanted = torch.where(real, labels, 0).view(torch.float64).float()
        given = logits[:, 0]
        if self.target == "relevance":
            share = (wanted / self.largest).clamp(max=1.0)
            losses = F.binary_cross_entropy_with_logits(given, share, reduction="none")
        else:
            losses = (given - wanted).square()
        return torch.where(real, losses, 0.0).sum(), torch.zeros((), dtype=torch.int64, device=logits.device)

    def measure(self, logits: NDArray[np.float32], labels: Labels) -> tuple[float, float | None]:
        """Mean loss, without class weights, and accuracy: None where answers are not right or wrong.

        logits: (rows, outputs); labels: (rows,), as in Pairs.
        """
        outputs = logits.astype(np.float64)
        if self.is_of_classes:
            shifted = outputs - outputs.max(1, keepdims=True)
            log_sums = np.log(np.exp(shifted).sum(1))
            right = shifted[np.arange(len(labels)), labels.astype(np.int64)]
            return float((log_sums - right).mean()), float((logits.argmax(1) == labels).mean())
        given = outputs[:, 0]
        if self.target == "relevance":
            wanted = np.minimum(labels / self.largest, 1.0)
            return float((np.logaddexp(0.0, given) - wanted * given).mean()), None
        return float(np.square(given - labels).mean()), None


def objective_of(training: Pairs, classes: int, weighting: str, device: torch.device) -> Objective:
    """The objective for the rows to train on; weighting: as in Recipe."""
    weights = None
    if weighting != "none":
        weights = torch.from_numpy(class_weights(training.labels, classes)).to(device)
    largest = float(training.labels.max(initial=0)) if training.target == "relevance" else 1.0
    return Objective(training.target, max(1.0, largest), weights)
