"""The device and precision of a trial, and the choices that follow from them."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from trimtab.machine import GPU_SHARERS
from trimtab.model.architecture import Architecture

# Below this, launches (on a GPU) or synchronising threads (on a CPU) limit a step; above it, arithmetic.
SMALL = 50_000_000
# A parameter in training, its gradient and Adam's two moments, fp32.
PARAMETER_BYTES = 16
# Set in worker processes (``run.devices``): how many of them share a GPU, and so its memory.
_SHARE = 0.5  # of a GPU's memory for activations; fragmentation takes some of the rest


@dataclass(frozen=True)
class Backend:
    """The device of a trial, and the precision of its matrix products.

    graphs, compiled: whether steps are captured as CUDA graphs, and the layers compiled, on CUDA; None
    chooses by the model: graphs for a small one in bf16, compiled layers for a large one.
    """

    device: torch.device
    precision: str
    graphs: bool | None = None
    compiled: bool | None = None

    def autocast(self) -> AbstractContextManager[None]:
        """The context of forward passes. Each weight is cast once inside the outermost one."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def without_autocast(self) -> AbstractContextManager[None]:
        """The context of a backward pass inside ``autocast``."""
        return torch.autocast(self.device.type, enabled=False)

    def captures(self, parameters: int) -> bool:
        """Whether steps of a model with this many parameters are captured as CUDA graphs."""
        wanted = parameters < SMALL if self.graphs is None else self.graphs
        return wanted and self.device.type == "cuda" and self.precision == "bf16"

    def compiles(self, parameters: int) -> bool:
        """Whether the layers of a model with this many parameters are compiled."""
        wanted = parameters >= SMALL if self.compiled is None else self.compiled
        return wanted and self.device.type == "cuda"

    def replicas(self, parameters: int) -> int:
        """How many threads compute parts of a batch in parallel, for a model with this many parameters."""
        if self.device.type != "cpu" or parameters >= SMALL:
            return 1
        return torch.get_num_threads()

    @property
    def wants_steady_sizes(self) -> bool:
        """Whether dummy rows pad batches to bucket sizes.

        oneDNN compiles a bf16 product for every new size, which takes ten times as long as the product
        itself, and a megabyte of memory.
        """
        return self.device.type == "cpu" and self.precision == "bf16"

    def training_tokens(self, size: Architecture, parameters: int) -> int:
        """Tokens per micro-batch in training.

        On a CPU, few enough for its caches. On a GPU, as many as its memory holds by a rough estimate: from
        its total memory, not the free memory, so that a study's batches are split the same way every time.
        Where several workers share the GPU, each counts on its part.
        """
        if self.device.type == "cpu":
            return 8_192
        memory = torch.cuda.get_device_properties(self.device).total_memory
        room = _SHARE * (memory / int(os.environ.get(GPU_SHARERS, "1")) - PARAMETER_BYTES * parameters)
        return max(1_024, int(room / activation_bytes(size, self.precision)))

    @property
    def evaluation_tokens(self) -> int:
        """Tokens per batch in evaluation, which keeps no activations."""
        return 1 << 16 if self.device.type == "cuda" else 4_096


def activation_bytes(size: Architecture, precision: str) -> int:
    """A rough estimate of the memory that a backward pass needs per token.

    Per layer in bf16 autocast: residual sums and norms in fp32 (16 bytes per hidden unit); query, key, value,
    attention's output, dropout masks and inputs of products in bf16 (16 bytes); input and output of the
    activation function (4 bytes per feed-forward unit); and a quarter more for temporaries.
    """
    bf16 = size.layers * (40 * size.hidden + (10 if size.gated else 5) * size.intermediate)
    return bf16 if precision == "bf16" else 2 * bf16
