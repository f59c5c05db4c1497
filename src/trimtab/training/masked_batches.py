"""Batches with masked words: how they are laid out and split into parts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch
from trimtab.data.layout import Padding, parts
from trimtab.data.masking import KEPT, Masked, Masking
from trimtab.data.rows import Rows
from trimtab.ragged import offsets_of


@dataclass(frozen=True, eq=False)
class MaskedBatch:
    """A batch with masked words.

    places, words: (N,) int64, indices of the tokens to predict, and the tokens that were there before.
    counts: (rows,) int64, masked words per row.
    """

    batch: Batch
    places: Tensor
    words: Tensor
    counts: Tensor


@dataclass(frozen=True, eq=False)
class MaskedLayout:
    """A layout (4, rows) of ``Rows`` and its masked words, from which a ``MaskedBatch`` is made."""

    layout: NDArray[np.int64]
    masked: Masked

    def __len__(self) -> int:
        return self.layout.shape[1]

    def parts(self, tokens: int, rows: int | None) -> Iterator["MaskedLayout"]:
        """The same rows in consecutive parts of about ``tokens`` tokens and at most ``rows`` rows each."""
        begins, masked = offsets_of(self.layout[1]), self.masked
        for start, stop in parts(self.layout[1], tokens, rows):
            offsets = masked.offsets[start : stop + 1]
            of_part = slice(offsets[0], offsets[-1])
            places = masked.places[of_part] - begins[start]
            part = Masked(places, masked.put[of_part], offsets - offsets[0])
            yield MaskedLayout(np.ascontiguousarray(self.layout[:, start:stop]), part)

    def filled(self, padding: Padding) -> "MaskedLayout":
        """The same with the dummy rows that ``padding`` adds, without masked words."""
        added, masked = padding.added(self.layout), self.masked
        layout = np.concatenate([self.layout, added], 1)
        counts = np.concatenate([np.diff(masked.offsets), np.zeros(added.shape[1], np.int64)])
        order = np.argsort(layout[1], kind="stable")
        layout = np.ascontiguousarray(layout[:, order])
        row = np.empty(len(order), np.int64)  # the new place of each row
        row[order] = np.arange(len(order))
        moved = offsets_of(layout[1])[row[: len(self)]] - offsets_of(self.layout[1])[:-1]
        places = masked.places + np.repeat(moved, counts[: len(self)])
        by_place = np.argsort(places)
        return MaskedLayout(layout, Masked(places[by_place], masked.put[by_place], offsets_of(counts[order])))

    def make(self, rows: Rows) -> MaskedBatch:
        """The batch, on the device of ``rows``."""
        batch, masked = rows.make(self.layout), self.masked
        places, put = rows.send(masked.places), rows.send(masked.put)
        words = batch.tokens[places]
        tokens = batch.tokens.index_put((places,), torch.where(put == KEPT, words, put))
        return MaskedBatch(replace(batch, tokens=tokens), places, words, rows.send(np.diff(masked.offsets)))


def masked_layout(
    rows: Rows, index: NDArray[np.signedinteger], masking: Masking, rng: np.random.Generator
) -> MaskedLayout:
    """The rows ``index``, with masks drawn from ``rng``, which are the same on every machine."""
    layout = rows.layout(index)
    return MaskedLayout(layout, masking.draw(layout[1], layout[2], rng))
