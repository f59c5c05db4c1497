"""Pooling: the logits of an example from those of its windows."""

from torch import Tensor

from trimtab.data.batch import Batch


def pooled(logits: Tensor, batch: Batch) -> Tensor:
    """Logits (examples, outputs) from those of a batch's rows, (rows, outputs), where rows are windows.

    Each logit by itself: its mean over an example's windows, or its maximum, whose gradient goes to the
    window that has it (in equal parts to several that do). ``first`` has one window for each example.
    """
    windows = batch.windows
    if windows is None:
        return logits
    shape = (windows.examples, logits.shape[1])
    if windows.pooling == "max":
        index = windows.example[:, None].expand_as(logits)
        return logits.new_zeros(shape).scatter_reduce(0, index, logits, "amax", include_self=False)
    sums = logits.new_zeros(shape).index_add(0, windows.example, logits)
    ones = logits.new_ones(len(logits), 1)
    return sums / logits.new_zeros(windows.examples, 1).index_add(0, windows.example, ones)
