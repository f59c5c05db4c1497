"""Rows of windows: a long row holds its windows one after another, each a whole input of the model.

Everything that counts rows, such as batches, labels and epochs, counts such a row once; everything that
counts tokens counts those of all its windows. ``expanded`` makes windows the rows of a batch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import ranges
from trimtab.truncation.windows import Pooling


@dataclass(frozen=True)
class PooledRows:
    """Which rows of some inputs hold windows: those of more than ``length`` tokens, in windows of as many.

    pooling: how the logits of a row's windows become the row's.
    """

    length: int
    pooling: Pooling

    def counts(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The windows of rows of these lengths, (rows,) each."""
        return np.maximum(1, -(-lengths // self.length))

    def each(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The tokens of each window of rows of these lengths, (windows,)."""
        return np.repeat(np.minimum(lengths, self.length), self.counts(lengths))

    def expanded(self, layout: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The layout of the windows of a layout's rows (4, rows), and the row that each belongs to.

        Layouts are sorted by length, and so is the result: all windows of a row that has several are longer
        than every row that fits.
        """
        counts = self.counts(layout[1])
        row = np.repeat(np.arange(len(counts)), counts)
        within = ranges(np.zeros_like(counts), counts)
        windows = np.ascontiguousarray(layout[:, row])
        windows[0] += within * self.length
        windows[1] = np.minimum(windows[1], self.length)
        return windows, row
