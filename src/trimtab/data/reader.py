"""What a reader is, and what is said of the data sets that it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trimtab.data.examples import Examples

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Facts:
    """What a person wants to know of a data set before using it, in words.

    ``columns``: which of its columns are what; ``rows``: how many there are, by split; ``metric``: what it is
    usually judged by; ``clusters``: which rows were sampled together.
    """

    what: str
    columns: str
    labels: str
    metric: str
    clusters: str
    rows: str
    licence: str
    origin: str


@dataclass(frozen=True)
class Reader:
    """A data set or a file format: how it is read, and what there is to know of what it reads.

    ``read(split, root, options)`` gives Examples, ``options`` being of the pydantic model ``options``:
    frozen, strict, extra keys forbidden, every field described. ``text_forms`` has the default first.
    ``facts`` are by data set: one of the reader's own name, or several. ``splits`` is None where any name
    will do. ``own_validation``: whether a study that names no validation rows takes the split of that name;
    else it holds out a share of train, as where the published test labels are secret and all have
    development rows for a test set.
    """

    read: Callable[[str, Path | None, Any], Examples]
    options: type[BaseModel]
    text_forms: tuple[str, ...]
    facts: Mapping[str, Facts]
    splits: tuple[str, ...] | None = SPLITS
    own_validation: bool = True
