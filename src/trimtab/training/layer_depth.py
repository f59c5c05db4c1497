"""The depth of each parameter, from the embeddings up: which are frozen, and each layer's learning rate."""

import re
from typing import Literal

from torch import nn

# What is used before the first layer, or by all of them.
_BELOW = ("encoder.embeddings.", "encoder.distances.")
_LAYER = re.compile(r"encoder\.layers\.(\d+)\.")


def depths_of(model: nn.Module) -> dict[str, int]:
    """The depth of each parameter by name: 0 for embeddings, then the layers, then pooler and heads."""
    names = [name for name, _ in model.named_parameters()]
    layers = {name: int(found[1]) for name in names if (found := _LAYER.match(name))}
    top = max(layers.values(), default=-1) + 2
    return {
        name: 0 if name.startswith(_BELOW) else layers[name] + 1 if name in layers else top for name in names
    }


def freeze(model: nn.Module, frozen: Literal["none", "embeddings"] | int) -> None:
    """Freeze what a recipe's ``frozen`` names. Dropout stays on in frozen layers, as in the others."""
    below = frozen + 1 if isinstance(frozen, int) else int(frozen == "embeddings")
    depths = depths_of(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(depths[name] >= below)


def rate_factors(model: nn.Module, layer_decay: float) -> dict[str, float]:
    """What each parameter's learning rate is times the recipe's, by name: ``layer_decay`` per layer down."""
    depths = depths_of(model)
    top = max(depths.values())
    return {name: layer_decay ** (top - depth) for name, depth in depths.items()}
