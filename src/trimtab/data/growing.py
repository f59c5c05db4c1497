"""Arrays that are written piece by piece: what is large lies in an unlinked file, so that memory stays flat.

The file is written, not mapped from the start: on a full disk a write fails with an error, while storing
into a map of it kills the process.
"""

import tempfile

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trimtab.data.files import cache_root, cache_writable
from trimtab.ragged import Ragged

_IN_MEMORY = 1 << 20  # bytes; a smaller array is not worth a file


class Growing:
    """A one-dimensional array of ``dtype`` that grows at its end and is mapped once it is complete.

    Beyond a megabyte it lies in an unnamed file in the cache folder, which is freed with the last map: its
    pages belong to the page cache, not to the process. InputError where it cannot be written.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(cache_root()))  # noqa: SIM115  # until mapped

    def __del__(self) -> None:
        self._file.close()  # after an error, before the array was complete

    def append(self, piece: NDArray) -> None:
        """Add the elements of ``piece``, (any number,), as ``dtype``."""
        with cache_writable():
            cache_root().mkdir(parents=True, exist_ok=True)
            self._file.write(np.ascontiguousarray(piece, self.dtype).data)

    def mapped(self) -> NDArray:
        """The whole array; it can be written to, but no file changes. Nothing can be added any more."""
        with cache_writable(), self._file:
            size = self._file.tell()
            if size > _IN_MEMORY:
                self._file.flush()
                return np.memmap(self._file, self.dtype, "c", shape=(size // self.dtype.itemsize,))
            self._file.seek(0)
            return np.frombuffer(bytearray(self._file.read()), self.dtype)


class GrowingRagged:
    """A Ragged to which rows are added a few at a time; ``values`` of ``dtype``."""

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
