"""Token tables in training, whose gradients are added in place: the rows in use alone, or the whole table."""

from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from trimtab.data.pairs import Pairs
from trimtab.model.building import AnyClassifier
from trimtab.model.classifier import Classifier
from trimtab.training.state import State

_PIECE = 1 << 20  # tokens read at a time, to bound memory


class CompactTable(nn.Module):
    """Replaces a token table in training; its parameter ``weight`` holds only the rows in use.

    A row whose token is in no training text gets no gradient: Adam leaves it unchanged, and AdamW shrinks it
    by a known factor per step. So training the other rows gives the same table for less work. Evaluation
    uses the whole table, which is updated whenever the module is set to evaluation mode. A frozen table
    stays frozen.

    Threads compute parts of a batch with this table at the same time. So ``look_up`` gives a leaf, and its
    gradient is added by ``add_gradient`` in the order of the parts.
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
        """The table that this one replaces, as of the last evaluation."""
        return self._table[0]

    def forward(self, tokens: Tensor) -> Tensor:
        """(T,) int64 -> (T, hidden). In training, every token must be in use."""
        return F.embedding(self.places[tokens], self.weight) if self.training else self.whole(tokens)

    def look_up(self, tokens: Tensor) -> Tensor:
        """The same in training, as a leaf, whose gradient goes to ``add_gradient``."""
        found = F.embedding(self.places[tokens], self.weight.detach())
        return found.requires_grad_(self.weight.requires_grad)

    def start(self) -> None:
        """Begin a step: set the gradient to zero."""
        if self.weight.requires_grad:
            self.weight.grad = torch.zeros_like(self.weight)

    def add_gradient(self, tokens: Tensor, gradient: Tensor | None) -> None:
        """Add the gradient (T, hidden) of the embeddings of ``tokens`` to the table's."""
        if not self.weight.requires_grad:
            return
        assert self.weight.grad is not None
        assert gradient is not None
        add_rows(self.weight.grad, self.places[tokens], gradient)

    def shrink(self, factor: float) -> None:
        """Note that weight decay multiplies the rows that are not in use by ``factor``."""
        self._shrinking *= factor

    def train(self, mode: bool = True) -> "CompactTable":
        """As in ``nn.Module``; switching to evaluation updates the whole table."""
        if self.training and not mode:
            with torch.no_grad():
                if self._shrinking != 1.0:
                    self.whole.weight.mul_(self._shrinking)
                self.whole.weight[self.rows] = self.weight
            self._shrinking = 1.0
        return super().train(mode)

    def state(self) -> State:
        """What ``state_dict`` of the model does not hold: the whole table, and how far it lags behind."""
        return {"whole": self.whole.weight.detach(), "shrinking": self._shrinking}

    def restore(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        with torch.no_grad():
            self.whole.weight.copy_(state["whole"])
        self._shrinking = state["shrinking"]

    def put_back(self, model: AnyClassifier) -> None:
        """Give ``model``, which this table was put into, its whole table again."""
        assert isinstance(model, Classifier)
        model.encoder.embeddings.token = self.train(False).whole


class OwnTable(nn.Module):
    """Stands for the table of a padded classifier, which looks its tokens up inside transformers.

    It has the methods of ``CompactTable``, and nothing to do: ``look_up`` gives the tokens themselves.
    """

    weight: None = None

    def look_up(self, tokens: Tensor) -> Tensor:
        """``tokens`` (T,) int64."""
        return tokens

    def start(self) -> None:
        """Nothing: a step begins without gradients."""

    def add_gradient(self, tokens: Tensor, gradient: Tensor | None) -> None:
        """Nothing: autograd has added it."""

    def shrink(self, factor: float) -> None:
        """Nothing: the optimiser shrinks every row."""

    def state(self) -> State:
        """Nothing: the model's state is all of it."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing, as well."""

    def put_back(self, model: AnyClassifier) -> None:
        """Nothing: the model has kept its table."""


def table_of(model: AnyClassifier, training: Pairs, vocabulary: int) -> CompactTable | OwnTable:
    """The token table with which ``model`` is trained on ``training``, put into a packed one."""
    if not isinstance(model, Classifier):
        return OwnTable()
    embeddings = model.encoder.embeddings
    table = CompactTable(cast(nn.Embedding, embeddings.token), used_rows(training, vocabulary))
    embeddings.token = table
    return table


class TokenTable(nn.Module):
    """The whole token table in training: ``weight.grad``, which must exist, is added to in place.

    autograd would allocate a gradient of the table's size for every part of a batch, and then add it.
    """

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.weight = table.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """(T,) int64 -> (T, hidden)."""
        found: Tensor = _LookUp.apply(tokens, self.weight)
        return found


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: Tensor, weight: Tensor) -> Tensor:
        ctx.tokens, ctx.weight = tokens, weight
        return F.embedding(tokens, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, None]:
        add_rows(ctx.weight.grad, ctx.tokens, gradient)
        return None, None


def add_rows(total: Tensor, places: Tensor, rows: Tensor) -> None:
    """Add ``rows`` (T, hidden) to those of ``total`` at ``places`` (T,), in place and in a fixed order."""
    if total.is_cuda:  # whose index_add_ adds in any order, so the last bit would vary
        total += torch.ops.aten.embedding_dense_backward(rows, places, len(total), -1, False)
    else:
        total.index_add_(0, places, rows)


def used_rows(pairs: Pairs, vocabulary: int) -> Tensor:
    """Which token ids occur in the inputs, (vocabulary,) bool."""
    used = np.zeros(vocabulary, bool)
    values = pairs.tokens.values
    for start in range(0, len(values), _PIECE):
        used[values[start : start + _PIECE]] = True
    return torch.from_numpy(used)
