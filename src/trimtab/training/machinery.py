"""What a trial runs on, and what follows from it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Machinery:
    """What a trial runs on: the device, and the precision of its matrix products."""

    device: torch.device
    precision: str

    def autocast(self) -> AbstractContextManager[None]:
        """The context of forward passes; inside the outermost one each weight is cast once."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def without_autocast(self) -> AbstractContextManager[None]:
        """The context of a backward pass that runs inside that of the forward passes."""
        return torch.autocast(self.device.type, enabled=False)

    @property
    def training_tokens(self) -> int:
        """Tokens that go through the layers together: on a CPU so few that its caches hold them."""
        return 1 << 20 if self.device.type == "cuda" else 2_048

    @property
    def evaluation_tokens(self) -> int:
        """The same where no gradient is wanted, and less has to be held."""
        return 1 << 16 if self.device.type == "cuda" else 4_096
