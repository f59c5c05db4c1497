"""The tokenisers of a study's models, kept in the ledger beside weights, to be used without its data."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.atomic import atomic_write
from trimtab.config import canonical_hash
from trimtab.data.dataset import Dataset
from trimtab.ledger.digests import DIFFERS
from trimtab.ledger.files import damaged, sweep
from trimtab.ledger.records import TokenizerRecord
from trimtab.truncation import Truncation

_FOLDER = "tokenizers"

Frequencies = NDArray[np.int64]


def keep_tokenizers(folder: Path, variants: Sequence[tuple[Dataset, Truncation]]) -> list[TokenizerRecord]:
    """Write into a ledger's folder how each variant reads its texts; what variants share is there once.

    variants: of each, the data as its tokeniser reads it, and its truncation.
    """
    (folder / _FOLDER).mkdir(exist_ok=True)
    sweep(folder / _FOLDER)
    fitting = {dataset: truncation for dataset, truncation in variants if truncation.needs_fit}
    datasets = dict.fromkeys(dataset for dataset, _ in variants)
    kept = {dataset: _keep(folder, dataset, fitting.get(dataset)) for dataset in datasets}
    return [
        kept[dataset] if truncation.needs_fit else kept[dataset].model_copy(update={"frequencies": None})
        for dataset, truncation in variants
    ]


def _keep(folder: Path, dataset: Dataset, fitting: Truncation | None) -> TokenizerRecord:
    """One tokeniser, and what ``fitting``, any truncation that is fitted, counts in the training split.

    All fitted truncations share it: the counts depend on the training split alone.
    """
    train = dataset.splits["train"]
    return TokenizerRecord(
        tokenizer=_keep_tokenizer(folder, dataset.tokenizer),
        frequencies=_keep_frequencies(folder, fitting.fit(train.first, train.second)) if fitting else None,
        texts=1 if train.second is None else 2,
    )


def read_tokenizer(folder: Path, kept: TokenizerRecord) -> tuple[Tokenizer, Frequencies | None]:
    """A variant's tokeniser and the document frequencies of its truncation; InputError where damaged."""
    path = _path(folder, kept.tokenizer, ".json")
    try:
        text = path.read_text(encoding="utf-8")
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the Rust library raises bare Exception for every fault of a file
        raise damaged(path, error) from error
    if canonical_hash(text) != kept.tokenizer:
        raise damaged(path, DIFFERS)
    if kept.frequencies is None:
        return tokenizer, None
    path = _path(folder, kept.frequencies, ".npy")
    try:
        frequencies = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, error) from error
    if _hash(frequencies) != kept.frequencies:
        raise damaged(path, DIFFERS)
    return tokenizer, frequencies


def _keep_tokenizer(folder: Path, tokenizer: Tokenizer) -> str:
    text = tokenizer.to_str()
    name = canonical_hash(text)
    with atomic_write(_path(folder, name, ".json")) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return name


def _keep_frequencies(folder: Path, fitted: Truncation) -> str:
    frequencies = fitted.frequencies
    assert frequencies is not None
    name = _hash(frequencies)
    with atomic_write(_path(folder, name, ".npy")) as temporary:
        np.save(temporary, frequencies, allow_pickle=False)
    return name


def _path(folder: Path, name: str, ending: str) -> Path:
    return folder / _FOLDER / f"{name}{ending}"


def _hash(frequencies: Frequencies) -> str:
    return hashlib.sha256(frequencies.tobytes()).hexdigest()[:32]
