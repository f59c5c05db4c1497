"""Sizes of encoders by name. Free of torch, so that a study file is read quickly."""

import re
from dataclasses import asdict, replace
from typing import Any

from trimtab.config import InputError, nearest
from trimtab.model.architecture import Architecture, Head

# What a study may set in addition to the size's name.
SETTINGS = ("activation", "embedding_norm", "epsilon", "dropout", "positions", "initial_deviation")

# d2l's flavour of BERT: ReLU, embeddings not normalised, PyTorch's default epsilon.
D2L: dict[str, Any] = {"activation": "relu", "embedding_norm": False, "epsilon": 1e-5}

# RoBERTa's base size: BERT's, with positions that begin after the padding token's id, and its own head.
_ROBERTA = Architecture(12, 768, 3072, 12, first_position=2, head=Head(dropout=0.1, dropout_first=True))

# BERT's 0.02 suits its own widths. Narrow encoders trained from scratch start better at 1 / sqrt(hidden): on
# probe, 2x128 with 0.02 had an accuracy of two thirds after two epochs, and more with this.
SIZES = {
    "tiny": Architecture(2, 128, 512, 2, initial_deviation=0.088),
    "small": Architecture(2, 256, 512, 4, initial_deviation=0.0625, **D2L),
    "medium": Architecture(8, 512, 2048, 8, initial_deviation=0.044),
    "base": Architecture(12, 768, 3072, 12),
    "large": Architecture(24, 1024, 4096, 16),
    "minilm": Architecture(6, 384, 1536, 12, initial_deviation=0.051),
    "mpnet": replace(_ROBERTA, kind="mpnet", segments=0, relative_buckets=32, epsilon=1e-5),
}

MEANINGS = {
    "tiny": "BERT-tiny of Turc et al. 2019",
    "small": "d2l's bert.small: ReLU, embeddings not normalised",
    "medium": "BERT-medium of Turc et al. 2019",
    "base": "BERT-base of Devlin et al. 2019; d2l's bert.base in the original's flavour",
    "large": "BERT-large of Devlin et al. 2019",
    "minilm": "all-MiniLM-L6-v2 (Wang et al. 2020), untrained; its weights are weights = 'minilm'",
    "mpnet": "all-mpnet-base-v2 (Song et al. 2020), untrained; its weights are weights = 'mpnet'",
}

_NUMBERS = re.compile(r"(\d+)x(\d+)(?:/(\d+)(?:/(\d+))?)?")


def architecture(size: str, **settings: Any) -> Architecture:
    """The architecture that a size names, with ``settings`` put over it.

    ``size`` is a key of SIZES or numbers ``LAYERSxHIDDEN[/INTERMEDIATE[/HEADS]]``. The intermediate width
    defaults to four times the hidden width, heads to a width of 64, and the standard deviation of initial
    weights to 1 / sqrt(hidden). InputError otherwise; ValidationError where a number or setting is wrong.
    """
    if size in SIZES:
        return replace(SIZES[size], **settings)
    match = _NUMBERS.fullmatch(size)
    if not match:
        raise InputError(f"size {size!r} is unknown ({nearest(size, SIZES)}); or write numbers: 2x256/512/4")
    layers, hidden, intermediate, heads = (None if one is None else int(one) for one in match.groups())
    assert layers is not None
    assert hidden is not None
    return Architecture(
        layers,
        hidden,
        4 * hidden if intermediate is None else intermediate,
        max(1, hidden // 64) if heads is None else heads,
        **{"initial_deviation": max(0.001, round(max(1, hidden) ** -0.5, 3))} | settings,
    )


def describe() -> list[dict[str, object]]:
    """One row per size, for ``trimtab sizes``."""
    return [
        {
            "size": name,
            **{key: value for key, value in asdict(size).items() if key in _SHOWN},
            "parameters (30,522 words, 2 classes)": f"{size.parameters(30_522, 2):,}",
            "what": MEANINGS[name],
        }
        for name, size in SIZES.items()
    ]


_SHOWN = ("layers", "hidden", "intermediate", "heads", "activation", "embedding_norm", "epsilon")
