"""The type of a reader, and the facts about the data sets that it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trimtab.data.examples import Examples
from trimtab.data.target import Target

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Facts:
    """What a user wants to know about a data set before using it, in words.

    ``columns``: the roles of its columns; ``rows``: their number by split; ``metric``: the usual one;
    ``clusters``: which rows were sampled together.
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
    """A data set or a file format: how it is read, and facts about it.

    ``read(split, root, options)`` gives Examples, ``options`` being of the pydantic model ``options``:
    frozen, strict, extra keys forbidden, every field described. ``text_forms`` begins with the default.
    ``facts`` by data set: one with the reader's name, or several. ``splits`` is None if any name is allowed.
    ``own_validation``: whether a study without [data.validation] validates on the split of that name;
    if not, it holds out a share of train, as where the published test labels are secret and the development
    rows serve as the test set. ``targets``: what its labels can be; where there are several, ``options`` has
    a field of that name.
    """

    read: Callable[[str, Path | None, Any], Examples]
    options: type[BaseModel]
    text_forms: tuple[str, ...]
    facts: Mapping[str, Facts]
    splits: tuple[str, ...] | None = SPLITS
    own_validation: bool = True
    targets: tuple[Target, ...] = ("classes",)
