"""Arrays that are made piece by piece: what is large lies in an unlinked file, so that memory stays flat."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trimtab.config import InputError
from trimtab.data.files import cache_root
from trimtab.ragged import Ragged

_IN_MEMORY = 1 << 20  # bytes; a smaller array is not worth a file


class Growing:
    """A one-dimensional array of ``dtype`` that grows at its end and is mapped when it is whole.

    From a megabyte on it lies in a file of the cache's folder that has no name and goes with its last map:
    its pages are the page cache's, not the process's own. InputError where it cannot be written.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._file: BinaryIO = io.BytesIO()
        self._bytes = 0
        self.dtype = np.dtype(dtype)

    def __del__(self) -> None:
        self._file.close()  # where an error came before the array was whole

    def append(self, piece: NDArray) -> None:
        """Add the elements of ``piece``, (any number,), as ``dtype``."""
        piece = np.ascontiguousarray(piece, self.dtype)
        with cache_writable():
            if isinstance(self._file, io.BytesIO) and self._bytes + piece.nbytes > _IN_MEMORY:
                self._file = _unlinked(self._file.getvalue())
            self._file.write(piece.data)
        self._bytes += piece.nbytes

    def mapped(self) -> NDArray:
        """The whole, writable; what is written to it reaches no file. Nothing can be added any more."""
        if isinstance(self._file, io.BytesIO):
            return np.frombuffer(bytearray(self._file.getbuffer()), self.dtype)
        with cache_writable(), self._file:
            self._file.flush()
            return np.memmap(self._file, self.dtype, "c", shape=(self._bytes // self.dtype.itemsize,))


def _unlinked(content: bytes) -> BinaryIO:
    cache_root().mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=cache_root())  # noqa: SIM115  # open as long as it grows
    file.write(content)
    return file


class GrowingRagged:
    """A Ragged whose rows are added some at a time; ``values`` of ``dtype``."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._values, self._offsets = Growing(dtype), Growing(np.int64)
        self._offsets.append(np.zeros(1))
        self._end = 0

    def append(self, values: NDArray, lengths: NDArray[np.integer]) -> None:
        """Add rows of the given ``lengths`` (rows,), their ``values`` one after another."""
        self._values.append(values)
        self._offsets.append(self._end + np.cumsum(lengths, dtype=np.int64))
        self._end += len(values)

    def mapped(self) -> Ragged:
        """The whole, as ``Growing.mapped``."""
        return Ragged(self._values.mapped(), self._offsets.mapped())


@contextmanager
def cache_writable(folder: Path | None = None) -> Iterator[None]:
    """Turns a failure to write ``folder``, else the cache's own, into an InputError that says what to do."""
    try:
        yield
    except OSError as error:
        where = folder or cache_root()
        mend = "name another folder for the cache in TRIMTAB_CACHE"
        raise InputError(f"{where}: cannot be written to ({error.strerror}); {mend}") from error
