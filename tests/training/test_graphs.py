"""Batches padded to a few sizes, as captured steps take them, and steps that are captured."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from gpu_waits import no_waiting
from trimtab.data.layout import IGNORED, Padding
from trimtab.data.rows import Rows
from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("2x32/64/2", dropout=0.0)
RECIPE = Recipe(batch_size=20, learning_rate=1e-2, precision="fp32")


def trainer_of(pairs, backend=CPU, size=SIZE, recipe=RECIPE):
    return Trainer(size, recipe, 0, backend, vocabulary=40, classes=3, training=pairs)


def usual(pairs):
    return 20 * pairs.tokens.lengths.mean()


def gradients_of(trainer):
    return torch.cat([parameter.grad.flatten().cpu() for parameter in trainer.model.parameters()])


def weights_of(trainer):
    return torch.cat([parameter.detach().flatten().cpu() for parameter in trainer.model.parameters()])


@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_added_rows_change_neither_loss_nor_count_nor_gradient(clip, random_pairs):
    pairs = random_pairs(0, 60)
    plain, padded = (trainer_of(pairs, recipe=replace(RECIPE, clip=clip)) for _ in range(2))
    layout = plain.rows.layout(np.arange(7, 27))
    filled = Padding(pairs, usual(pairs)).fill(layout)
    loss, right = plain.move([plain.rows.make(layout)], 20)
    other, count = padded.move([padded.rows.make(filled)], 20)
    assert filled.shape[1] > 20
    assert other.item() == pytest.approx(loss.item(), rel=1e-5)
    assert count == right
    torch.testing.assert_close(gradients_of(padded), gradients_of(plain), rtol=1e-4, atol=1e-6)


def test_batches_come_in_few_sizes_and_keep_their_rows(random_pairs):
    pairs = random_pairs(3, 400)
    rows = Rows(pairs, CPU.device)
    padding, order = Padding(pairs, usual(pairs)), np.random.default_rng(0).permutation(400)
    sizes, share = set(), []
    for start in range(0, 400, 20):
        layout = rows.layout(order[start : start + 20])
        filled = padding.fill(layout)
        assert filled.shape == (4, 20 + padding.spare)
        assert (np.diff(filled[1]) >= 0).all()
        assert filled[1].min() >= 1
        assert filled[1].max() <= pairs.tokens.lengths.max()
        kept = filled[:, filled[3] != IGNORED]
        assert sorted(map(tuple, kept.T)) == sorted(map(tuple, layout.T))
        sizes.add(int(filled[1].sum()))
        share.append(layout[1].sum() / filled[1].sum())
        tokens = rows.make(filled).tokens
        assert set(tokens.tolist()) <= set(pairs.tokens.values.tolist())
    assert all(size % padding.step == 0 for size in sizes)
    assert len(sizes) <= 8
    assert np.mean(share) > 0.7


def test_micro_batches_are_filled_up_in_steps_of_their_own_size(random_pairs):
    pairs, backend = random_pairs(3, 600), replace(CPU, precision="bf16")
    whole, parts = (
        trainer_of(pairs, backend, recipe=replace(RECIPE, batch_size=600, micro_batch=rows)).padding.step
        for rows in (None, 20)
    )
    assert whole > 3 * parts


def test_a_cpu_captures_nothing(random_pairs):
    backend = Backend(CPU.device, "bf16", graphs=True, compiled=True)
    assert trainer_of(random_pairs(0, 30), backend).graphs is None
    assert not backend.compiles(10**9)


def test_the_size_of_a_model_decides_between_graphs_and_compiled_layers():
    cuda = Backend(torch.device("cuda"), "bf16")
    assert cuda.captures(10**7)
    assert not cuda.compiles(10**7)
    assert cuda.compiles(10**8)
    assert not cuda.captures(10**8)
    assert not replace(cuda, precision="fp32").captures(10**7)
    assert not replace(cuda, graphs=False).captures(10**7)
    assert replace(cuda, compiled=True).compiles(10**7)


def test_a_gpu_is_waited_for_again_whatever_happens(monkeypatch):
    modes = []

    def switch(mode):
        modes.append(mode)
        warnings.warn("a prototype feature", UserWarning, stacklevel=2)

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", switch)
    with pytest.raises(ZeroDivisionError), no_waiting():
        len(modes) / 0
    assert modes == ["error", "default"]


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_captured_steps_train_like_eager_ones_and_repeat_to_the_bit(dropout, random_pairs):
    pairs, device = random_pairs(2, 400), torch.device("cuda")
    size = architecture("2x64/128/1", dropout=dropout)
    made = {}
    for name, graphs in (("captured", True), ("again", True), ("eager", False)):
        trainer = trainer_of(pairs, Backend(device, "bf16", graphs=graphs), size)
        order = np.random.default_rng(0).permutation(400)
        losses = [trainer.step(order[start : start + 20])[0] for start in range(0, 400, 20)]
        if graphs:
            assert trainer.graphs.captured
        made[name] = torch.stack(losses).cpu(), weights_of(trainer)
    assert torch.equal(made["captured"][1], made["again"][1])
    if not dropout:
        torch.testing.assert_close(made["captured"][0], made["eager"][0], rtol=0.02, atol=0.02)


@pytest.mark.gpu
@gpu
def test_a_step_does_not_wait_for_the_gpu(random_pairs):
    pairs, device = random_pairs(2, 400), torch.device("cuda")
    trainer = trainer_of(pairs, Backend(device, "bf16"), architecture("2x64/128/1"))
    order = np.random.default_rng(0).permutation(400)
    for start in range(0, 300, 20):
        trainer.step(order[start : start + 20])
    with no_waiting():
        trainer.move([trainer.rows.batch(order[:20])], 20)
