"""ThreadReplicas: what comes out is what one thread would have computed, part after part."""

import threading

import numpy as np
import pytest
import torch
from torch import nn

from trimtab.model.dropout import Masks
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


def outcomes_of(replicas, parts=None, work=backward):
    taken = []
    replicas.each(work, PARTS if parts is None else parts, lambda part, outcome: taken.append(outcome))
    return taken


PARTS = [torch.arange(6, dtype=torch.float64).view(2, 3) / (number + 1) for number in range(5)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.usefixtures("threads")
def test_gradients_are_those_of_all_parts_together(model, count):
    expected = torch.autograd.grad(model(torch.cat(PARTS)).sum(), list(model.parameters()))
    replicas = ThreadReplicas(model, count, shared=nn.Identity())
    for _ in range(2):  # nothing is left in a replica
        model.zero_grad()
        outcomes = outcomes_of(replicas)
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
    replicas = ThreadReplicas(model, 2, shared=model[0])
    replica = replicas.models[1]
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
    replicas = ThreadReplicas(model, 2, shared=nn.Identity())
    with pytest.raises(MemoryError, match="no room"):
        outcomes_of(replicas, work=work)
    assert torch.get_num_threads() == 2
    model.zero_grad()
    outcomes_of(replicas)
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("threads")
def test_parts_that_wait_are_not_begun_after_a_failure(model):
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


# What the number of threads may change is the order in which parts' gradients are added. Of the weights that
# follow, Adam moves each by the learning rate a step at most; it does so even where a gradient is so near 0
# that rounding decides its sign, as in one of a hundred weights.
STEP = Recipe().learning_rate
# In fp32 the others differ by less than a tenth of a step. In bf16 a weight that differs in its last bit may
# be rounded to another number of 8 bits, and so may every product with it: losses agree to that precision,
# and weights to a step.
TOLERANCES = {"fp32": (1e-5, STEP / 10), "bf16": (2**-8, STEP)}  # of losses, relative, and of weights


def trained(pairs, count, precision="fp32", masks=5, **recipe):
    """Losses and weights after three steps in parts of some 200 tokens, with ``count`` replicas."""
    backend = Backend(torch.device("cpu"), precision)
    shape = {"vocabulary": 40, "classes": 3, "training": pairs}
    trainer = Trainer(architecture("2x32/64/2"), Recipe(**recipe), 5, backend, **shape)
    trainer.tokens, trainer.masks = 200, Masks(masks)
    trainer.replicas = ThreadReplicas(trainer.model, count, shared=trainer.table)
    losses = [float(trainer.step(np.arange(60) + 60 * number)[0]) for number in range(3)]
    return losses, torch.cat([parameter.detach().flatten() for parameter in trainer.finish().parameters()])


def assert_alike(made, expected, precision="fp32"):
    of_losses, of_weights = TOLERANCES[precision]
    np.testing.assert_allclose(made[0], expected[0], rtol=of_losses)
    assert ((made[1] - expected[1]).abs() > of_weights).double().mean() < 0.01


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_has_the_same_masks_whatever_the_number_of_replicas(random_pairs, precision):
    pairs = random_pairs(3, 180)
    expected = trained(pairs, 1, precision)
    for count in (2, 3):
        assert_alike(trained(pairs, count, precision), expected, precision)
    other = trained(pairs, 1, precision, masks=6)[0]  # masks are felt far more than these tolerances
    assert np.abs(np.divide(other, expected[0]) - 1).max() > 4 * TOLERANCES[precision][0]


def test_a_training_with_replicas_repeats_to_the_bit(random_pairs):
    pairs = random_pairs(3, 180)
    one, again = (trained(pairs, 3) for _ in range(2))
    assert one[0] == again[0]
    assert torch.equal(one[1], again[1])


def test_what_is_frozen_stays_in_every_replica(random_pairs):
    pairs = random_pairs(3, 180)
    assert_alike(trained(pairs, 2, frozen=1), trained(pairs, 1, frozen=1))


@pytest.mark.usefixtures("threads")
def test_micro_batch_leaves_one_replica(random_pairs):
    shape = {"vocabulary": 40, "classes": 3, "training": random_pairs(3, 60)}
    for micro_batch, count in ((None, 2), (8, 1)):
        trainer = Trainer(architecture("2x32/64/2"), Recipe(micro_batch=micro_batch), 5, CPU, **shape)
        assert len(trainer.replicas.models) == count


@pytest.mark.usefixtures("threads")
def test_small_models_have_a_replica_per_thread_on_a_cpu():
    assert CPU.replicas(20_000_000) == 2
    assert CPU.replicas(110_000_000) == 1
    assert Backend(torch.device("cuda"), "bf16").replicas(20_000_000) == 1
