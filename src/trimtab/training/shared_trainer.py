"""A trainer that is one of several, each in a process of its own, which share every batch.

The sum of their gradients is that of the whole batch, so that all take the same step and keep the same
weights. torch's DistributedDataParallel does this in hooks of autograd. Here a step has several backward
passes, some of them on replicas in threads, and the token table's gradient is added by hand, so the gradients
are summed once, when they are complete, by the same collective.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch
from trimtab.data.layout import Layout, split
from trimtab.model.building import AnyClassifier
from trimtab.model.dropout import seed_dropout
from trimtab.model.initialise import seed_of
from trimtab.model.mask_share import MaskShare
from trimtab.training.ranks import Ranks
from trimtab.training.state import State
from trimtab.training.trainer import Trainer


class SharedTrainer(Trainer):
    """See ``Trainer``. Batches are split by tokens: consecutive rows, by length, go to each process.

    On a CPU in fp32 the masks of dropout are those of one process, so that losses and weights are equal to
    one process's up to rounding. Otherwise (windows, bf16, where each process pads its part, and GPUs, which
    draw masks themselves) each process has masks of its own. Steps are never captured as CUDA graphs.
    """

    def __init__(self, ranks: Ranks, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if not self.is_packed:
            raise ValueError("a model that transformers computes is trained by one process")
        self.ranks, self.graphs = ranks, None
        self.trained = [each for each in self.model.parameters() if each.requires_grad]
        numbers = sum(each.numel() for each in self.trained)
        self.sums = torch.empty(numbers + 2, device=self.backend.device)  # and loss, and right answers
        self.own: list[tuple[int, MaskShare | None]] = []  # of the parts that are computed here
        self.parts = 0  # of the whole batch
        self.drawn: dict[int, _Counted] = {}
        self._draw_masks_of_its_own(0)

    @property
    def _shares_masks(self) -> bool:
        # A share of the masks is counted in rows, and rows of windows have several inputs each.
        whole_rows = self.training.windows is None
        return self.backend.device.type == "cpu" and self.padding is None and whole_rows

    def _draw_masks_of_its_own(self, steps: int) -> None:
        """On a GPU, where each process draws from its device's generator."""
        if self.backend.device.type == "cuda":
            with torch.cuda.device(self.backend.device):
                torch.cuda.manual_seed(seed_of(self.masks.seed, f"dropout {self.ranks.rank} after {steps}"))

    def restore(self, state: State) -> None:
        """As in ``Trainer``."""
        super().restore(state)
        self._draw_masks_of_its_own(self.schedule.taken)

    def _eager(self, layout: Layout) -> tuple[Tensor, Tensor]:
        rank, count = self.ranks.rank, self.ranks.count
        tokens = self.tokens
        if not self._shares_masks:  # as many parts for each process, of about as many tokens
            total = int(layout[1].sum())
            tokens = -(-total // (count * -(-total // (count * tokens))))
        parts = split(layout, tokens, self.recipe.micro_batch)
        self.parts, self.own, made = len(parts), [], []
        if self._shares_masks:
            for number, first, end in rows_of(rank, count, [part[1] for part in parts]):
                part = parts[number]
                whole = first == 0 and end == part.shape[1]
                self.own.append((number, None if whole else MaskShare(part[1], first, end)))
                made.append(self.rows.make(np.ascontiguousarray(part[:, first:end])))
        else:
            sizes = np.array([part[1].sum() for part in parts])
            for _, first, end in rows_of(rank, count, [sizes]):
                self.own = [(number, None) for number in range(first, end)]
                filled = (self.padding.fill(parts[n]) if self.padding else parts[n] for n, _ in self.own)
                made = [self.rows.make(part) for part in filled]
        return self.move(made, layout.shape[1])

    def _seed(self, model: AnyClassifier, number: int) -> None:
        part, share = self.own[number]
        self.drawn[part] = words = _Counted(self.masks[part])
        seed_dropout(model, words, share)

    def _backward(self, parts: list[Batch], rows: int) -> tuple[Tensor, Tensor]:
        self.drawn = {}
        loss, right = torch.zeros(2, device=self.backend.device)
        if parts:
            loss, right = super()._backward(parts, rows)
        self._agree()
        self.sums[-2], self.sums[-1] = loss, right
        self.ranks.add(self.sums)
        return self.sums[-2].clone(), self.sums[-1].clone()

    def _agree(self) -> None:
        """Draw the words that others drew of parts that were not computed here; collect the gradients."""
        words = [self.drawn[part].number if part in self.drawn else 0 for part in range(self.parts)]
        has = [int(each.grad is not None) for each in self.trained]
        agreed = self.ranks.agreed([*words, *has])
        for part, (ours, theirs) in enumerate(zip(words, agreed[: self.parts], strict=True)):
            if theirs > ours:
                self.masks[part].random_raw(theirs - ours, output=False)
        place = 0
        for each, wanted in zip(self.trained, agreed[self.parts :], strict=True):
            room = self.sums[place : place + each.numel()].view_as(each)
            place += each.numel()
            room.zero_() if each.grad is None else room.copy_(each.grad)
            each.grad = room if wanted else None  # what has no gradient in one process has none here


class _Counted:
    """A generator of random words that counts them."""

    def __init__(self, generator: np.random.SFC64) -> None:
        self.generator, self.number = generator, 0

    def random_raw(self, size: int) -> NDArray[np.uint64]:
        """The next ``size`` words."""
        self.number += size
        words: NDArray[np.uint64] = self.generator.random_raw(size)
        return words


def rows_of(rank: int, count: int, parts: list[NDArray[np.int64]]) -> list[tuple[int, int, int]]:
    """The rows of a batch that a process computes: number of the part, first row, and the row after the last.

    parts: the lengths of each part's rows, shortest first. Each of ``count`` processes has consecutive rows,
    of about as many tokens; none, where rows are few.
    """
    lengths = np.concatenate(parts)
    ends = np.cumsum(lengths)
    owner = (2 * ends - lengths) * count // (2 * ends[-1])  # by the middle of each row
    first, end = np.searchsorted(owner, [rank, rank + 1])
    found, start = [], 0
    for number, part in enumerate(parts):
        stop = start + len(part)
        if max(first, start) < min(end, stop):
            found.append((number, int(max(first, start)) - start, int(min(end, stop)) - start))
        start = stop
    return found
