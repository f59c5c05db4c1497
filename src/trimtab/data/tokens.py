"""Tokens: both sides of a split as Ragged ids, computed once and cached on disk by content."""

import errno
import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.atomic import atomic_folder
from trimtab.config import canonical_hash
from trimtab.data.encoding import encode
from trimtab.data.examples import Examples
from trimtab.data.files import cache_root, cache_writable
from trimtab.data.target import Labels, Target, target_of
from trimtab.ragged import Ragged

SCHEMA = 4
_CHUNK = 20_000  # texts whose characters are hashed together


@dataclass(frozen=True, eq=False)
class Tokens:
    """One tokenised split: ids without special tokens, and for each row its label, cluster and evidence.

    first, second: Ragged of int16 or int32, with equally many rows; second is None for single texts.
    labels: (rows,), as in Examples; clusters: (rows,) int64. evidence: (rows, 2) int64 token positions, or
    None. queries: (rows,) int64, of relevance alone.
    folder: where it is on disk, so that another process can map the same pages. The arrays are writable, as
    torch requires, but nothing that is written reaches the disk.
    """

    first: Ragged
    second: Ragged | None
    labels: Labels
    clusters: NDArray[np.int64]
    evidence: NDArray[np.int64] | None
    folder: Path
    queries: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def target(self) -> Target:
        """What the labels are."""
        return target_of(self.labels, self.queries)

    @property
    def texts(self) -> int:
        """Texts of a row: 2 for pairs, else 1."""
        return 1 if self.second is None else 2


class CacheLostError(OSError):
    """A cached split was damaged or removed while it was needed; it is made again by the next run."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            errno.ENOENT, "the cached tokens were damaged or removed while the study ran", str(folder)
        )


def tokenise(examples: Examples, tokenizer: Tokenizer) -> Tokens:
    """The tokens of ``examples``: from the cache if they are intact there, else computed and cached."""
    folder = cache_root() / "tokens" / _content_key(examples, tokenizer)
    try:
        return _tokenised(folder, examples, tokenizer)
    except (CacheLostError, FileNotFoundError):  # removed meanwhile, by a cleaner or another run
        return _tokenised(folder, examples, tokenizer)


def _tokenised(folder: Path, examples: Examples, tokenizer: Tokenizer) -> Tokens:
    with cache_writable(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Another process may want the same split at the same time.
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if not _is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)
                _write(folder, examples, tokenizer)
            return load(folder)


def restore(tokens: Tokens) -> None:
    """Write a split that this process has mapped into the cache again, where files of it are gone there.

    What was mapped stays readable when its file is removed; where it was changed in place, nothing is done.
    """
    folder, arrays = tokens.folder, _arrays_of(tokens)
    with cache_writable(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            paths = {folder / f"{name}.npy": array.nbytes for name, array in arrays.items()}
            changed = any(path.exists() and path.stat().st_size < size for path, size in paths.items())
            if not changed and not _is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)  # what is mapped outlives it
                with atomic_folder(folder) as temporary:
                    _save(temporary, arrays)


def load(folder: Path) -> Tokens:
    """Map a cached split into memory; nothing is copied.

    CacheLostError where it is damaged or gone, as after a cleaner of temporary folders.
    """
    try:
        arrays = {path.stem: np.load(path, mmap_mode="c") for path in folder.glob("*.npy")}
        second = None
        if "second_values" in arrays:
            second = Ragged(arrays["second_values"], arrays["second_offsets"])
        first = Ragged(arrays["first_values"], arrays["first_offsets"])
        labels, clusters, evidence = arrays["labels"], arrays["clusters"], arrays.get("evidence")
        return Tokens(first, second, labels, clusters, evidence, folder, arrays.get("queries"))
    except (OSError, KeyError, ValueError, EOFError) as error:
        raise CacheLostError(folder) from error


def _content_key(examples: Examples, tokenizer: Tokenizer) -> str:
    digest = hashlib.sha256()
    for side in (examples.first, examples.second):
        digest.update(b"\0none" if side is None else b"\0side")
        for start in range(0, len(side or []), _CHUNK):
            texts = (side or [])[start : start + _CHUNK]
            digest.update("\n".join(texts).encode("utf-8", "surrogatepass"))
            # Lengths too: a text with a line break must not hash like two texts.
            digest.update(np.fromiter(map(len, texts), np.int64, len(texts)).data)
    for array in (examples.labels, examples.clusters, examples.evidence):
        digest.update(b"\0none" if array is None else np.ascontiguousarray(array).tobytes())
    if examples.target != "classes":  # so that the keys of the others stay what they were
        digest.update(examples.target.encode())
        digest.update(b"" if examples.queries is None else examples.queries.tobytes())
    return canonical_hash([SCHEMA, digest.hexdigest(), tokenizer.to_str()])


def _write(folder: Path, examples: Examples, tokenizer: Tokenizer) -> None:
    with atomic_folder(folder) as temporary:
        _save(temporary, _arrays(examples, tokenizer))


def _arrays_of(tokens: Tokens) -> dict[str, NDArray]:
    arrays: dict[str, NDArray] = {"first_values": tokens.first.values, "first_offsets": tokens.first.offsets}
    if tokens.second is not None:
        arrays |= {"second_values": tokens.second.values, "second_offsets": tokens.second.offsets}
    return arrays | _row_arrays(tokens)


def _save(folder: Path, arrays: Mapping[str, NDArray]) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    sums = {path.name: _sha256(path) for path in folder.glob("*.npy")}
    (folder / "sums.json").write_text(json.dumps(sums))


def _arrays(examples: Examples, tokenizer: Tokenizer) -> dict[str, NDArray]:
    first = encode(examples.first, tokenizer)
    arrays: dict[str, NDArray] = {"first_values": first.values, "first_offsets": first.offsets}
    if examples.second is not None:
        second = encode(examples.second, tokenizer)
        arrays |= {"second_values": second.values, "second_offsets": second.offsets}
    return arrays | _row_arrays(examples)


def _row_arrays(rows: Examples | Tokens) -> dict[str, NDArray]:
    """What is known of each row beside its texts."""
    given = {"evidence": rows.evidence, "queries": rows.queries}
    known = {name: array for name, array in given.items() if array is not None}
    return {"labels": rows.labels, "clusters": rows.clusters} | known


def _is_whole(folder: Path) -> bool:
    """Whether every file exists and has the checksum that was written with it."""
    try:
        sums = json.loads((folder / "sums.json").read_text())
        return bool(sums) and all(_sha256(folder / name) == wanted for name, wanted in sums.items())
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
