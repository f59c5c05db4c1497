"""Optimiser and learning-rate schedule of a recipe."""

import torch
from torch import Tensor, nn

from trimtab.training.recipe import Recipe


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam, or AdamW with decay on matrices and embeddings only; fused, which is one pass over memory.

    On CUDA its step can be captured: the learning rate is a tensor there, which a schedule fills.
    """
    device = next(model.parameters()).device
    cuda = device.type == "cuda"
    rate = torch.tensor(recipe.learning_rate, device=device) if cuda else recipe.learning_rate
    if recipe.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate, fused=True, capturable=cuda)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": recipe.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, fused=True, capturable=cuda)


class Schedule:
    """The learning rate over ``steps`` optimiser steps.

    It is known here, on the host, so that nothing waits for a device to tell it. ``rate``: of the next step.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> None:
        self.optimizer, self.recipe, self.steps = optimizer, recipe, steps
        self.taken = 0
        self._set()

    @property
    def rate(self) -> float:
        """The learning rate of the next step."""
        return self.recipe.learning_rate * self._factor()

    def step(self) -> None:
        """A step was taken."""
        self.taken += 1
        self._set()

    def go_to(self, taken: int) -> None:
        """So many steps were taken, before this one was made."""
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
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(self.rate)  # in place: a captured step reads it there
            else:
                group["lr"] = self.rate


def make_schedule(optimizer: torch.optim.Optimizer, recipe: Recipe, steps: int) -> Schedule:
    """The learning rate over ``steps`` optimiser steps, as ``recipe`` has it."""
    return Schedule(optimizer, recipe, steps)
