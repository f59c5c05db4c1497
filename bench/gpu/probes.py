"""Short probes of what the GPU path rests on; each raises where its answer is wrong."""

import math
import warnings
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bench.gpu.measures import Figures
from bench.gpu.rows import CLASSES, rows_of
from bench.gpu.scale import Scale
from trimtab.data.batch import Batch
from trimtab.data.batches import make_batch
from trimtab.model.attention import attention, first_attention
from trimtab.model.dropout import Dropout, seed_dropout
from trimtab.training.backend import Backend
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

_ROWS, _HEADS, _ENOUGH = 40, 4, 0.02  # the largest relative error of bf16


class WrongAnswerError(RuntimeError):
    """The device gave a wrong answer."""


@dataclass(frozen=True)
class Probes:
    """A device and a scale; each public method is one probe."""

    device: torch.device
    scale: Scale

    def attention(self, width: int, first: bool) -> Figures:
        """Attention in bf16, forward and backward, against loops over rows in fp64.

        width: of a head. first: one query in each row, that of its first token.
        """
        hidden = _HEADS * width
        batch = make_batch(rows_of(_ROWS, 100), np.arange(_ROWS), self.device)
        torch.manual_seed(0)
        x = torch.randn(len(batch.tokens), hidden)
        linear = torch.nn.Linear(hidden, 3 * hidden)
        given = torch.randn(_ROWS if first else len(x), hidden)
        expected = self._answers(batch, x.double(), linear.double(), given.double(), first, None)
        found = self._answers(
            batch,
            x.to(self.device),
            linear.float().to(self.device),
            given.to(self.device),
            first,
            Dropout(0.0),
        )
        errors = [float((f.cpu() - e).norm() / e.norm()) for f, e in zip(found, expected, strict=True)]
        if not max(errors) < _ENOUGH:
            raise WrongAnswerError(f"relative errors {errors} of output, input and weight gradients")
        return {"relative_errors": errors}

    def _answers(
        self,
        batch: Batch,
        x: Tensor,
        linear: torch.nn.Linear,
        given: Tensor,
        first: bool,
        dropout: Dropout | None,
    ) -> list[Tensor]:
        x = x.detach().requires_grad_()
        if dropout is None:
            made = _by_row(linear(x), batch, first)
        else:
            with Backend(self.device, "bf16").autocast():
                if first:
                    made = first_attention(x, linear, batch, _HEADS, dropout)
                else:
                    made = attention(linear(x), batch, _HEADS, dropout)
        gradients = torch.autograd.grad((made.to(given.dtype) * given).sum(), [x, linear.weight])
        return [made.detach(), *gradients]

    def dropout(self) -> Figures:
        """Dropout on the weights of attention: masks differ, and leave the mean as it is."""
        batch = make_batch(rows_of(_ROWS, 100), np.arange(_ROWS), self.device)
        qkv = torch.ones(len(batch.tokens), 3 * _HEADS * 32, device=self.device)
        layer = Dropout(0.1)
        seed_dropout(layer, np.random.SFC64(0))
        with Backend(self.device, "bf16").autocast():
            one, other = (attention(qkv.to(torch.bfloat16), batch, _HEADS, layer).float() for _ in range(2))
        mean = float(one.mean())
        if torch.equal(one, other) or not math.isclose(mean, 1.0, abs_tol=0.02):
            raise WrongAnswerError(f"masks are equal: {torch.equal(one, other)}; mean {mean}, not 1")
        return {"mean": mean}

    def capture(self) -> Figures:
        """Steps are captured; replays of one batch draw new masks with dropout, and agree without."""
        if self.device.type != "cuda":
            return {"left_out": "a CPU captures nothing"}
        found = {rate: self._replays(rate) for rate in (0.0, 0.1)}
        different = {rate: len(set(losses)) for rate, losses in found.items()}
        if different != {0.0: 1, 0.1: len(found[0.1])}:
            raise WrongAnswerError(f"losses of replays, by rate of dropout: {found}")
        return {"losses": found[0.1]}

    def compile(self) -> Figures:
        """A step with compiled layers has the loss of one without."""
        if self.device.type != "cuda":
            return {"left_out": "layers are compiled on CUDA alone"}
        losses = [float(self._trainer(0.0, compiled=way).step(np.arange(32))[0]) for way in (False, True)]
        if not math.isclose(*losses, abs_tol=0.02):
            raise WrongAnswerError(f"losses {losses}")
        return {"losses": losses}

    def waiting(self) -> Figures:
        """What a step waits for, by torch's own account."""
        if self.device.type != "cuda":
            return {"left_out": "a CPU is never waited for"}
        trainer = self._trainer(0.1, graphs=False)
        trainer.step(np.arange(32))
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            try:
                trainer.step(np.arange(32))
            finally:
                torch.cuda.set_sync_debug_mode("default")
        waits = [str(each.message) for each in heard if "prototype" not in str(each.message)]
        if waits:
            raise WrongAnswerError(f"a step waits: {waits}")
        return {"waits": 0}

    def _trainer(self, dropout: float, **settings: bool) -> Trainer:
        size = replace(self.scale.sizes["small"], dropout=dropout)
        recipe = Recipe(batch_size=32, learning_rate=1e-30, weight_decay=0.0)  # weights stay as they are
        backend, rows = Backend(self.device, "bf16", **settings), rows_of(64, 100)
        return Trainer(size, recipe, 0, backend, training=rows, vocabulary=100, classes=CLASSES)

    def _replays(self, dropout: float) -> list[float]:
        trainer = self._trainer(dropout, graphs=True)
        losses = [float(trainer.step(np.arange(32))[0]) for _ in range(8)]
        if trainer.graphs is None or not trainer.graphs.captured:
            raise WrongAnswerError("nothing was captured")
        return losses[-4:]


def _by_row(qkv: Tensor, batch: Batch, first: bool) -> Tensor:
    """Attention, a row at a time."""
    parts = qkv.view(len(qkv), 3, _HEADS, -1)
    found, begin = [], 0
    for length in batch.lengths.tolist():
        query, key, value = parts[begin : begin + length].unbind(1)
        query = query[:1] if first else query
        weights = torch.einsum("qhw,khw->hqk", query, key).div(math.sqrt(query.shape[-1])).softmax(-1)
        found.append(torch.einsum("hqk,khw->qhw", weights, value).flatten(1))
        begin += length
    return torch.cat(found)
