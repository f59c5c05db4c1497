"""An encoder over packed batches, of any architecture that ``Architecture`` describes."""

from contextlib import AbstractContextManager
from typing import cast

import torch
from torch import Tensor, nn

from trimtab.data.batches import Batch
from trimtab.model.architecture import Architecture
from trimtab.model.embeddings import Embeddings
from trimtab.model.layer import Layer
from trimtab.model.relations import Distances


class Encoder(nn.Module):
    """Embeddings and transformer layers (Devlin et al. 2019, and later variants): batch -> (T, hidden)."""

    def __init__(self, size: Architecture, vocabulary: int) -> None:
        super().__init__()
        self.size = size
        self.embeddings = Embeddings(size, vocabulary)
        self.distances = Distances(size)
        # Each is applied layers / layers_with_weights times in a row.
        self.layers = nn.ModuleList(Layer(size, number) for number in range(size.layers_with_weights))
        self.norm = nn.LayerNorm(size.hidden, size.epsilon, bias=size.norm_bias) if size.norm_first else None

    def forward(self, batch: Batch) -> Tensor:
        """Representation of every token, (T, hidden)."""
        return self.after_embeddings(self.embeddings(batch), batch)

    def after_embeddings(self, x: Tensor, batch: Batch) -> Tensor:
        """The same from embeddings x (T, hidden)."""
        everywhere, near = self.distances(batch)
        for number in range(self.size.layers):
            x = self._layer(number)(x, batch, near if self.size.is_windowed(number) else everywhere)
        return x if self.norm is None else self.norm(x)

    def first(self, x: Tensor, batch: Batch) -> Tensor:
        """Representation of each row's first token, (rows, hidden), from embeddings x (T, hidden).

        The last layer computes only what these need.
        """
        everywhere, near = self.distances(batch)
        last = self.size.layers - 1
        for number in range(last):
            x = self._layer(number)(x, batch, near if self.size.is_windowed(number) else everywhere)
        with exact_on_cpu():
            relations = near if self.size.is_windowed(last) else everywhere
            x = self._layer(last).first(x, batch, relations)
            return x if self.norm is None else self.norm(x)

    def _layer(self, number: int) -> Layer:
        return cast(Layer, self.layers[number * self.size.layers_with_weights // self.size.layers])


def exact_on_cpu() -> AbstractContextManager[None]:
    """The context of products with a row per text instead of per token: on a CPU they stay in fp32.

    They are few, and bf16 kernels would be compiled for each number of rows.
    """
    return torch.autocast("cpu", enabled=False)
