"""Optimiser and learning-rate schedule of a recipe."""

from typing import Any

import torch
from torch import Tensor, nn

from trimtab.training.layer_depth import rate_factors
from trimtab.training.recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam, or AdamW with weight decay on matrices and embeddings only; fused, which is one pass over memory.

    Parameters that are not frozen, in one group for each learning rate and decay. On CUDA its step can be
    captured: learning rates are tensors there, which ``Schedule`` fills.
    """
    cuda = next(model.parameters()).device.type == "cuda"
    make = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    return make(_groups(model, recipe), lr=recipe.learning_rate, fused=True, capturable=cuda)


def _groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    factors, decay = rate_factors(model, recipe.layer_decay), recipe.weight_decay
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            decays = recipe.optimizer == "adamw" and parameter.dim() > 1
            found.setdefault((factors[name], decay if decays else 0.0), []).append(parameter)
    return [
        {
            "params": some,
            "weight_decay": decay,
            "factor": factor,
            "lr": _rate(factor * recipe.learning_rate, some),
        }
        for (factor, decay), some in found.items()
    ]


def _rate(rate: float, parameters: list[nn.Parameter]) -> float | Tensor:
    """A learning rate, on CUDA as a tensor."""
    device = parameters[0].device
    return torch.tensor(rate, device=device) if device.type == "cuda" else rate


class Schedule:
    """The learning rate over ``steps`` optimiser steps, known on the host, so that no GPU is waited for."""

    def __init__(self, optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> None:
        self.optimizer, self.recipe, self.steps = optimizer, recipe, steps
        self.taken = 0
        self._set()

    @property
    def rate(self) -> float:
        """The learning rate of the next step, for a group whose ``factor`` is 1."""
        return self.recipe.learning_rate * self._factor()

    def rate_of(self, parameter: nn.Parameter | None) -> float:
        """The learning rate of one parameter in the next step; 0 where it is not trained."""
        for group in self.optimizer.param_groups:
            if any(parameter is one for one in group["params"]):
                return self.rate * group["factor"]
        return 0.0

    def step(self) -> None:
        """Advance by one step."""
        self.taken += 1
        self._set()

    def go_to(self, taken: int) -> None:
        """Resume after ``taken`` steps."""
        self.taken = taken
        self._set()

    def _factor(self) -> float:
        warm = round(self.recipe.warmup * self.steps)
        if self.taken < warm:
            return (self.taken + 1) / warm
        if self.recipe.schedule == "constant":
            return 1.0
        return (self.steps - self.taken) / max(1, self.steps - warm)

    def _set(self) -> None:
        for group in self.optimizer.param_groups:
            rate = self.rate * group["factor"]
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)  # in place: a captured step reads it there
            else:
                group["lr"] = rate
