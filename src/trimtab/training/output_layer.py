"""The output layer of the masked-word head with its cross-entropy, whose gradients are added in place."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# Rows of logits that are held at a time: few enough to save memory, enough for a fast product.
_ROWS = {"cpu": 768, "cuda": 8_192}

_LEAST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True, eq=False)
class WordLosses:
    """Losses of N predicted words, (N,) in nats; at most 87 each, as smaller probabilities are 0 in fp32.

    gradient: with respect to the representations, (N, hidden), in training. right: (N,), whether the word
    was the likeliest (ties go to the first), in evaluation only, as another pass over the logits would slow
    training down.
    """

    losses: Tensor
    gradient: Tensor | None = None
    right: Tensor | None = None

    def first(self, number: int) -> "WordLosses":
        """The first ``number`` predictions; the gradient is left whole."""
        right = None if self.right is None else self.right[:number]
        return WordLosses(self.losses[:number], self.gradient, right)


class OutputLayer:
    """The output layer of the masked-word head and its cross-entropy, forward and backward in one call.

    The logits, (N, vocabulary), are by far the largest tensor of a step. So they are computed some rows at a
    time, each time followed by their gradient, softmax(logits) - onehot(label), and its two products.
    ``linear``: hidden -> vocabulary. bf16: whether products are in bf16; sums stay in fp32.
    """

    def __init__(self, linear: nn.Linear, bf16: bool) -> None:
        self.linear, self.dtype = linear, torch.bfloat16 if bf16 else torch.float32
        self.rows = _ROWS[linear.weight.device.type]
        shape = (2, self.rows, linear.out_features)
        self.logits, self.shares = torch.empty(shape, dtype=self.dtype, device=linear.weight.device)
        self.start()

    def start(self) -> None:
        """Begin a step: read the weights again, which the optimiser may have changed."""
        self.weight = self.linear.weight.detach().to(self.dtype)
        self.bias = self.linear.bias.detach().to(self.dtype)

    @torch.no_grad()
    def __call__(self, x: Tensor, labels: Tensor, scale: Tensor | None) -> WordLosses:
        """Predict ``labels`` (N,) from representations x (N, hidden).

        scale: (N,), the factor of each loss in the total loss; the gradients of weight and bias, which must
        exist, are added to. None: evaluation, without gradients.
        """
        with torch.autocast(x.device.type, enabled=False):
            found = [
                self._some(x[place], labels[place], None if scale is None else scale[place])
                for place in _slices(len(x), self.rows)
            ]
        losses, right, gradients = zip(*found, strict=True)
        if scale is None:
            return WordLosses(torch.cat(losses), right=torch.cat(right))
        return WordLosses(torch.cat(losses), gradient=torch.cat(gradients).to(x.dtype))

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
