"""The number of the layer that a parameter belongs to, by its name: in our models and in transformers'."""

import re

# Of nested lists the first counts: ALBERT's groups hold layers.
_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?|albert_layer_groups)\.(\d+)\.")


def layer_of(name: str) -> int | None:
    """The number, from 0, of the layer that the parameter ``name`` belongs to; None where it is in none."""
    found = _LAYER.search(name)
    return int(found[1]) if found else None
