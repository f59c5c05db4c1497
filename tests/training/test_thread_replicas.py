"""ThreadReplicas: what comes out is what one thread would have computed, part after part."""

import threading

import numpy as np
import pytest
import torch
from torch import nn

from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.recipe import Recipe
from trimtab.training.thread_replicas import ThreadReplicas
from trimtab.training.trainer import Trainer

CPU = Backend(torch.device("cpu"), "fp32")


@pytest.fixture
def threads():
    """Two threads in this process, as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()


def backward(model, number, part):
    model(part).sum().backward()
    return number, threading.current_thread().name


def outcomes_of(lanes, parts=None, work=backward):
    taken = []
    lanes.each(work, PARTS if parts is None else parts, lambda part, outcome: taken.append(outcome))
    return taken


PARTS = [torch.arange(6, dtype=torch.float64).view(2, 3) / (number + 1) for number in range(5)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.usefixtures("threads")
def test_gradients_are_those_of_all_parts_together(model, count):
    expected = torch.autograd.grad(model(torch.cat(PARTS)).sum(), list(model.parameters()))
    lanes = ThreadReplicas(model, count, shared=nn.Identity())
    for _ in range(2):  # nothing is left in a lane
        model.zero_grad()
        outcomes = outcomes_of(lanes)
        assert [number for number, _ in outcomes] == list(range(5))
        for parameter, gradient in zip(model.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-12)
    assert torch.get_num_threads() == 2
    assert len({name for _, name in outcomes}) == min(count, 5)


@pytest.mark.usefixtures("threads")
def test_one_part_is_the_callers_own(model):
    [(_, name)] = outcomes_of(ThreadReplicas(model, 2, shared=nn.Identity()), PARTS[:1])
    assert name == threading.current_thread().name


@pytest.mark.usefixtures("threads")
def test_replicas_see_the_weights_of_the_model_and_not_its_gradients(model):
    lanes = ThreadReplicas(model, 2, shared=model[0])
    replica = lanes.models[1]
    with torch.no_grad():
        model[2].weight.fill_(3.0)
    assert replica[0] is model[0]
    assert replica[2].weight is not model[2].weight
    assert torch.equal(replica[2].weight, model[2].weight)


@pytest.mark.usefixtures("threads")
def test_a_failure_is_raised_and_leaves_nothing_behind(model):
    def work(model, number, part):
        backward(model, number, part)
        if number == 1:
            raise MemoryError("no room")

    expected = torch.autograd.grad(model(torch.cat(PARTS)).sum(), list(model.parameters()))
    lanes = ThreadReplicas(model, 2, shared=nn.Identity())
    with pytest.raises(MemoryError, match="no room"):
        outcomes_of(lanes, work=work)
    assert torch.get_num_threads() == 2
    model.zero_grad()
    outcomes_of(lanes)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("threads")
def test_what_waits_in_a_lane_is_not_begun_after_a_failure(model):
    begun, release = [], threading.Event()

    def work(model, number, part):
        begun.append(number)
        release.wait(0.2)

    def take(part, outcome):
        release.set()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ThreadReplicas(model, 2, shared=nn.Identity()).each(work, PARTS * 20, take)
    assert len(begun) < 100


def far(one, other, tolerance):
    """The share of weights that are further apart: Adam takes a whole step where a gradient is next to 0."""
    return float(((one - other).abs() > tolerance).double().mean())


def trained(pairs, lanes, precision="fp32", **recipe):
    """Losses and weights after three steps in parts of some 200 tokens."""
    backend = Backend(torch.device("cpu"), precision)
    shape = {"vocabulary": 40, "classes": 3, "training": pairs}
    trainer = Trainer(architecture("2x32/64/2"), Recipe(**recipe), 5, backend, **shape)
    trainer.tokens = 200
    trainer.lanes = ThreadReplicas(trainer.model, lanes, shared=trainer.table)
    losses = [float(trainer.step(np.arange(60) + 60 * number)[0]) for number in range(3)]
    return losses, torch.cat([parameter.detach().flatten() for parameter in trainer.finish().parameters()])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.usefixtures("threads")
def test_a_training_has_the_same_masks_whatever_the_number_of_lanes(random_pairs, precision):
    pairs = random_pairs(3, 180)
    losses, weights = trained(pairs, 1, precision)
    for count in (2, 3):
        others, moved = trained(pairs, count, precision)
        tolerance = 1e-5 if precision == "fp32" else 1e-4
        np.testing.assert_allclose(others, losses, atol=tolerance)
        assert far(moved, weights, tolerance) < 0.01
        again = trained(pairs, count, precision)
        assert again[0] == others
        assert torch.equal(again[1], moved)


@pytest.mark.usefixtures("threads")
def test_what_is_frozen_stays_in_every_lane(random_pairs):
    pairs = random_pairs(3, 180)
    losses, weights = trained(pairs, 1, frozen=1)
    others, moved = trained(pairs, 2, frozen=1)
    np.testing.assert_allclose(others, losses, atol=1e-5)
    assert far(moved, weights, 1e-5) < 0.01


@pytest.mark.usefixtures("threads")
def test_few_rows_at_a_time_are_not_multiplied_by_lanes(random_pairs):
    shape = {"vocabulary": 40, "classes": 3, "training": random_pairs(3, 60)}
    for micro_batch, lanes in ((None, 2), (8, 1)):
        trainer = Trainer(architecture("2x32/64/2"), Recipe(micro_batch=micro_batch), 5, CPU, **shape)
        assert len(trainer.lanes.models) == lanes


@pytest.mark.usefixtures("threads")
def test_small_models_have_a_lane_a_thread_on_a_cpu():
    assert CPU.lanes(20_000_000) == 2
    assert CPU.lanes(110_000_000) == 1
    assert Backend(torch.device("cuda"), "bf16").lanes(20_000_000) == 1
