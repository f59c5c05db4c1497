"""What a training consists of at one moment, so that it can be resumed as if it had never stopped."""

from typing import Any, Protocol

import torch
from torch import nn

from trimtab.training.optimizer import Schedule

State = dict[str, Any]  # tensors, plain numbers, and lists and dicts of them


class Resumable(Protocol):
    """A training whose state can be kept and restored."""

    def state(self) -> State:
        """The state after the last step. Its tensors are the training's own, not copies."""

    def restore(self, state: State) -> None:
        """Go on from ``state``; ValueError, KeyError or RuntimeError where it is of another training."""


def state_of(
    model: nn.Module, optimizer: torch.optim.Optimizer, schedule: Schedule, device: torch.device
) -> State:
    """Weights, the optimiser's moments, steps taken, and the state of the device's generator."""
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "steps": schedule.taken,
        "device": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def restore_into(
    state: State,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: Schedule,
    device: torch.device,
) -> None:
    """Restore what ``state_of`` gave."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.go_to(state["steps"])
    if state["device"] is not None:
        torch.cuda.set_rng_state(state["device"], device)
