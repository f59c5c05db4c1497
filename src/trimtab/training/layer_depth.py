"""The floors of a model, from the embeddings up: what is frozen, and how fast each one learns."""

import re
from typing import Literal

from torch import nn

_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")


def depths_of(model: nn.Module) -> dict[str, int]:
    """The floor of each parameter by name: embeddings on 0, the layers above, what is no encoder on top."""
    names = [name for name, _ in model.named_parameters()]
    layers = {name: int(found[1]) for name in names if (found := _LAYER.match(name))}
    top = max(layers.values(), default=-1) + 2
    return {
        name: 0 if name.startswith("encoder.embeddings.") else layers[name] + 1 if name in layers else top
        for name in names
    }


def freeze(model: nn.Module, frozen: Literal["none", "embeddings"] | int) -> None:
    """Let what a recipe calls frozen be no part of training; dropout stays on in it, as elsewhere."""
    below = frozen + 1 if isinstance(frozen, int) else int(frozen == "embeddings")
    floors = depths_of(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(floors[name] >= below)


def rate_factors(model: nn.Module, layer_decay: float) -> dict[str, float]:
    """What each parameter's learning rate is times the recipe's, by name: a factor less a floor down."""
    floors = depths_of(model)
    top = max(floors.values())
    return {name: layer_decay ** (top - floor) for name, floor in floors.items()}
