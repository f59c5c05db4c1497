import math

import numpy as np
import pytest
import torch

from trimtab.model.dropout import Dropout, seed_dropout

MANY = 400_000


def dropped(probability, shape=(MANY,), seed=0, dtype=torch.float32):
    """Ones after dropout."""
    layer = Dropout(probability)
    layer.generator = np.random.SFC64(seed)
    return layer(torch.ones(shape, dtype=dtype))


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.9])
def test_the_share_of_zeros_is_the_probability_in_every_place_of_a_word(probability):
    zeros = (dropped(probability) == 0).numpy().reshape(-1, 4)  # four numbers are cut from one word
    spread = math.sqrt(probability * (1 - probability))
    assert abs(zeros.mean() - probability) < 4.5 * spread / math.sqrt(zeros.size)
    assert np.all(abs(zeros.mean(0) - probability) < 4.5 * spread / math.sqrt(len(zeros)))


def test_places_in_a_word_and_neighbours_are_independent():
    zeros = (dropped(0.3) == 0).numpy().astype(float)
    together = np.concatenate([zeros.reshape(-1, 4)[:-1], zeros.reshape(-1, 4)[1:]], axis=1)
    correlation = np.corrcoef(together.T) - np.eye(8)
    assert abs(correlation).max() < 4.5 / math.sqrt(len(together))


@pytest.mark.parametrize("probability", [0.1, 0.5])
def test_what_stays_is_scaled_so_that_the_mean_is_preserved(probability):
    kept = dropped(probability)
    values = kept.unique()
    assert len(values) == 2
    assert values[1].item() == pytest.approx(1 / (1 - probability), rel=1e-4)
    assert kept.mean().item() == pytest.approx(1, abs=0.01)


def test_the_generator_fixes_the_masks():
    assert torch.equal(dropped(0.3, seed=5), dropped(0.3, seed=5))
    assert not torch.equal(dropped(0.3, seed=5), dropped(0.3, seed=6))
    layer = Dropout(0.3)
    layer.generator = np.random.SFC64(5)
    assert not torch.equal(layer(torch.ones(99)), layer(torch.ones(99)))


def test_one_generator_serves_every_dropout_of_a_model():
    model = torch.nn.Sequential(Dropout(0.3), torch.nn.Sequential(Dropout(0.3)))
    generator = np.random.SFC64(1)
    seed_dropout(model, generator)
    assert model[0].generator is model[1][0].generator is generator


def test_it_is_the_identity_at_zero_and_in_evaluation():
    x = torch.randn(7, 3)
    assert Dropout(0.0)(x) is x
    assert Dropout(0.4).eval()(x) is x


@pytest.mark.parametrize("shape", [(), (1,), (3,), (5,), (2, 3, 7), (0,), (0, 4)])
def test_any_shape(shape):
    kept = dropped(0.5, shape)
    assert kept.shape == shape
    assert set(kept.flatten().tolist()) <= {0.0, 2.0}


def test_gradients_pass_where_numbers_do():
    layer = Dropout(0.5)
    layer.generator = np.random.SFC64(0)
    x = torch.ones(1000, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_the_type_is_kept_and_the_mask_does_not_depend_on_it():
    half = dropped(0.1, (1000,), dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    assert torch.equal(half == 0, dropped(0.1, (1000,)) == 0)


def test_a_probability_near_one_leaves_something_finite():
    assert torch.isfinite(dropped(1 - 1e-9)).all()
