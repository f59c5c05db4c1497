"""The rows of a split as the source of batches: on the device if they fit, else streamed to it."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch, WindowsOfBatch
from trimtab.data.layout import Layout, label_bits, sorted_by_length
from trimtab.data.pairs import Pairs
from trimtab.ragged import offsets_of, ranges

_SHARE = 0.25  # of the device's free memory


class Rows:
    """The rows of ``pairs``, from which batches on ``device`` are made.

    If the tokens take at most ``share`` of the device's free memory, they are kept there in their stored
    dtype; if not, those of each batch are sent through pinned memory. On a CPU nothing is copied.
    ``values``: (tokens of all rows,) on the device, or None where they are streamed.
    """

    def __init__(self, pairs: Pairs, device: torch.device, share: float = _SHARE) -> None:
        self.pairs, self.device = pairs, device
        self.values: Tensor | None = None
        if device.type == "cpu" or pairs.tokens.values.nbytes <= share * torch.cuda.mem_get_info(device)[0]:
            self.values = torch.from_numpy(pairs.tokens.values).to(device)

    def layout(self, index: NDArray[np.signedinteger]) -> Layout:
        """The layout of a batch of the rows ``index``: see ``layout.py``."""
        starts = self.pairs.tokens.offsets[index]
        lengths = self.pairs.tokens.offsets[index + 1] - starts
        columns = (starts, lengths, self.pairs.first_lengths[index], label_bits(self.pairs.labels[index]))
        return sorted_by_length(np.stack(columns).astype(np.int64, copy=False))

    def make(self, layout: Layout) -> Batch:
        """The batch of a ``layout``, made on the device; the host does not wait for it.

        Rows that hold several windows become as many rows of the batch.
        """
        windows = self.pairs.windows
        if windows is None or layout[1].max() <= windows.length:
            return self._pack(layout)
        expanded, example = windows.expanded(layout)
        belonging = WindowsOfBatch(self.send(example), layout.shape[1], windows.pooling)
        labels = self.send(np.ascontiguousarray(layout[3]))
        return replace(self._pack(expanded), labels=labels, windows=belonging)

    def _pack(self, layout: Layout) -> Batch:
        if self.values is not None:
            return pack(self.values, self.send(layout), layout[1])
        values = self.send(self.pairs.tokens.values[ranges(layout[0], layout[1])])
        layout = np.concatenate([offsets_of(layout[1])[None, :-1], layout[1:]])
        return pack(values, self.send(layout), layout[1])

    def batch(self, index: NDArray[np.signedinteger]) -> Batch:
        """The batch of the rows ``index``."""
        return self.make(self.layout(index))

    def send(self, array: NDArray) -> Tensor:
        """``array`` on the device; the host does not wait for the copy."""
        tensor = torch.from_numpy(array)
        return tensor if self.device.type == "cpu" else tensor.pin_memory().to(self.device, non_blocking=True)


def pack(values: Tensor, layout: Tensor, lengths: NDArray[np.int64]) -> Batch:
    """The rows of a layout (4, rows) out of ``values``, (tokens,) of any integer type, on their device.

    lengths: (rows,) on the host, so that sizes are known without waiting for the device; in a captured graph
    only their sum and their bound matter.
    """
    starts, counts, first_lengths, labels = layout.unbind()
    cumulative = F.pad(counts.cumsum(0), (1, 0))
    row = torch.repeat_interleave(counts, output_size=int(lengths.sum()))
    positions = torch.arange(len(row), device=row.device) - cumulative[row]
    return Batch(
        values[starts[row] + positions].long(),
        (positions >= first_lengths[row]).long(),
        positions,
        cumulative,
        labels,
        lengths,
    )
