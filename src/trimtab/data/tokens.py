"""Tokens: both sides of a split as Ragged ids, made once and cached on disk by content."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError, canonical_hash
from trimtab.data.examples import Examples
from trimtab.data.files import cache_root
from trimtab.ragged import Ragged, offsets_of

SCHEMA = 2
_CHUNK = 20_000  # texts encoded at a time: enough for all cores, little beside the result


@dataclass(frozen=True, eq=False)
class Tokens:
    """One tokenised split: ids without special tokens, and what goes with each row.

    first, second: Ragged int32, rows of equal number; second is None for single texts.
    labels, clusters: (rows,) int64. evidence: (rows, 2) int64 token positions, or None.
    folder: where it lies on disk, so that another process can map the same pages.
    """

    first: Ragged
    second: Ragged | None
    labels: NDArray[np.int64]
    clusters: NDArray[np.int64]
    evidence: NDArray[np.int64] | None
    folder: Path

    def __len__(self) -> int:
        return len(self.labels)


def tokenise(examples: Examples, tokenizer: Tokenizer) -> Tokens:
    """The tokens of ``examples``: from the cache where it holds them whole, else made and cached."""
    folder = cache_root() / "tokens" / _content_key(examples, tokenizer)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Another process may want the same split at the same time.
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if not _is_whole(folder):
                shutil.rmtree(folder, ignore_errors=True)
                _write(folder, examples, tokenizer)
    except OSError as error:
        mend = "name another folder for the cache in TRIMTAB_CACHE"
        raise InputError(f"{folder.parent}: cannot be written to ({error.strerror}); {mend}") from error
    return load(folder)


def load(folder: Path) -> Tokens:
    """Map a cached split into memory; nothing is copied."""
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in folder.glob("*.npy")}
    second = None
    if "second_values" in arrays:
        second = Ragged(arrays["second_values"], arrays["second_offsets"])
    first = Ragged(arrays["first_values"], arrays["first_offsets"])
    return Tokens(first, second, arrays["labels"], arrays["clusters"], arrays.get("evidence"), folder)


def encode(texts: list[str], tokenizer: Tokenizer) -> Ragged:
    """Ids of each text without special tokens, as Ragged int32."""
    # An article stands in many pairs, a premise in three: each text is encoded once.
    numbers: dict[str, int] = {}
    index = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, len(texts))
    once = _encode(list(numbers), tokenizer)
    return once if len(numbers) == len(texts) else once.take(index)


def _encode(texts: list[str], tokenizer: Tokenizer) -> Ragged:
    # A text that happens to hold "<sep>" must not forge the boundary of its pair.
    tokenizer.encode_special_tokens = True
    values, lengths = [], []
    for start in range(0, len(texts), _CHUNK):
        rows = [
            encoding.ids
            for encoding in tokenizer.encode_batch_fast(
                texts[start : start + _CHUNK], add_special_tokens=False
            )
        ]
        lengths.append(np.fromiter(map(len, rows), np.int64, len(rows)))
        values.append(np.fromiter((token for row in rows for token in row), np.int32, int(lengths[-1].sum())))
    return Ragged(
        np.concatenate(values or [np.empty(0, np.int32)]),
        offsets_of(np.concatenate(lengths or [np.empty(0, np.int64)])),
    )


def _content_key(examples: Examples, tokenizer: Tokenizer) -> str:
    digest = hashlib.sha256()
    for side in (examples.first, examples.second):
        digest.update(b"\0none" if side is None else "\n".join(side).encode("utf-8", "surrogatepass"))
        # Lengths too: a text that holds a line break must not read like two texts.
        digest.update(np.array([len(text) for text in side or []], np.int64).tobytes())
    for array in (examples.labels, examples.clusters, examples.evidence):
        digest.update(b"\0none" if array is None else np.ascontiguousarray(array).tobytes())
    return canonical_hash([SCHEMA, digest.hexdigest(), tokenizer.to_str()])


def _write(folder: Path, examples: Examples, tokenizer: Tokenizer) -> None:
    """Write aside, then rename: a cached folder is either whole or not there."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".making-"))
    try:
        for name, array in _arrays(examples, tokenizer).items():
            np.save(aside / f"{name}.npy", array)
        sums = {path.name: _sha256(path) for path in aside.glob("*.npy")}
        (aside / "sums.json").write_text(json.dumps(sums))
        os.rename(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _arrays(examples: Examples, tokenizer: Tokenizer) -> dict[str, NDArray]:
    first = encode(examples.first, tokenizer)
    arrays: dict[str, NDArray] = {"first_values": first.values, "first_offsets": first.offsets}
    if examples.second is not None:
        second = encode(examples.second, tokenizer)
        arrays |= {"second_values": second.values, "second_offsets": second.offsets}
    arrays |= {"labels": examples.labels, "clusters": examples.clusters}
    if examples.evidence is not None:
        arrays["evidence"] = examples.evidence
    return arrays


def _is_whole(folder: Path) -> bool:
    """Whether every file is there and has the sum that was written with it."""
    try:
        sums = json.loads((folder / "sums.json").read_text())
        return bool(sums) and all(_sha256(folder / name) == wanted for name, wanted in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
