"""Representations on a terminal, and as a file of NumPy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ragged import offsets_of
from trimtab.report.show import CONTROLS
from trimtab.report.terminal import table_text

ENDINGS = (".npz", ".npy")
_SHOWN = 6  # numbers of each vector


@dataclass(frozen=True, eq=False)
class Represented:
    """Texts or pairs by a model: the words of each row's tokens, and what is known of them.

    vectors: by row (tokens, hidden); or, where ``pooling`` says how the tokens of a row became one vector,
    an array (rows, hidden).
    """

    tokens: list[list[str]]
    vectors: Sequence[NDArray[np.float32]] | NDArray[np.float32]
    pooling: str | None = None

    def arrays(self) -> dict[str, NDArray]:
        """What is written: ``vectors``, (all tokens, hidden) or (rows, hidden); ``tokens`` (all tokens,) str.

        ``offsets`` (rows + 1,) says where each row's tokens begin.
        """
        lengths = np.array([len(row) for row in self.tokens], np.int64)
        words = [word for row in self.tokens for word in row]
        vectors = np.concatenate(list(self.vectors)) if self.pooling is None else np.asarray(self.vectors)
        return {"vectors": vectors, "offsets": offsets_of(lengths), "tokens": np.array(words, str)}


def row_text(found: Represented) -> str:
    """The first row as a table: a line for each vector, its norm and its first numbers."""
    words, vectors = [word.translate(CONTROLS) for word in found.tokens[0]], np.atleast_2d(found.vectors[0])
    shown = min(_SHOWN, vectors.shape[1])
    about = f"{len(words)} tokens: {' '.join(words)}"
    about += f"\n{vectors.shape[1]} dimensions, the first {shown}:"
    if found.pooling:
        words = [found.pooling]
    rows = [
        [word, *(f"{number:.3f}" for number in (np.linalg.norm(vector), *vector[:shown]))]
        for word, vector in zip(words, vectors, strict=True)
    ]
    head = ["vector" if found.pooling else "token", "norm", *map(str, range(shown))]
    align = ["left"] + ["right"] * (shown + 1)
    return f"{about}\n\n{table_text(rows, head, align)}"


def check(path: Path) -> None:
    """InputError where ``write`` knows no such file; before any work."""
    if path.suffix not in ENDINGS:
        raise InputError(f"--out: {path} ends in neither .npz nor .npy; name it so")
    if not path.parent.is_dir():
        raise InputError(f"--out: there is no folder {path.parent}; make it, or name another")


def write(path: Path, found: Represented) -> str:
    """Write ``found.arrays()`` as .npz, or its ``vectors`` as .npy; a sentence on what the file holds."""
    arrays = found.arrays()
    try:
        with atomic_write(path) as temporary:
            if path.suffix == ".npz":
                np.savez(temporary, allow_pickle=False, **arrays)
            else:
                np.save(temporary, arrays["vectors"])
    except OSError as error:
        raise InputError(f"--out: {path} cannot be written ({error.strerror}); name another file") from error
    names = arrays if path.suffix == ".npz" else ["vectors"]
    return f"{path}: {', '.join(f'{name} {arrays[name].shape}' for name in names)}"
