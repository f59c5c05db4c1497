"""CUDA graphs: a step's launches, captured once for each of a few batch sizes and then replayed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch, length_bound
from trimtab.data.layout import Layout, Padding
from trimtab.data.rows import Rows, pack

_WARM_UP = 8  # steps before the first capture; PyTorch's notes ask for 3 or more
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
    eager(layout): the same for batches that are not captured: those of another number of rows, the first few
    steps, and sizes beyond the first few.
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
        if self.steps > _WARM_UP and layout.shape[1] == self.batch_size:
            padded = self.padding.fill(layout)
            captured = self._find(padded[1])
            if captured is not None:
                self.layout.copy_(torch.from_numpy(padded).pin_memory(), non_blocking=True)
                captured.graph.replay()
                loss, right = captured.result
                return loss.clone(), right.clone()  # the next replay writes over the originals
        return self.eager(layout)

    def _find(self, lengths: NDArray[np.int64]) -> _Captured | None:
        """The captured step for a padded batch with these row lengths; None where it must run eagerly."""
        tokens = int(lengths.sum())
        key = (tokens, length_bound(lengths))
        if key not in self.captured and len(self.captured) < _MOST and tokens < self.tokens:
            self.captured[key] = self._capture(lengths)
        return self.captured.get(key)

    def _capture(self, lengths: NDArray[np.int64]) -> _Captured:
        """Capture a step without taking it. Captured steps share memory, as none needs what another left."""
        assert self.rows.values is not None
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            result = self.move([pack(self.rows.values, self.layout, lengths)], self.batch_size)
        return _Captured(graph, result)
