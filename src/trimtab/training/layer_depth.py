"""The depth of each parameter, from the embeddings up: which are frozen, and each layer's learning rate."""

from typing import Literal

from torch import nn

from trimtab.model.layer_names import layer_of

# Registered after the layers, but used by all of them: MPNet's biases by distance, and DeBERTa's embeddings
# of distances, whose norm has a name that is a final norm's elsewhere.
_SHARED = ("relative_attention_bias.", "rel_embeddings.")
_NORM_OF_SHARED = ("rel_embeddings.weight", "LayerNorm.")


def depths_of(model: nn.Module) -> dict[str, int]:
    """The depth of each parameter by name: 0 for embeddings, then the layers, then pooler and heads.

    What is registered before the first layer, or used by all of them, has the embeddings' depth; a norm after
    the last layer has the heads'.
    """
    names = [name for name, _ in model.named_parameters()]
    layers = {name: number for name in names if (number := layer_of(name)) is not None}
    first = next((place for place, name in enumerate(names) if name in layers), 0)
    below = {*names[:first], *_shared(names)}
    top = max(layers.values(), default=-1) + 2
    return {name: 0 if name in below else layers[name] + 1 if name in layers else top for name in names}


def _shared(names: list[str]) -> list[str]:
    """The names of what all layers use."""
    table, norm = _NORM_OF_SHARED
    norms = tuple(name.removesuffix(table) + norm for name in names if name.endswith(table))
    return [name for name in names if any(part in name for part in _SHARED) or name.startswith(norms)]


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
