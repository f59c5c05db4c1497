"""The output layer, whose gradients are added in place, against autograd."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from trimtab.training import output_layer
from trimtab.training.output_layer import OutputLayer

HIDDEN, WORDS = 12, 41


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def layer():
    linear = nn.Linear(HIDDEN, WORDS)
    with torch.no_grad():
        linear.weight.copy_(numbers(WORDS, HIDDEN, seed=1))
        linear.bias.copy_(numbers(WORDS, seed=2))
    for parameter in linear.parameters():
        parameter.grad = numbers(*parameter.shape, seed=3)  # what a part before has added
    return linear


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 50])
def test_loss_and_gradients_are_those_of_autograd(rows, monkeypatch):
    monkeypatch.setitem(output_layer._ROWS, "cpu", 8)
    linear, oracle = layer(), layer()
    x, scale = numbers(rows, HIDDEN, seed=4), torch.rand(rows, generator=torch.Generator().manual_seed(5))
    labels = torch.arange(rows) * 7 % WORDS
    found = OutputLayer(linear, bf16=False)(x, labels, scale)
    leaf = x.clone().requires_grad_()
    losses = F.cross_entropy(oracle(leaf), labels, reduction="none")
    (losses * scale).sum().backward()
    torch.testing.assert_close(found.losses, losses.detach())
    torch.testing.assert_close(found.gradient, leaf.grad)
    torch.testing.assert_close(linear.weight.grad, oracle.weight.grad)
    torch.testing.assert_close(linear.bias.grad, oracle.bias.grad)


def test_without_a_gradient_it_says_which_are_right():
    linear = layer()
    before = linear.weight.grad.clone()
    x = numbers(30, HIDDEN, seed=4)
    labels = torch.where(torch.arange(30) % 3 == 0, linear(x).argmax(1), 5)
    found = OutputLayer(linear, bf16=False)(x, labels, None)
    assert found.gradient is None
    assert found.right.tolist() == (linear(x).argmax(1) == labels).tolist()
    assert torch.equal(linear.weight.grad, before)


def test_in_bf16_it_stays_near():
    linear, exact = layer(), layer()
    x, labels, scale = numbers(60, HIDDEN, seed=4), torch.arange(60) % WORDS, torch.full((60,), 0.1)
    output = OutputLayer(linear, bf16=True)
    half, whole = output(x, labels, scale), OutputLayer(exact, bf16=False)(x, labels, scale)
    torch.testing.assert_close(half.losses, whole.losses, rtol=0.02, atol=0.05)
    torch.testing.assert_close(half.gradient, whole.gradient, rtol=0.05, atol=0.01)
    torch.testing.assert_close(linear.weight.grad, exact.weight.grad, rtol=0.05, atol=0.01)
    with torch.no_grad():
        linear.bias[3] += 50.0
    output.start()
    assert output(x, torch.full((60,), 3), None).right.all()  # it has seen that the weights have moved


def test_a_share_that_vanishes_is_a_large_loss_and_no_infinity():
    linear = layer()
    with torch.no_grad():
        linear.bias[0] += 500.0
    found = OutputLayer(linear, bf16=False)(numbers(3, HIDDEN), torch.tensor([0, 1, 2]), None)
    assert found.losses[0] == 0
    assert (found.losses[1:] > 80).all()
    assert found.losses.isfinite().all()
