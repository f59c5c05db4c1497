"""Flash attention as we call it. Its kernel is CUDA's: on a CPU a plain one stands in, loop over rows."""

import numpy as np
import pytest
import torch

from plain_flash import plain_flash
from trimtab.data.batches import make_batch
from trimtab.model import attention as choice
from trimtab.model.attention import attention, first_attention
from trimtab.model.classifier import Classifier
from trimtab.model.dropout import Dropout
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.varlen import VarlenAttention, has_kernel

HIDDEN, HEADS = 32, 2


@pytest.fixture
def plain_kernel(monkeypatch):
    """A kernel for the CPU, and the choice of it."""
    monkeypatch.setattr(choice, "has_kernel", lambda device, dtype, width: True)
    with plain_flash():
        yield


def results(pairs, what):
    """Output and gradients of attention over a batch of random numbers."""
    batch = make_batch(pairs, np.arange(len(pairs)), torch.device("cpu"))
    torch.manual_seed(0)
    x, qkv = torch.randn(len(batch.tokens), HIDDEN, requires_grad=True), torch.nn.Linear(HIDDEN, 3 * HIDDEN)
    dropout = Dropout(0.0)
    if what == "all":
        made = attention(qkv(x), batch, HEADS, dropout)
    else:
        made = first_attention(x, qkv, batch, HEADS, dropout)
    weights = torch.randn_like(made)
    return [made.detach(), *torch.autograd.grad((made * weights).sum(), [x, qkv.weight, qkv.bias])]


@pytest.mark.parametrize("what", ["all", "first"])
def test_both_kinds_of_attention_agree_and_so_do_their_gradients(what, random_pairs, request):
    pairs = random_pairs(0, 17)
    expected = results(pairs, what)
    request.getfixturevalue("plain_kernel")
    for one, other in zip(results(pairs, what), expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_classifier_says_the_same_by_either(random_pairs, request):
    model = Classifier(architecture("2x32/64/2"), 40, 3).eval()
    initialise(model, 0, 0.2)
    batch = make_batch(random_pairs(1, 20), np.arange(20), torch.device("cpu"))
    expected = model(batch)
    request.getfixturevalue("plain_kernel")
    torch.testing.assert_close(model(batch), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("dropout", "window"), [(0.1, 0), (0.0, 16)])
def test_the_operators_take_what_they_are_given(dropout, window):
    """torch's own shape functions for them, which are those of the installed version."""
    edges = torch.empty(6, dtype=torch.int32, device="meta")
    mixed = torch.empty(40, 3, 4, 64, dtype=torch.bfloat16, device="meta", requires_grad=True)
    made = VarlenAttention.apply(mixed, None, edges, edges, 128, 128, dropout, window)
    made.sum().backward()
    assert (made.shape, made.dtype, mixed.grad.shape) == ((40, 4, 64), torch.bfloat16, mixed.shape)
    others = torch.empty(40, 2, 4, 64, dtype=torch.bfloat16, device="meta", requires_grad=True)
    query = torch.empty(5, 4, 64, dtype=torch.bfloat16, device="meta", requires_grad=True)
    made = VarlenAttention.apply(others, query, edges, edges, 1, 128, dropout, 0)
    made.sum().backward()
    assert (made.shape, others.grad.shape, query.grad.shape) == (query.shape, others.shape, query.shape)


@pytest.mark.parametrize(
    ("kind", "dtype", "width"),
    [
        ("cpu", torch.bfloat16, 64),
        ("cuda", torch.float32, 64),
        ("cuda", torch.bfloat16, 20),
        ("cuda", torch.bfloat16, 256),
    ],
)
def test_what_the_kernel_does_not_take_goes_the_other_way(kind, dtype, width):
    assert not has_kernel(torch.device(kind), dtype, width)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_says_what_a_cpu_says_and_repeats_its_gradients(random_pairs):
    model = Classifier(architecture("2x128/256/2", dropout=0.0), 40, 3)
    initialise(model, 0, 0.1)
    pairs, index = random_pairs(1, 50), np.arange(50)
    expected = model(make_batch(pairs, index, torch.device("cpu")))
    device, gradients = torch.device("cuda"), []
    model.to(device)
    batch = make_batch(pairs, index, device)
    for _ in range(2):
        model.zero_grad()
        with torch.autocast("cuda", torch.bfloat16):
            logits = model(batch)
        torch.nn.functional.cross_entropy(logits.float(), batch.labels).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]).cpu())
    torch.testing.assert_close(logits.float().cpu(), expected, rtol=0.05, atol=0.05)
    torch.testing.assert_close(model(batch).cpu(), expected, rtol=1e-3, atol=1e-3)
    assert torch.equal(*gradients)
