"""CUDA graphs: the launches of a step, captured once for each of a few sizes of batch and then replayed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch, length_bound
from trimtab.data.rows import Rows, pack, sorted_by_length

IGNORED = -100  # the label that cross_entropy passes over, and that no prediction equals
_SIZES = 32  # a size of batch is this part of a usual one larger than the last: half of that is padding
_LEAST_STEP = 64  # tokens
_WARM_UP = 8  # steps before the first capture; PyTorch's notes ask for 3 or more
_MOST = 8  # captured sizes

Outcome = tuple[Tensor, Tensor]


class Padding:
    """Brings batches of ``batch_size`` rows of ``rows`` to one of a few numbers of tokens.

    Some rows are added, always as many (``spare``), none longer than the longest of the data, whose tokens
    they repeat: a label that the loss ignores makes them count for nothing.
    """

    def __init__(self, rows: Rows, batch_size: int) -> None:
        lengths = rows.pairs.tokens.lengths
        longest = int(lengths.argmax())
        self.start, self.longest = int(rows.pairs.tokens.offsets[longest]), int(lengths[longest])
        usual = batch_size * float(lengths.mean())
        self.step = max(_LEAST_STEP, round(usual / _SIZES / _LEAST_STEP) * _LEAST_STEP)
        self.spare = -(-(self.step - 1) // max(1, self.longest - 1))

    def fill(self, layout: NDArray[np.int64]) -> NDArray[np.int64]:
        """``layout`` (4, rows) of a batch with the rows added: (4, rows + spare), sorted by length."""
        tokens = int(layout[1].sum())
        missing = -(-(tokens + self.spare) // self.step) * self.step - tokens
        added = np.empty((4, self.spare), np.int64)
        added[0] = self.start
        added[1] = missing // self.spare + (np.arange(self.spare) < missing % self.spare)
        added[2] = added[1]
        added[3] = IGNORED
        return sorted_by_length(np.concatenate([layout, added], 1))


class _Captured(NamedTuple):
    """A step's launches, and where they leave its loss and count."""

    graph: torch.cuda.CUDAGraph
    outcome: Outcome


class Graphs:
    """Takes steps on ``rows`` by replaying what ``move`` launched.

    move: gradients and optimiser of a batch, of which so many rows count; returns its loss and count. It
    must not wait for the device, and its launches may depend on the numbers of rows and tokens and on the
    bound on lengths alone. generators: all that it draws from, beside the device's default one.
    tokens: batches of so many and more are not captured.
    A batch of another number of rows, the first few, and those of sizes beyond the first few, run eagerly.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        tokens: int,
        move: Callable[[Batch, int], Outcome],
        generators: list[torch.Generator],
    ) -> None:
        self.rows, self.batch_size, self.tokens, self.move = rows, batch_size, tokens, move
        self.generators = generators
        self.padding = Padding(rows, batch_size)
        self.stream = torch.cuda.Stream(rows.device)
        self.pool = torch.cuda.graph_pool_handle()
        width = batch_size + self.padding.spare
        self.layout = torch.zeros((4, width), dtype=torch.int64, device=rows.device)
        self.captured: dict[tuple[int, int], _Captured] = {}
        self.steps = 0

    def step(self, layout: NDArray[np.int64]) -> Outcome:
        """One step on the batch of ``layout`` (4, rows): its loss and count, 0-dim on the device.

        All of it on one side stream, eager steps too, so that capture finds there what they set up.
        """
        device = self.rows.device
        self.stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(self.stream):
            outcome = self._step(layout)
        torch.cuda.current_stream(device).wait_stream(self.stream)
        return outcome

    def _step(self, layout: NDArray[np.int64]) -> Outcome:
        self.steps += 1
        if self.steps > _WARM_UP and layout.shape[1] == self.batch_size:
            padded = self.padding.fill(layout)
            captured = self._find(padded[1])
            if captured is not None:
                self.layout.copy_(torch.from_numpy(padded).pin_memory(), non_blocking=True)
                captured.graph.replay()
                loss, right = captured.outcome
                return loss.clone(), right.clone()  # the next replay writes over the originals
        return self.move(self.rows.make(layout), layout.shape[1])

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
        for generator in self.generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph, pool=self.pool, stream=self.stream):
            outcome = self.move(pack(self.rows.values, self.layout, lengths), self.batch_size)
        return _Captured(graph, outcome)
