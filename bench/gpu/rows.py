"""Rows with SNLI's lengths, and the arithmetic of a training step on them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.ragged import Ragged, offsets_of

CLASSES = 3
_FIRST = 5  # the first id that is no special token
_FIRST_SHARE = 0.635  # of a row's tokens are its first text

# Numbers of rows of 7, 8, 9, ... tokens among 26,891 training pairs of SNLI, in words, with 3 special tokens.
# fmt: off
LENGTHS = (
    1, 0, 1, 3, 11, 36, 105, 253, 514, 780, 1043, 1202, 1520, 1736, 1823, 1742, 1774, 1720, 1509, 1350,
    1252, 1083, 1009, 870, 792, 651, 610, 485, 422, 405, 349, 289, 240, 188, 184, 136, 115, 98, 83, 86, 72,
    57, 46, 39, 22, 23, 22, 14, 18, 14, 13, 10, 10, 3, 7, 7, 7, 5, 5, 3, 4, 3, 2, 1, 2, 0, 2, 1, 1, 1, 0,
    1, 0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1,
)
# fmt: on
_SHORTEST = 7


def rows_of(number: int, vocabulary: int, length: int | None = None) -> Pairs:
    """``number`` rows of random tokens and labels: of SNLI's lengths, or of ``length`` tokens each."""
    random = np.random.default_rng(0)
    counts = np.array(LENGTHS)
    lengths = np.full(number, length or 0)
    if length is None:
        lengths = random.choice(np.arange(len(counts)) + _SHORTEST, number, p=counts / counts.sum())
    offsets = offsets_of(lengths)
    dtype = np.int16 if vocabulary <= np.iinfo(np.int16).max else np.int32
    # Few words are frequent and many rare, so that the token table's gradient is like that of a text.
    ranks = (random.pareto(1.0, offsets[-1]) * 20).clip(max=vocabulary - _FIRST - 1)
    tokens = Ragged((ranks + _FIRST).astype(dtype), offsets)
    first = np.round(_FIRST_SHARE * lengths).astype(np.int32)
    return Pairs(tokens, first, random.integers(0, CLASSES, number))


def arithmetic(size: Architecture, lengths: NDArray[np.integer], classes: int = CLASSES) -> float:
    """Floating-point operations of a training step on rows of ``lengths`` (rows,) tokens, as CUDA does it.

    Two for each multiply-add of a matrix product; backward twice as many as forward. With h hidden and f
    feed-forward units, a layer takes 4 h^2 + 2 h f multiply-adds per token, and attention 2 h for each token
    of its row. The last layer computes key and value of every token (2 h^2), and all else, as does the head,
    for the first token of each row alone. Not counted: embeddings, norms, softmax, dropout, the optimiser,
    and what flash attention recomputes in its backward pass.
    """
    lengths = lengths.astype(np.float64)
    rows, tokens, squares = len(lengths), lengths.sum(), (lengths**2).sum()
    hidden, inner = size.hidden, size.intermediate
    dense = 4 * hidden**2 + 2 * hidden * inner
    whole = (size.layers - 1) * (tokens * dense + squares * 2 * hidden)
    last = tokens * (2 * hidden**2 + 2 * hidden) + rows * (dense - 2 * hidden**2)
    head = rows * (hidden**2 + hidden * classes)
    return 3 * 2 * float(whole + last + head)


def machine_file(folder: Path, device: str, small: bool) -> Path:
    """The file for the figures of a device."""
    name = "-".join("".join(c if c.isalnum() else " " for c in device.lower()).split())
    return folder / f"gpu-{name}{'-small' * small}.json"
