"""Steps on a pretended GPU: they neither wait for it nor hand it what it would refuse."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pretended_cuda import pretended_cuda
from trimtab.data.batches import make_batch
from trimtab.data.masking import Masking
from trimtab.data.rows import Rows
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise
from trimtab.model.sizes import D2L, architecture
from trimtab.training import auto_precision, compiling
from trimtab.training.auto_precision import choose_precision, choose_pretraining_precision
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.pretraining import Pretrainer, PretrainingTask
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SIZE = architecture("2x16/24/2")
RECIPE = Recipe(batch_size=8)


@pytest.fixture
def cuda(monkeypatch):
    with pretended_cuda(monkeypatch) as device:
        yield device


def trainer_of(pairs, precision="bf16", size=SIZE, recipe=RECIPE):
    backend = Backend(CUDA, precision, graphs=False, compiled=False)
    return Trainer(size, recipe, 0, backend, vocabulary=40, classes=3, training=pairs)


def test_the_pretended_device_notices_what_a_gpu_would_mind(cuda):
    x, host = torch.arange(4.0, device=CUDA), torch.arange(4)
    assert (x.device.type, x.is_cuda, (x + 1).is_cuda, host.is_cuda) == ("cuda", True, True, False)
    minded = {
        "aten::_local_scalar_dense": lambda: x.sum().item(),
        "the host reads": lambda: float(x[0]),
        "tolist": lambda: x.tolist(),
        "nonzero": lambda: x.nonzero(),
        "a mask as index": lambda: x[x > 1],
        "without output_size": lambda: torch.repeat_interleave(x.long()),
        "the host reads from": lambda: x.cpu(),
        "not pinned": lambda: host.to(CUDA),
        "or waits": lambda: host.pin_memory().to(CUDA),
        "pinned, or": lambda: torch.tensor(1.0, device=CUDA),
        "copies from memory": lambda: x.copy_(host),
        "both devices": lambda: x * host,
    }
    for sentence, act in minded.items():
        with cuda.watched() as faults:
            act()
        assert len(faults) == 1, sentence
        assert sentence.removeprefix("aten::") in faults[0]
    with cuda.watched() as faults:
        host.pin_memory().to(CUDA, non_blocking=True)
        torch.full((), 2.0, device=CUDA)
        torch.repeat_interleave(x.long(), output_size=6)
    assert not faults


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "clip": 0.0},
        {"class_weights": "balanced", "layer_decay": 0.5, "micro_batch": 3},
        {"frozen": 1},
    ],
    ids=str,
)
def test_a_step_of_classification_does_not_wait(options, precision, cuda, random_pairs):
    trainer = trainer_of(random_pairs(2, 30), precision, recipe=replace(RECIPE, **options))
    assert all(parameter.is_cuda for parameter in trainer.model.parameters())
    trainer.step(np.arange(8))
    trainer.rows.values = None if precision == "fp32" else trainer.rows.values  # which streams the tokens
    with cuda.watched() as faults:
        loss, right = trainer.step(np.arange(8, 16))
    assert not faults
    assert loss.is_cuda
    assert right.is_cuda
    # A gradient that is put at places of a tensor sorts them first, unless its rows are added.
    assert not {name for name in cuda.operators if "index_put" in name or "sort" in name}
    parts = -(-8 // options.get("micro_batch", 8))
    assert cuda.operators["_flash_attention_forward"] == (2 * parts if precision == "bf16" else 0)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_evaluation_reads_each_batch_once(precision, cuda, monkeypatch, random_pairs):
    monkeypatch.setattr(Backend, "evaluation_tokens", 100)
    pairs, model = random_pairs(2, 30), Classifier(SIZE, 40, 3)
    initialise(model, 0, 0.1)
    expected = predict(model, pairs, Backend(CPU, "fp32"))
    model.to(CUDA)
    batches = []
    with cuda.watched() as faults:
        logits = predict(model, pairs, Backend(CUDA, precision), lambda: batches.append(1))
    upload, *reads = faults
    assert "self.values = " in upload  # all tokens, once
    assert len(reads) == len(batches) > 3
    assert all("reads" in fault and "logits[index]" in fault for fault in reads)
    np.testing.assert_allclose(logits, expected, atol=1e-5 if precision == "fp32" else 0.02)


@pytest.mark.parametrize(("precision", "average"), [("bf16", "real"), ("fp32", "padded")])
def test_a_step_of_pretraining_does_not_wait(precision, average, cuda, random_pairs):
    pairs = random_pairs(5, 20)
    rows = Rows(replace(pairs, labels=pairs.labels % 2), CUDA)
    size = architecture("2x16/24/2", positions=30, **D2L)
    task = PretrainingTask(size, 40, Masking(2, np.arange(5, 40)), 30, average=average)
    trainer = Pretrainer(task, RECIPE, 0, 10, Backend(CUDA, precision))
    random = np.random.default_rng(0)
    trainer.step(rows, np.arange(8), random)
    with cuda.watched() as faults:
        losses = trainer.step(rows, np.arange(8, 20), random)
    assert not faults
    assert losses.means()["masked_words"] > 0
    assert not {name for name in cuda.operators if "sort" in name}
    with cuda.watched() as faults:
        trainer.evaluate(rows, random)
    assert not faults


@pytest.mark.parametrize("segments", [1, 2, 3])
def test_segments_are_embedded_there_as_on_a_cpu(segments, cuda, random_pairs):
    size = replace(architecture("1x16/24/2", dropout=0.0), segments=segments)
    model, pairs = Classifier(size, 40, 3), random_pairs(1, 12)
    initialise(model, 0, 0.5)
    made = []
    for device in (CPU, CUDA):
        model.to(device)
        model.zero_grad()
        table = model.encoder.embeddings
        batch = make_batch(pairs, np.arange(12), device)
        found = table(batch)
        (found * torch.arange(16.0, device=device)).sum().backward()
        made.append([found.detach().cpu(), table.segment.weight.grad.cpu().clone()])
    for one, other in zip(*made, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_layers_of_pretraining_are_compiled_where_those_of_classification_are(cuda, monkeypatch):
    compiled, forgotten = [], []
    monkeypatch.setattr(torch._dynamo, "reset", lambda: forgotten.append(len(compiled)))
    monkeypatch.setattr(torch, "compile", lambda function, **options: compiled.append(function) or function)
    size = architecture("2x16/24/2", positions=30, **D2L)
    task = PretrainingTask(size, 40, Masking(2, np.arange(5, 40)), 30)
    for wanted in (False, True):
        trainer = Pretrainer(task, RECIPE, 0, 10, Backend(CUDA, "bf16", compiled=wanted))
        assert len(compiled) == 2 * wanted
        model = trainer.finish()
    assert forgotten == [2]  # once they were restored, so that other models of the process can be compiled
    assert not any("_after_attention" in vars(layer) for layer in compiling._layers(model))


def test_bf16_is_taken_at_once_where_the_gpu_has_units_for_it(cuda, monkeypatch):
    nothing = (None,) * 3  # no data is looked at
    assert choose_precision(SIZE, RECIPE, *nothing, CUDA) == ("bf16", {})
    assert choose_pretraining_precision(None, RECIPE, None, CUDA) == "bf16"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))
    monkeypatch.setattr(auto_precision, "kept_rates", lambda *work: {"fp32": 5.0, "bf16": 5.0})
    assert choose_precision(SIZE, RECIPE, *nothing, CUDA)[0] == "fp32"  # as it is measured
