"""The loss of each target against torch's own and a plain loop."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.data.layout import IGNORED, label_bits
from trimtab.training.objective import Objective

RNG = np.random.default_rng(4)
LOGITS = RNG.normal(size=(9, 1)).astype(np.float32) * 3


def bits(labels):
    return torch.from_numpy(label_bits(np.asarray(labels)))


def naive_relevance(logits, grades, largest):
    losses = []
    for given, grade in zip(logits[:, 0].tolist(), grades, strict=True):
        p, wanted = 1 / (1 + math.exp(-given)), grade / largest
        losses.append(-wanted * math.log(p) - (1 - wanted) * math.log(1 - p))
    return losses


@pytest.mark.parametrize("target", ["score", "relevance"])
def test_sums_and_means_are_those_of_a_loop(target):
    labels = RNG.integers(0, 4, 9).astype(float)
    objective = Objective(target, 3.0 if target == "relevance" else 1.0)
    expected = (
        [(given - label) ** 2 for given, label in zip(LOGITS[:, 0], labels, strict=True)]
        if target == "score"
        else naive_relevance(LOGITS, labels, 3.0)
    )
    total, right = objective.sums(torch.from_numpy(LOGITS), bits(labels))
    assert total.item() == pytest.approx(sum(expected), rel=1e-5)
    assert right.item() == 0
    loss, accuracy = objective.measure(LOGITS, labels)
    assert loss == pytest.approx(sum(expected) / 9, rel=1e-5)
    assert accuracy is None


@pytest.mark.parametrize("target", ["classes", "score", "relevance"])
def test_rows_that_only_pad_count_nothing(target):
    labels = np.array([0.0, 1.0, 1.0]) if target != "classes" else np.array([0, 1, 1])
    logits = torch.from_numpy(RNG.normal(size=(5, 2 if target == "classes" else 1)).astype(np.float32))
    logits.requires_grad_()
    padded = torch.cat([bits(labels), torch.full((2,), IGNORED)])
    objective = Objective(target)
    total, _ = objective.sums(logits, padded)
    alone, _ = objective.sums(logits[:3], bits(labels))
    assert total.item() == alone.item()
    [gradient] = torch.autograd.grad(total, logits)
    assert torch.isfinite(gradient).all()
    assert not gradient[3:].any()


def test_classes_have_cross_entropy_with_their_weights():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    weights = torch.tensor([0.5, 1.0, 2.0])
    total, right = Objective("classes", weights=weights).sums(logits, labels)
    assert total.item() == pytest.approx(F.cross_entropy(logits, labels, weights, reduction="sum").item())
    assert right.item() == (logits.argmax(1) == labels).sum().item()


def test_no_finite_number_has_the_bits_of_a_row_that_pads():
    assert np.isnan(np.array([IGNORED]).view(np.float64)).all()


def test_a_grade_above_the_largest_of_train_counts_as_that():
    objective, logits = Objective("relevance", 1.0), np.array([[2.0], [-1.0]], np.float32)
    assert objective.measure(logits, np.array([2.0, 0.0])) == objective.measure(logits, np.array([1.0, 0.0]))
    one, two = (
        objective.sums(torch.from_numpy(logits), bits(labels))[0] for labels in ([2.0, 0.0], [1.0, 0.0])
    )
    assert one.item() == two.item()
