"""How a study's models read texts, kept in the ledger beside weights: they can be used without its data.

Free of torch.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.atomic import atomic_write
from trimtab.config import canonical_hash
from trimtab.data.dataset import Dataset
from trimtab.ledger.files import damaged, sweep
from trimtab.plan.plan import Plan
from trimtab.truncation import Truncation

_FOLDER = "tokenizers"

Frequencies = NDArray[np.int64]


class Reading(NamedTuple):
    """What a ledger's folder keeps of how a variant reads: names of files, and how many texts a row has.

    tokenizer: of ``tokenizers/NAME.json``; frequencies: of ``tokenizers/NAME.npy``, what a truncation that is
    fitted counted in the training split, None for others; texts: 1 or 2.
    """

    tokenizer: str
    frequencies: str | None
    texts: Literal[1, 2]


def keep_readings(folder: Path, plan: Plan) -> list[Reading]:
    """Write into a ledger's folder how each variant of the plan reads; what they share is there once."""
    (folder / _FOLDER).mkdir(exist_ok=True)
    sweep(folder / _FOLDER)
    truncations = [variant.settings.truncation for variant in plan.study.variants]
    kept: dict[Dataset, Reading] = {}
    for dataset in plan.readings:
        fitting = [
            each for n, each in enumerate(truncations) if plan.reading(n) is dataset and each.needs_fit
        ]
        kept[dataset] = _keep_reading(folder, dataset, fitting)
    found = [kept[plan.reading(number)] for number in range(len(truncations))]
    return [
        reading if each.needs_fit else reading._replace(frequencies=None)
        for reading, each in zip(found, truncations, strict=True)
    ]


def _keep_reading(folder: Path, dataset: Dataset, fitting: Sequence[Truncation]) -> Reading:
    """How the data is read with one tokeniser, ``fitting`` being the truncations that are fitted on it."""
    train = dataset.splits["train"]
    fitted = fitting[0].fit(train.first, train.second) if fitting else None
    counted = None if fitted is None else _keep_frequencies(folder, fitted)
    return Reading(_keep_tokenizer(folder, dataset.tokenizer), counted, 1 if train.second is None else 2)


def read_reading(folder: Path, reading: Reading) -> tuple[Tokenizer, Frequencies | None]:
    """A variant's tokeniser and the document frequencies of its truncation; InputError where damaged."""
    path = _path(folder, reading.tokenizer, ".json")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust library raises bare Exception for every fault of a file
        raise damaged(path, error) from error
    if reading.frequencies is None:
        return tokenizer, None
    path = _path(folder, reading.frequencies, ".npy")
    try:
        return tokenizer, np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise damaged(path, error) from error


def _keep_tokenizer(folder: Path, tokenizer: Tokenizer) -> str:
    text = tokenizer.to_str()
    name = canonical_hash(text)
    with atomic_write(_path(folder, name, ".json")) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return name


def _keep_frequencies(folder: Path, fitted: Truncation) -> str:
    """What all fitted truncations share: their counts depend on the training split alone."""
    frequencies = fitted.frequencies
    assert frequencies is not None
    name = hashlib.sha256(frequencies.tobytes()).hexdigest()[:32]
    with atomic_write(_path(folder, name, ".npy")) as temporary:
        np.save(temporary, frequencies, allow_pickle=False)
    return name


def _path(folder: Path, name: str, ending: str) -> Path:
    return folder / _FOLDER / f"{name}{ending}"
