"""The measurements of a GPU; each returns its figures, and none depends on another."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from bench.gpu.rows import CLASSES, arithmetic, rows_of
from bench.gpu.scale import Scale
from bench.padded import PaddedClassifier, pad
from trimtab.data.masking import Masking
from trimtab.data.pairs import Pairs
from trimtab.data.rows import Rows
from trimtab.model.architecture import Architecture
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.memory import give_back, peak_bytes, reset_peak
from trimtab.training.pretraining import Pretrainer, PretrainingTask
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

_CHUNKS = 3  # of steps; a rate is their median
PADDED_TO = 128
Figures = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A device and a scale; each public method is one measurement, or one kind of measurement."""

    device: torch.device
    scale: Scale

    def matrix_rate(self) -> Figures:
        """FLOP/s of a bf16 matrix product of random numbers, alone."""
        side = self.scale.matrix
        one, other = (torch.randn(side, side, device=self.device, dtype=torch.bfloat16) for _ in range(2))
        result = torch.empty_like(one)
        seconds, _ = self._pace(lambda: torch.mm(one, other, out=result))
        return {"flops": 2 * side**3 / seconds, "side": side}

    def copy_rate(self) -> Figures:
        """Bytes per second, read and written, of a large copy on the device."""
        source = torch.randn(self.scale.matrix**2 * 8, device=self.device)
        target = torch.empty_like(source)
        seconds, _ = self._pace(lambda: target.copy_(source))
        return {"bytes_per_second": 2 * source.nbytes / seconds}

    def training(
        self,
        name: str,
        batch: int,
        length: int | None = None,
        precision: str = "bf16",
        streamed: bool = False,
        **settings: Any,
    ) -> Figures:
        """Rates and peak memory of training steps; ``settings`` are Backend's."""
        size, pairs = self.scale.sizes[name], self._pairs(name, length)
        backend = Backend(self.device, precision, **settings)
        began = time.perf_counter()
        trainer = self._trainer(size, pairs, backend, name, batch)
        if streamed:
            trainer.rows.values = None
        batches = self._batches(batch)
        reset_peak(self.device)
        warm = self._steps(trainer, [next(batches) for _ in range(self.scale.warm)])
        start = time.perf_counter() - began
        taken: list[NDArray[np.int64]] = []

        def step() -> None:
            taken.append(next(batches))
            trainer.step(taken[-1])

        seconds, spread = self._pace(step)
        lengths = pairs.tokens.lengths[np.concatenate(taken)]
        tokens = lengths.sum() / len(taken)
        return {
            "batch": batch,
            "size": str(size),
            "precision": precision,
            "examples_per_second": batch / seconds,
            "tokens_per_second": tokens / seconds,
            "milliseconds_per_step": 1e3 * seconds,
            "spread": spread,
            "flops": arithmetic(size, lengths) / len(taken) / seconds,
            "peak_bytes": peak_bytes(self.device),
            "captured_sizes": len(trainer.graphs.captured) if trainer.graphs else 0,
            "compiled": backend.compiles(size.parameters(self.scale.vocabulary[name], CLASSES)),
            "tokens_per_micro_batch": trainer.tokens,
            "seconds_until_warm": start,
            "last_warm_loss": warm[-1],
        }

    def padded(self, name: str) -> Figures:
        """torch's own encoder layers on rows padded to 128, which are on the device beforehand."""
        size = replace(self.scale.sizes[name], embedding_norm=False)
        pairs, batch = self._pairs(name), self.scale.batches[name][0]
        model = PaddedClassifier(size, self.scale.vocabulary[name], CLASSES).to(self.device)
        optimizer = torch.optim.Adam(model.parameters(), 1e-4, fused=True)
        batches = self._batches(batch)
        ready = [
            [each.to(self.device) for each in pad(pairs, next(batches), PADDED_TO)]
            for _ in range(min(8, self.scale.warm))
        ]
        turn = iter(range(1 << 40))

        def step() -> None:
            *inputs, labels = ready[next(turn) % len(ready)]
            optimizer.zero_grad()
            with torch.autocast(self.device.type, torch.bfloat16):
                loss = F.cross_entropy(model(*inputs).float(), labels)
            loss.backward()
            optimizer.step()

        return self._rate(step, batch)

    def pretraining(self, name: str) -> Figures:
        """Rates of pretraining steps, as they are by default."""
        size, batch = self.scale.sizes[name], self.scale.batches[name][0]
        pairs, vocabulary = self._pairs(name), self.scale.vocabulary[name]
        rows = Rows(replace(pairs, labels=pairs.labels % 2), self.device)
        task = PretrainingTask(size, vocabulary, Masking(2, np.arange(5, vocabulary)), PADDED_TO)
        recipe = Recipe(batch_size=batch, learning_rate=1e-5, schedule="constant", warmup=0)
        trainer = Pretrainer(task, recipe, 0, 1_000, Backend(self.device, "bf16"))
        batches, random = self._batches(batch), np.random.default_rng(0)

        def step() -> None:
            trainer.step(rows, next(batches), random)

        return self._rate(step, batch)

    def _rate(self, step: Callable[[], None], batch: int) -> Figures:
        """The rate of ``step`` once it is warm, and its memory."""
        for _ in range(self.scale.warm):
            step()
        reset_peak(self.device)
        seconds, spread = self._pace(step)
        figures = {"batch": batch, "examples_per_second": batch / seconds, "spread": spread}
        return figures | {"peak_bytes": peak_bytes(self.device)}

    def numerics(self, **settings: Any) -> Figures:
        """Logits and losses of some steps, in fp32 and bf16, against fp32 on the CPU; no dropout."""
        cpu, few = torch.device("cpu"), self.scale.few
        size = replace(self.scale.sizes["small"], dropout=0.0)
        pairs = rows_of(4 * few, self.scale.vocabulary["small"])
        expected = self._outcome(size, pairs, Backend(cpu, "fp32"))
        figures: Figures = {}
        for precision in ("fp32", "bf16"):
            logits, losses = self._outcome(size, pairs, Backend(self.device, precision, **settings))
            figures[precision] = {
                "relative_error_of_logits": float(
                    np.linalg.norm(logits - expected[0]) / np.linalg.norm(expected[0])
                ),
                "largest_error_of_loss": float(np.abs(np.subtract(losses, expected[1])).max()),
                "losses": [losses[0], losses[-1]],
            }
        return figures | {"cpu_losses": [expected[1][0], expected[1][-1]]}

    def repeats(self, **settings: Any) -> Figures:
        """Whether the same seed gives the same weights to the bit, with dropout."""
        size, pairs = self.scale.sizes["small"], rows_of(16 * self.scale.few, self.scale.vocabulary["small"])
        made = []
        for _ in range(2):
            backend = Backend(self.device, "bf16", **settings)
            trainer = self._trainer(size, pairs, backend, "small", self.scale.few)
            self._steps(trainer, list(np.arange(len(pairs)).reshape(-1, self.scale.few)))
            made.append(torch.cat([p.detach().flatten() for p in trainer.model.parameters()]).cpu())
        return {"same_bits": torch.equal(*made), "largest_difference": float((made[0] - made[1]).abs().max())}

    def _outcome(
        self, size: Architecture, pairs: Pairs, backend: Backend
    ) -> tuple[NDArray[np.float32], list[float]]:
        few = self.scale.few
        trainer = self._trainer(size, pairs, backend, "small", few)
        logits = predict(trainer.model, pairs, backend)
        trainer.model.train()
        return logits, self._steps(trainer, list(np.arange(len(pairs)).reshape(-1, few)) * 3)

    def _trainer(self, size: Architecture, pairs: Pairs, backend: Backend, name: str, batch: int) -> Trainer:
        vocabulary = self.scale.vocabulary[name]
        recipe = Recipe(batch_size=batch, optimizer="adam", learning_rate=1e-5, schedule="constant", warmup=0)
        give_back()
        return Trainer(size, recipe, 0, backend, vocabulary=vocabulary, classes=CLASSES, training=pairs)

    def _steps(self, trainer: Trainer, batches: list[NDArray[np.int64]]) -> list[float]:
        """The losses of steps on ``batches``."""
        return torch.stack([trainer.step(index)[0] for index in batches]).tolist()

    def _pairs(self, name: str, length: int | None = None) -> Pairs:
        return rows_of(self.scale.rows, self.scale.vocabulary[name], length)

    def _batches(self, batch: int) -> Any:
        """Random batches without end: passes over all rows, each without its incomplete last batch."""
        random = np.random.default_rng(0)
        order, start = random.permutation(self.scale.rows), 0
        while True:
            if start + batch > len(order):
                order, start = random.permutation(self.scale.rows), 0
            yield order[start : start + batch]
            start += batch

    def _pace(self, step: Callable[[], object]) -> tuple[float, float]:
        """Seconds per call of ``step``, the median over chunks, and the range of these as a share of it."""
        times: list[float] = []
        number = 1
        while len(times) < _CHUNKS:
            self._wait()
            began = time.perf_counter()
            for _ in range(number):
                step()
            self._wait()
            seconds = time.perf_counter() - began
            if seconds < self.scale.seconds and not times:
                number = max(number + 1, round(1.2 * number * self.scale.seconds / max(seconds, 1e-6)))
                number = min(number, 1_000_000)
            else:
                times.append(seconds / number)
        median = statistics.median(times)
        return median, (max(times) - min(times)) / median

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
