import numpy as np
import pytest
import torch
from torch import nn

from trimtab.training.optimizer import Schedule, make_optimizer
from trimtab.training.recipe import Recipe


class Toy(nn.Module):
    """One matrix, one bias and one norm."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.norm = nn.LayerNorm(2)


def reference(value, gradients, rate, decay):
    """Adam (Kingma and Ba 2015, algorithm 1), with the decay of AdamW (Loshchilov and Hutter 2019)."""
    first, second = np.zeros_like(value), np.zeros_like(value)
    for step, gradient in enumerate(gradients, 1):
        value = value - rate * decay * value
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = first / (1 - 0.9**step), second / (1 - 0.999**step)
        value = value - rate * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return value


@pytest.mark.parametrize(("name", "decay"), [("adam", 0.0), ("adam", 0.3), ("adamw", 0.0), ("adamw", 0.3)])
def test_steps_equal_the_papers_and_decay_spares_biases_and_norms(name, decay):
    torch.manual_seed(0)
    model, rng = Toy(), np.random.default_rng(0)
    optimizer = make_optimizer(model, Recipe(optimizer=name, learning_rate=0.05, weight_decay=decay))
    start = {key: value.detach().double().numpy().copy() for key, value in model.named_parameters()}
    gradients = {key: rng.normal(size=(6, *value.shape)) for key, value in start.items()}
    for step in range(6):
        for key, parameter in model.named_parameters():
            parameter.grad = torch.from_numpy(gradients[key][step]).float()
        optimizer.step()
    for key, parameter in model.named_parameters():
        decayed = decay if name == "adamw" and key == "linear.weight" else 0.0
        expected = reference(start[key], gradients[key], 0.05, decayed)
        np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=1e-5, atol=1e-6)


def rates(steps, **settings):
    """The learning rate of each step."""
    recipe = Recipe(**settings)
    optimizer = make_optimizer(Toy(), recipe)
    schedule = Schedule(optimizer, recipe, steps)
    seen = []
    for _ in range(steps):
        seen.append(optimizer.param_groups[-1]["lr"])
        optimizer.step()
        schedule.step()
    assert all(group["lr"] == optimizer.param_groups[0]["lr"] for group in optimizer.param_groups)
    return seen


@pytest.mark.parametrize(
    ("schedule", "warmup", "steps", "expected"),
    [
        ("constant", 0.0, 3, [1, 1, 1]),
        ("constant", 0.5, 4, [1 / 2, 1, 1, 1]),
        ("linear", 0.0, 4, [1, 3 / 4, 1 / 2, 1 / 4]),
        ("linear", 0.2, 10, [1 / 2, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8]),
        ("linear", 1.0, 4, [1 / 4, 2 / 4, 3 / 4, 1]),
        ("linear", 0.1, 1, [1]),
        ("constant", 1.0, 1, [1]),
    ],
)
def test_the_schedule_is_its_formula(schedule, warmup, steps, expected):
    seen = rates(steps, schedule=schedule, warmup=warmup, learning_rate=0.3)
    assert seen == pytest.approx([0.3 * factor for factor in expected])


@pytest.mark.parametrize("steps", [7, 100, 331])
def test_a_linear_schedule_rises_and_falls_in_even_steps(steps):
    seen = np.array(rates(steps, schedule="linear", warmup=0.1, learning_rate=1.0))
    warm = round(0.1 * steps)
    np.testing.assert_allclose(seen[:warm], np.arange(1, warm + 1) / warm)
    np.testing.assert_allclose(seen[warm:], 1 - np.arange(steps - warm) / (steps - warm))
    assert seen.min() > 0
