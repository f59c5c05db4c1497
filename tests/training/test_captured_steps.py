"""Captured steps on a pretended GPU: they equal ordinary ones, and are captured as a real GPU asks for."""

import gc
from dataclasses import replace

import numpy as np
import pytest
import torch

from pretended_cuda import pretended_cuda
from trimtab.model import attention as choice
from trimtab.model.sizes import architecture
from trimtab.training import trainer as trainer_module
from trimtab.training.backend import Backend
from trimtab.training.device_errors import CaptureError, spoils_device
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

pytestmark = pytest.mark.integration

ROWS = 8
CUDA = torch.device("cuda")
SIZE = architecture("2x16/24/2", dropout=0.0)
RECIPE = Recipe(batch_size=ROWS, learning_rate=1e-2, epochs=4, warmup=0.3, weight_decay=0.1)


@pytest.fixture
def cuda(monkeypatch):
    with pretended_cuda(monkeypatch) as device:
        yield device


def trainer_of(pairs, size=SIZE, recipe=RECIPE, **settings):
    shape = {"vocabulary": 40, "classes": 3, "training": pairs}
    return Trainer(size, recipe, 0, Backend(CUDA, "bf16", compiled=False, **settings), **shape)


def batches(number):
    """Batches of 30 rows, the last smaller, in random order."""
    order = np.random.default_rng(1).permutation(30 * -(-number * ROWS // 30)) % 30
    return [order[start : start + ROWS] for start in range(0, (number - 1) * ROWS, ROWS)] + [order[:5]]


def trained(trainer, number):
    """Losses, right answers and weights after some steps."""
    made = [trainer.step(index) for index in batches(number)]
    losses, right = (torch.stack(each).tolist() for each in zip(*made, strict=True))
    weights = {name: weight.detach() for name, weight in trainer.finish().state_dict().items()}
    for name, weight in weights.items():
        if name.endswith("qkv.bias"):  # a key's bias has no gradient but noise, which Adam makes large
            weights[name] = torch.cat(weight.chunk(3)[::2])
    return losses, right, torch.cat([weight.flatten() for weight in weights.values()])


@pytest.mark.parametrize(
    "options",
    [
        {"layer_decay": 0.5, "class_weights": "balanced"},
        {"optimizer": "adam", "weight_decay": 0.0, "clip": 0.01, "frozen": "embeddings"},
        {"clip": 0.0, "frozen": 1, "schedule": "constant", "reinitialise": 1},
    ],
    ids=str,
)
def test_captured_steps_equal_ordinary_ones(options, cuda, monkeypatch, random_pairs):
    """In fp32, where differences are not lost in rounding; CUDA would capture bf16 alone."""
    monkeypatch.setattr(Backend, "captures", lambda self, parameters: self.graphs)
    monkeypatch.setattr(Backend, "autocast", lambda self: torch.autocast("cpu", enabled=False))
    for module in (choice, trainer_module):
        monkeypatch.setattr(module, "has_kernel", lambda device, dtype, width: True)
    pairs, recipe = random_pairs(2, 30), replace(RECIPE, **options)
    expected = trained(trainer_of(pairs, recipe=recipe, graphs=False), 12)
    assert not cuda.captured
    found = trained(trainer_of(pairs, recipe=recipe, graphs=True), 12)
    assert cuda.captured
    assert sum(graph.replays for graph in cuda.captured) > 2
    assert expected[0][0] > expected[0][-1]
    torch.testing.assert_close(found[0], expected[0], rtol=1e-5, atol=1e-5)
    assert found[1] == expected[1]
    torch.testing.assert_close(found[2], expected[2], rtol=1e-3, atol=1e-4)


def test_each_size_has_had_an_ordinary_step_before_its_capture(cuda, random_pairs):
    trainer = trainer_of(random_pairs(2, 30))
    taken = []

    def move(parts, rows, moves=trainer.graphs.move):
        taken.append((len(parts[0].tokens), cuda.tape is not None))
        return moves(parts, rows)

    trainer.graphs.move = move
    for index in batches(12):
        trainer.step(index)
    captured = [tokens for tokens, capturing in taken if capturing]
    assert captured
    assert len(captured) == len(set(captured)) == len(cuda.captured)
    for tokens in captured:
        assert taken.index((tokens, False)) < taken.index((tokens, True))
    assert [capturing for _, capturing in taken[:3]] == [False] * 3


def replayed_losses(pairs, dropout):
    """Losses of one batch in replays of one graph, by weights that no step moves."""
    still = replace(RECIPE, learning_rate=1e-30, weight_decay=0.0)
    trainer = trainer_of(pairs, replace(SIZE, dropout=dropout), still, graphs=True)
    losses = [float(trainer.step(np.arange(ROWS))[0]) for _ in range(8)]
    assert len(trainer.graphs.captured) == 1
    return losses[-4:]


def masks_change(pairs):
    return [len(set(replayed_losses(pairs, rate))) for rate in (0.0, 0.2)] == [1, 4]


def test_each_replay_draws_new_masks(cuda, random_pairs):
    assert masks_change(random_pairs(2, 30))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_each_replay_draws_new_masks_on_a_gpu(random_pairs):
    assert masks_change(random_pairs(2, 30))


def test_a_refused_capture_spoils_the_process_and_garbage_is_collected_again(cuda, random_pairs):
    trainer = trainer_of(random_pairs(2, 30))

    def reads(parts, rows, moves=trainer.graphs.move):
        loss, right = moves(parts, rows)
        loss.item()
        return loss, right

    trainer.graphs.move = reads
    for _ in range(3):
        trainer.step(np.arange(ROWS))
    with pytest.raises(CaptureError) as refused:
        trainer.step(np.arange(ROWS))
    assert "not permitted when stream is capturing" in str(refused.value.__cause__)
    assert spoils_device(refused.value)
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("error", "spoils"),
    [
        (torch.AcceleratorError("an illegal memory access"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx"), True),
        (RuntimeError("CUDA error: out of memory"), False),
        (torch.OutOfMemoryError("CUDA out of memory"), False),
        (RuntimeError("the size of tensor a must match"), False),
        (ValueError("CUDA error"), False),
    ],
    ids=str,
)
def test_which_errors_leave_no_usable_gpu(error, spoils):
    assert spoils_device(error) is spoils
    later = KeyError("while the error was handled")
    later.__context__ = error
    assert spoils_device(later) is spoils
