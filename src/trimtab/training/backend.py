"""What a trial runs on, and what follows from it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from trimtab.model.sizes import Architecture

# With fewer parameters a step waits for its launches, on a CPU for its threads; with more for its arithmetic.
_SMALL = 50_000_000
# A parameter of a model in training, its gradient and Adam's two means, fp32.
_PARAMETER_BYTES = 16
_SHARE = 0.5  # of a GPU's memory, for what a backward pass needs; the allocator's gaps take some of the rest


@dataclass(frozen=True)
class Backend:
    """What a trial runs on: the device, and the precision of its matrix products.

    graphs, compiled: whether a step's launches are captured, and the layers compiled, on CUDA; None for
    whatever suits the model: graphs for a small one in bf16, compiled layers for another.
    """

    device: torch.device
    precision: str
    graphs: bool | None = None
    compiled: bool | None = None

    def autocast(self) -> AbstractContextManager[None]:
        """The context of forward passes; inside the outermost one each weight is cast once."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def without_autocast(self) -> AbstractContextManager[None]:
        """The context of a backward pass that runs inside that of the forward passes."""
        return torch.autocast(self.device.type, enabled=False)

    def captures(self, parameters: int) -> bool:
        """Whether steps of a model of so many parameters are captured as CUDA graphs."""
        wanted = parameters < _SMALL if self.graphs is None else self.graphs
        return wanted and self.device.type == "cuda" and self.precision == "bf16"

    def compiles(self, parameters: int) -> bool:
        """Whether the layers of a model of so many parameters are compiled."""
        wanted = parameters >= _SMALL if self.compiled is None else self.compiled
        return wanted and self.device.type == "cuda"

    def lanes(self, parameters: int) -> int:
        """Parts of a batch that are computed side by side, for a model of so many parameters."""
        if self.device.type != "cpu" or parameters >= _SMALL:
            return 1
        return torch.get_num_threads()

    @property
    def wants_steady_sizes(self) -> bool:
        """Whether batches should come in few sizes.

        oneDNN compiles a bf16 product anew for each size that it meets, which takes ten times as long as the
        product itself, and a megabyte of memory.
        """
        return self.device.type == "cpu" and self.precision == "bf16"

    def training_tokens(self, size: Architecture, parameters: int) -> int:
        """Tokens that go through the layers together in training.

        On a CPU so few that its caches hold them. On a GPU as many as its memory holds by a rough count:
        of the whole of it, not of what is free now, so that a study parts its batches alike every time.
        """
        if self.device.type == "cpu":
            return 8_192
        memory = torch.cuda.get_device_properties(self.device).total_memory
        room = _SHARE * (memory - _PARAMETER_BYTES * parameters)
        return max(1_024, int(room / activation_bytes(size, self.precision)))

    @property
    def evaluation_tokens(self) -> int:
        """The same where no gradient is wanted, and less has to be held."""
        return 1 << 16 if self.device.type == "cuda" else 4_096


def activation_bytes(size: Architecture, precision: str) -> int:
    """What a backward pass keeps of a token, counted roughly: inputs of products, norms and activations.

    In bf16 autocast of each layer: residual sums and norms in fp32 (16 bytes a hidden unit); query, key,
    value, what attention gives, dropout's factors and inputs of products in bf16 (16); both sides of the
    activation (4 bytes a feed-forward unit); and a quarter more for what lives briefly.
    """
    bf16 = size.layers * (40 * size.hidden + 5 * size.intermediate)
    return bf16 if precision == "bf16" else 2 * bf16
