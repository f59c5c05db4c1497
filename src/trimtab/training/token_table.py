"""The token table in training: only the rows that the data has, and a gradient that is added in place."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from trimtab.data.pairs import Pairs

_PIECE = 1 << 20  # tokens looked at together, so that memory stays flat


class CompactTable(nn.Module):
    """Stands in for a token table in training; its parameter ``weight`` holds only the rows in use.

    A row that no training text has gets no gradient: Adam leaves it as it is, and AdamW shrinks it by a
    known factor a step. So training these rows alone gives the same table, and neither gradients nor
    optimiser go over the others. In evaluation the whole table is looked up; it is brought up to date
    whenever the module is set to evaluate. A table that is frozen stays so: no gradient is kept for it.
    """

    def __init__(self, table: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        self._table = [table]  # in a list: its weight is no parameter of this module
        self.rows = used.nonzero().flatten().to(table.weight.device)
        self.places = (used.cumsum(0) - 1).to(table.weight.device)
        rows = table.weight.detach()[self.rows].clone()
        self.weight = nn.Parameter(rows, requires_grad=table.weight.requires_grad)
        self._shrinking = 1.0

    @property
    def whole(self) -> nn.Embedding:
        """The table that this one stands in for, as of the last time that training paused."""
        return self._table[0]

    def forward(self, tokens: Tensor) -> Tensor:
        """(T,) int64 -> (T, hidden). In training every token must be one of the rows in use."""
        return F.embedding(self.places[tokens], self.weight) if self.training else self.whole(tokens)

    def look_up(self, tokens: Tensor) -> Tensor:
        """The same in training, as a leaf; ``add_gradient`` takes its gradient."""
        found = F.embedding(self.places[tokens], self.weight.detach())
        return found.requires_grad_(self.weight.requires_grad)

    def start(self) -> None:
        """Begin a step: the gradient is zero."""
        if self.weight.requires_grad:
            self.weight.grad = torch.zeros_like(self.weight)

    def add_gradient(self, tokens: Tensor, gradient: Tensor | None) -> None:
        """Add the gradient (T, hidden) of what was looked up for ``tokens`` to that of the table.

        autograd would make a gradient of the table's size for every part of a batch, and then add it.
        """
        if not self.weight.requires_grad:
            return
        assert self.weight.grad is not None
        assert gradient is not None
        add_rows(self.weight.grad, self.places[tokens], gradient)

    def shrink(self, factor: float) -> None:
        """Remember that weight decay multiplied the rows that are not here by ``factor``."""
        self._shrinking *= factor

    def train(self, mode: bool = True) -> "CompactTable":
        """As every module's; on the way to evaluation the whole table is brought up to date."""
        if self.training and not mode:
            with torch.no_grad():
                if self._shrinking != 1.0:
                    self.whole.weight.mul_(self._shrinking)
                self.whole.weight[self.rows] = self.weight
            self._shrinking = 1.0
        return super().train(mode)


def add_rows(total: Tensor, places: Tensor, rows: Tensor) -> None:
    """Add ``rows`` (T, hidden) to those of ``total`` at ``places`` (T,), in place and in a fixed order."""
    if total.is_cuda:  # there index_add_ adds in any order, so its last bit would vary
        total += torch.ops.aten.embedding_dense_backward(rows, places, len(total), -1, False)
    else:
        total.index_add_(0, places, rows)


def used_rows(pairs: Pairs, vocabulary: int) -> Tensor:
    """Which ids the inputs hold, (vocabulary,) bool."""
    used = np.zeros(vocabulary, bool)
    values = pairs.tokens.values
    for start in range(0, len(values), _PIECE):
        used[values[start : start + _PIECE]] = True
    return torch.from_numpy(used)
