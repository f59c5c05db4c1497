"""The two matrices with a row for each word, whose gradients are added in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from trimtab.training.token_table import add_rows

# Rows of logits that are held at a time: so few that memory stays small, and enough for a quick product.
_ROWS = {"cpu": 768, "cuda": 8_192}

_LEAST = torch.finfo(torch.float32).tiny


class TokenTable(nn.Module):
    """A token table in training: ``weight.grad``, which must be there, takes the gradient in place.

    autograd would make a gradient of the table's size for every part of a batch, and then add it.
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


@dataclass(frozen=True, eq=False)
class Outcome:
    """Of N predictions: losses (N,) in nats, at most 87 each, which is what fp32 can tell from a share of 0.

    gradient: with regard to the representations, (N, hidden), where it was wanted; right: (N,), whether no
    word was likelier (the first of those that are alike), where it was not wanted, as going over all logits
    again would slow training down.
    """

    losses: Tensor
    gradient: Tensor | None = None
    right: Tensor | None = None

    def first(self, number: int) -> "Outcome":
        """Of the first predictions alone; the gradient as it is."""
        right = None if self.right is None else self.right[:number]
        return Outcome(self.losses[:number], self.gradient, right)


class OutputLayer:
    """The last matrix of the masked-word head with its cross-entropy, forward and backward in one go.

    The logits, a number for each word, are by far the largest thing in a step. So they are made some rows at
    a time, softmax(logits) - onehot(label), their gradient, at once after them, and both products with it.
    ``linear``: hidden -> vocabulary. bf16: whether the products are in that precision; sums stay in fp32.
    """

    def __init__(self, linear: nn.Linear, bf16: bool) -> None:
        self.linear, self.dtype = linear, torch.bfloat16 if bf16 else torch.float32
        self.rows = _ROWS[linear.weight.device.type]
        shape = (2, self.rows, linear.out_features)
        self.logits, self.shares = torch.empty(shape, dtype=self.dtype, device=linear.weight.device)
        self.start()

    def start(self) -> None:
        """Begin a step: the weights may have moved."""
        self.weight = self.linear.weight.detach().to(self.dtype)
        self.bias = self.linear.bias.detach().to(self.dtype)

    @torch.no_grad()
    def __call__(self, x: Tensor, labels: Tensor, scale: Tensor | None) -> Outcome:
        """Predict ``labels`` (N,) from representations x (N, hidden).

        scale: (N,), of each loss in what is minimised; the gradients of weight and bias, which must be there,
        are added to. None: no gradient is wanted.
        """
        with torch.autocast(x.device.type, enabled=False):
            found = [
                self._some(x[place], labels[place], None if scale is None else scale[place])
                for place in _slices(len(x), self.rows)
            ]
        losses, right, gradients = zip(*found, strict=True)
        if scale is None:
            return Outcome(torch.cat(losses), right=torch.cat(right))
        return Outcome(torch.cat(losses), gradient=torch.cat(gradients).to(x.dtype))

    def _some(
        self, x: Tensor, labels: Tensor, scale: Tensor | None
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        logits, shares = self.logits[: len(x)], self.shares[: len(x)]
        torch.addmm(self.bias, x.to(self.dtype), self.weight.t(), out=logits)
        torch.ops.aten._softmax.out(logits, 1, False, out=shares)
        place = torch.arange(len(x), device=x.device), labels
        losses = -shares[place].float().clamp_min(_LEAST).log()
        if scale is None:
            return losses, logits.argmax(1) == labels, None
        shares[place] -= 1
        self._add_gradient((x * scale[:, None]).to(self.dtype), shares, scale.to(self.dtype))
        return losses, None, torch.mm(shares, self.weight).float().mul_(scale[:, None])

    def _add_gradient(self, x: Tensor, shares: Tensor, scale: Tensor) -> None:
        weight, bias = self.linear.weight.grad, self.linear.bias.grad
        assert weight is not None
        assert bias is not None
        if self.dtype == weight.dtype:
            weight.addmm_(shares.t(), x)
        else:
            weight.add_(torch.mm(shares.t(), x))
        bias.add_(torch.mm(scale[None], shares)[0])


def _slices(rows: int, at_most: int) -> Iterator[slice]:
    return (slice(start, start + at_most) for start in range(0, max(1, rows), at_most))
