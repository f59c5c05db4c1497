"""Initial weights: each tensor from a generator of the seed and its name."""

import hashlib

import numpy as np
import torch
from torch import nn


def seed_of(seed: int, name: str) -> int:
    """A seed of 63 bits fixed by a seed and a name, independent of every other name's."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator_of(seed: int, name: str) -> torch.Generator:
    """A generator of PyTorch's fixed by a seed and a name."""
    return torch.Generator().manual_seed(seed_of(seed, name))


def bits_of(seed: int, name: str) -> np.random.SFC64:
    """A quick generator of random words fixed by a seed and a name."""
    return np.random.SFC64(seed_of(seed, name))


def words_of(generator: np.random.SFC64) -> list[int]:
    """The state of a generator of random words, to keep."""
    words: list[int] = generator.state["state"]["state"].tolist()
    return words


def set_words(generator: np.random.SFC64, words: list[int]) -> None:
    """Bring a generator to the state that ``words_of`` gave."""
    state = generator.state
    state["state"]["state"] = np.array(words, np.uint64)
    generator.state = state


def initialise(model: nn.Module, seed: int, deviation: float) -> None:
    """Fill ``model`` as BERT does: weights normal with ``deviation``, biases 0, norms 1.

    A tensor's numbers depend on the seed, its own name and shape alone, so variants of one size start alike.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, deviation, generator=generator_of(seed, name))
            else:
                parameter.fill_(0.0 if name.endswith("bias") else 1.0)
