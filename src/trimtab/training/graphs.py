"""CUDA graphs: a step's launches, captured once for each of a few batch sizes and then replayed."""

import gc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch, length_bound
from trimtab.data.layout import Layout, Padding
from trimtab.data.rows import Rows, pack
from trimtab.training.device_errors import CaptureError

_WARM_UP = 3  # steps before the first capture, as PyTorch's notes ask for
_MOST = 8  # captured sizes

LossAndRight = tuple[Tensor, Tensor]


class _Captured(NamedTuple):
    """A captured step, and the tensors that hold its loss and number of right answers."""

    graph: torch.cuda.CUDAGraph
    result: LossAndRight


class Graphs:
    """Takes steps on ``rows`` by replaying the launches of ``move``.

    move(parts, rows): gradients and optimiser step of a batch in parts, of which ``rows`` rows are real;
    returns its loss and number of right answers. It must not wait for the device. Its launches may depend
    only on the numbers of rows and tokens and on the bound on lengths, and it may draw random numbers only
    from the device's default generator.
    tokens: batches with this many tokens or more are not captured.
    eager(layout): the same for batches that are not captured: those of another number of rows, and sizes
    beyond the first few.
    Each size is met once before it is captured, in an ordinary step: libraries load and tune what they need
    for a size when they first see it, which a capture may forbid.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        tokens: int,
        move: Callable[[list[Batch], int], LossAndRight],
        eager: Callable[[Layout], LossAndRight],
    ) -> None:
        self.rows, self.batch_size, self.tokens = rows, batch_size, tokens
        self.move, self.eager = move, eager
        self.padding = Padding(rows.pairs, batch_size * float(rows.pairs.tokens.lengths.mean()))
        self.stream = torch.cuda.Stream(rows.device)
        self.pool = torch.cuda.graph_pool_handle()
        width = batch_size + self.padding.spare
        self.layout = torch.zeros((4, width), dtype=torch.int64, device=rows.device)
        self.captured: dict[tuple[int, int], _Captured] = {}
        self.met: set[tuple[int, int]] = set()
        self.steps = 0

    def step(self, layout: Layout) -> LossAndRight:
        """One step on the batch of ``layout`` (4, rows): its loss and right answers, 0-dim on the device.

        Eager steps run on the same side stream, so that capture finds what they set up there.
        """
        device = self.rows.device
        self.stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(self.stream):
            result = self._step(layout)
        torch.cuda.current_stream(device).wait_stream(self.stream)
        return result

    def _step(self, layout: Layout) -> LossAndRight:
        self.steps += 1
        if layout.shape[1] != self.batch_size:
            return self.eager(layout)
        padded = self.padding.fill(layout)
        lengths = padded[1]
        tokens = int(lengths.sum())
        size = tokens, length_bound(lengths)
        if tokens >= self.tokens or (size not in self.captured and len(self.captured) == _MOST):
            return self.eager(layout)
        self.layout.copy_(torch.from_numpy(padded).pin_memory(), non_blocking=True)
        if size not in self.met or self.steps <= _WARM_UP:
            self.met.add(size)
            return self._move(lengths)
        if size not in self.captured:
            self.captured[size] = self._capture(lengths)
        self.captured[size].graph.replay()
        loss, right = self.captured[size].result
        return loss.clone(), right.clone()  # the next replay writes over the originals

    def _move(self, lengths: NDArray[np.int64]) -> LossAndRight:
        """The step on the padded batch whose layout is on the device."""
        assert self.rows.values is not None
        return self.move([pack(self.rows.values, self.layout, lengths)], self.batch_size)

    def _capture(self, lengths: NDArray[np.int64]) -> _Captured:
        """Capture a step without taking it. Captured steps share memory, as none needs what another left.

        Raises CaptureError where CUDA refuses it.
        """
        graph = torch.cuda.CUDAGraph()
        gc.collect()
        collecting = gc.isenabled()
        gc.disable()  # memory of the device that is freed during a capture may end it
        try:
            with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
                result = self._move(lengths)
        except RuntimeError as error:
            raise CaptureError("a training step cannot be captured as a CUDA graph") from error
        finally:
            if collecting:
                gc.enable()
        return _Captured(graph, result)
