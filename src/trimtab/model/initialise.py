"""Random initial weights: each tensor from its own generator, fixed by the seed and the tensor's name."""

import hashlib

import numpy as np
import torch
from torch import Tensor, nn

# A tensor's random numbers are drawn from a stream that bears its name. What a module was called when its
# stream was first used stays the stream's name for ever, so that renaming it does not change what is drawn.
_STREAMS = {"qkv": "mix", "ffn_in": "widen", "ffn_out": "narrow", "pooler": "hidden"}


def seed_of(seed: int, name: str) -> int:
    """A seed of 63 bits fixed by a seed and a name, independent of every other name's."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def generator_of(seed: int, name: str) -> torch.Generator:
    """A PyTorch generator fixed by a seed and a name."""
    return torch.Generator().manual_seed(seed_of(seed, name))


def bits_of(seed: int, name: str) -> np.random.SFC64:
    """A fast generator of random 64-bit words, fixed by a seed and a name."""
    return np.random.SFC64(seed_of(seed, name))


def words_of(generator: np.random.SFC64) -> list[int]:
    """The state of a generator of random words, for a checkpoint."""
    words: list[int] = generator.state["state"]["state"].tolist()
    return words


def set_words(generator: np.random.SFC64, words: list[int]) -> None:
    """Restore the state that ``words_of`` gave."""
    state = generator.state
    state["state"]["state"] = np.array(words, np.uint64)
    generator.state = state


def stream_of(name: str) -> str:
    """The name of the stream that a parameter's initial numbers are drawn from."""
    return ".".join(_STREAMS.get(part, part) for part in name.split("."))


def initialise(model: nn.Module, seed: int, deviation: float) -> None:
    """Initialise as BERT: normal weights with standard deviation ``deviation``, biases 0, norms 1.

    A tensor's numbers depend only on the seed, its own name and its shape, so the same seed pairs variants.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            draw(parameter, name, seed, deviation)


def draw(parameter: Tensor, name: str, seed: int, deviation: float) -> None:
    """Initialise one parameter in place, as ``initialise`` does; gradients must be off."""
    if parameter.dim() > 1:
        parameter.normal_(0.0, deviation, generator=generator_of(seed, stream_of(name)))
    else:
        parameter.fill_(0.0 if name.endswith("bias") else 1.0)
