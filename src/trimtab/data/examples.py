"""Examples: texts, labels and cluster ids as a reader found them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError, nearest
from trimtab.data.label_remarks import may_be_missing


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled texts or pairs of texts, n of them, before any tokenising.

    ``first`` and ``second`` (None for single texts) hold n strings. ``labels`` (n,) int64 index
    ``label_names``. ``clusters`` (n,) int64, dense from 0, name the unit that was sampled, such as
    SNLI's premise; without clusters each row is its own. ``evidence`` (n, 2) int64 holds the position of the
    decisive word in each text, None where it is not known. ``dropped`` counts the rows that were left out:
    without a gold label, broken, or unwanted; ``source`` names the file.
    """

    first: list[str]
    second: list[str] | None
    labels: NDArray[np.int64]
    label_names: tuple[str, ...]
    clusters: NDArray[np.int64]
    evidence: NDArray[np.int64] | None = None
    dropped: int = 0
    source: str = ""

    def __post_init__(self) -> None:
        sides = (self.second, self.labels, self.clusters, self.evidence)
        if any(side is not None and len(side) != len(self.first) for side in sides):
            raise ValueError(f"{self.source}: texts, labels, clusters and evidence differ in length")

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: ArrayLike) -> "Examples":
        """The rows named by ``index`` (rows',) int, in its order; clusters are renumbered, densely from 0.

        ``label_names``, ``dropped`` and ``source`` stay those of the whole.
        """
        rows = np.asarray(index, np.int64)
        second, evidence = self.second, self.evidence
        return replace(
            self,
            first=[self.first[row] for row in rows],
            second=None if second is None else [second[row] for row in rows],
            labels=self.labels[rows],
            clusters=np.unique(self.clusters[rows], return_inverse=True)[1],
            evidence=None if evidence is None else evidence[rows],
        )

    def relabel(self, label_names: Sequence[str]) -> "Examples":
        """The same examples with label ids under ``label_names``, so that two sets agree on the ids.

        Raises InputError where a label that occurs here is not among ``label_names``.
        """
        ids = {name: index for index, name in enumerate(label_names)}
        for used in np.unique(self.labels):
            if self.label_names[used] not in ids:
                raise InputError(unknown_label(self.source, self.label_names[used], ids))
        table = np.array([ids.get(name, -1) for name in self.label_names], np.int64)
        return replace(self, labels=table[self.labels], label_names=tuple(label_names))

    def with_source(self, source: str) -> "Examples":
        """The same examples with another ``source``."""
        return replace(self, source=source)


class Gathering:
    """Builds Examples: rows are added one by one as a file is read.

    ``label_names`` fixes the labels and their order; where it is empty they are those that occur,
    sorted (as numbers where all are). ``mend`` ends the error about an unknown label.
    """

    def __init__(self, source: str, label_names: Sequence[str] = (), mend: str = "correct the row") -> None:
        self.source, self.fixed, self.mend = source, bool(label_names), mend
        self.ids = {name: index for index, name in enumerate(label_names)}
        self.first: list[str] = []
        self.second: list[str] = []
        self.labels: list[int] = []
        self.clusters: list[int] = []
        self.cluster_ids: dict[str, int] = {}
        self.dropped = 0

    def add(
        self, number: int, label: str, first: str, second: str | None = None, cluster: str | None = None
    ) -> None:
        """Add the row of line ``number``; InputError where its label is not one of the fixed ones."""
        if self.fixed and label not in self.ids:
            raise InputError(f"{unknown_label(f'{self.source}:{number}', label, self.ids)} ({self.mend})")
        self.labels.append(self.ids.setdefault(label, len(self.ids)))
        self.first.append(first)
        if second is not None:
            self.second.append(second)
        if cluster is not None:
            self.clusters.append(self.cluster_ids.setdefault(cluster, len(self.cluster_ids)))

    def examples(self) -> Examples:
        """The rows added so far, as Examples."""
        rows = len(self.first)
        gathered = Examples(
            first=self.first,
            second=self.second or None,
            labels=np.array(self.labels, np.int64),
            label_names=tuple(self.ids),
            clusters=np.array(self.clusters, np.int64) if self.clusters else np.arange(rows),
            dropped=self.dropped,
            source=self.source,
        )
        return gathered if self.fixed else gathered.relabel(_in_order(self.ids))


def unknown_label(where: str, label: str, known: Iterable[str]) -> str:
    """The error message about a label that is not in the set."""
    hint = "and may stand for rows without a label" if may_be_missing(label) else nearest(label, known)
    return f"{where}: label {label!r} is not in the set, {hint}"


def renamed(label: str, names: Mapping[str, str], where: str) -> str:
    """The name of a label that a file writes in another form; InputError where it is unknown."""
    if label not in names:
        raise InputError(f"{unknown_label(where, label, names)} (correct the row)")
    return names[label]


def _in_order(names: dict[str, int]) -> list[str]:
    try:
        numbers = {name: float(name) for name in names}
    except ValueError:
        return sorted(names)
    if not all(math.isfinite(number) for number in numbers.values()):
        return sorted(names)
    return sorted(names, key=lambda name: (numbers[name], name))
