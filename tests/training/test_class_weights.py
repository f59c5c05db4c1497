import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from trimtab.config import InputError
from trimtab.training.class_weights import class_weights


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(5, 7))
def test_every_class_that_is_present_counts_as_much(labels, classes):
    weights = class_weights(labels, classes)
    assert (weights.shape, weights.dtype) == ((classes,), np.float32)
    present = set(labels)
    for label in range(classes):
        total = sum(float(weights[label]) for one in labels if one == label)
        assert total == pytest.approx(len(labels) / len(present) if label in present else 0, rel=1e-5)
    assert np.mean([weights[label] for label in labels]) == pytest.approx(1, rel=1e-5)


def test_alike_classes_weigh_one_and_a_rare_one_more():
    np.testing.assert_allclose(class_weights([0, 1, 2] * 4, 3), 1)
    np.testing.assert_allclose(class_weights([0] * 9 + [1], 2), [10 / 18, 5], rtol=1e-6)


def test_the_weighted_loss_is_the_mean_of_the_classes_losses():
    labels = np.array([0] * 7 + [1] * 2 + [2])
    logits = torch.randn(10, 3, generator=torch.Generator().manual_seed(0))
    truth = torch.from_numpy(labels)
    weights = torch.from_numpy(class_weights(labels, 3))
    weighted = cross_entropy(logits, truth, weight=weights, reduction="sum") / len(labels)
    apart = [cross_entropy(logits[truth == label], truth[truth == label]) for label in range(3)]
    torch.testing.assert_close(weighted, torch.stack(apart).mean())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "labels have shape"),
        ([[0, 1]], "labels have shape"),
        ([0.5], "labels have shape"),
        ([0, 3], "labels go from 0 to 3: number them 0 to 2"),
        ([-1, 0], "labels go from -1 to 0"),
    ],
)
def test_wrong_labels_are_named(labels, message):
    with pytest.raises(InputError, match=message):
        class_weights(labels, 3)
