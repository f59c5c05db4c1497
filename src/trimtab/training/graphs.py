"""CUDA graphs: the launches of a step, captured once for each of a few sizes of batch and then replayed."""

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

Outcome = tuple[Tensor, Tensor]


class _Captured(NamedTuple):
    """A step's launches, and where they leave its loss and count."""

    graph: torch.cuda.CUDAGraph
    outcome: Outcome


class Graphs:
    """Takes steps on ``rows`` by replaying what ``move`` launched.

    move: gradients and optimiser of a batch in parts, of which so many rows count; returns its loss and
    count. It must not wait for the device, and its launches may depend on the numbers of rows and tokens and
    on the bound on lengths alone, and it may draw from the device's default generator alone.
    tokens: batches of so many and more are not captured.
    A batch of another number of rows, the first few, and those of sizes beyond the first few, run eagerly:
    eager: the same of a layout.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        tokens: int,
        move: Callable[[list[Batch], int], Outcome],
        eager: Callable[[Layout], Outcome],
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

    def step(self, layout: Layout) -> Outcome:
        """One step on the batch of ``layout`` (4, rows): its loss and count, 0-dim on the device.

        All of it on one side stream, eager steps too, so that capture finds there what they set up.
        """
        device = self.rows.device
        self.stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(self.stream):
            outcome = self._step(layout)
        torch.cuda.current_stream(device).wait_stream(self.stream)
        return outcome

    def _step(self, layout: Layout) -> Outcome:
        self.steps += 1
        if self.steps > _WARM_UP and layout.shape[1] == self.batch_size:
            padded = self.padding.fill(layout)
            captured = self._find(padded[1])
            if captured is not None:
                self.layout.copy_(torch.from_numpy(padded).pin_memory(), non_blocking=True)
                captured.graph.replay()
                loss, right = captured.outcome
                return loss.clone(), right.clone()  # the next replay writes over the originals
        return self.eager(layout)

    def _find(self, lengths: NDArray[np.int64]) -> _Captured | None:
        """The captured step of a padded batch with rows of these lengths; None where there is to be none."""
        tokens = int(lengths.sum())
        key = (tokens, length_bound(lengths))
        if key not in self.captured and len(self.captured) < _MOST and tokens < self.tokens:
            self.captured[key] = self._capture(lengths)
        return self.captured.get(key)

    def _capture(self, lengths: NDArray[np.int64]) -> _Captured:
        """Record a step without taking it. Memory is shared: no step needs what another left there."""
        assert self.rows.values is not None
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            outcome = self.move([pack(self.rows.values, self.layout, lengths)], self.batch_size)
        return _Captured(graph, outcome)
