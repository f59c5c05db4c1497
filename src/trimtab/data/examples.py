"""Examples: texts, labels and cluster ids as a reader found them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.config import InputError, nearest
from trimtab.data.label_remarks import may_be_missing
from trimtab.data.target import Labels, Target, number_of, target_of

NO_EVIDENCE = -1  # in place of a position, where a text has no decisive word


@dataclass(frozen=True, eq=False)
class Examples:
    """Labelled texts or pairs of texts, n of them, before any tokenising.

    ``first`` and ``second`` (None for single texts) hold n strings. ``labels`` (n,) int64 index
    ``label_names``; where ``target`` is not classes they are numbers, float64, and have no names.
    ``clusters`` (n,) int64, dense from 0, name the unit that was sampled, such as SNLI's premise; without
    clusters each row is its own. ``evidence`` (n, 2) int64 holds the position of the decisive word in each
    text, or NO_EVIDENCE; None where it is not known. ``queries`` (n,) int64, dense from 0, of relevance
    alone: rows with one query are ranked among themselves, and lie in one cluster. ``dropped`` counts the
    rows that were left out: without a gold label, broken, or unwanted; ``source`` names the file.
    """

    first: list[str]
    second: list[str] | None
    labels: Labels
    label_names: tuple[str, ...]
    clusters: NDArray[np.int64]
    evidence: NDArray[np.int64] | None = None
    queries: NDArray[np.int64] | None = None
    dropped: int = 0
    source: str = ""

    def __post_init__(self) -> None:
        sides = (self.second, self.labels, self.clusters, self.evidence, self.queries)
        if any(side is not None and len(side) != len(self.first) for side in sides):
            raise ValueError(f"{self.source}: texts, labels, clusters and evidence differ in length")

    @property
    def target(self) -> Target:
        """What the labels are."""
        return target_of(self.labels, self.queries)

    def __len__(self) -> int:
        return len(self.first)

    def take(self, index: ArrayLike) -> "Examples":
        """The rows named by ``index`` (rows',) int, in its order; clusters and queries are
        renumbered, densely from 0.

        ``label_names``, ``dropped`` and ``source`` stay those of the whole.
        """
        rows = np.asarray(index, np.int64)
        second, evidence, queries = self.second, self.evidence, self.queries
        return replace(
            self,
            first=[self.first[row] for row in rows],
            second=None if second is None else [second[row] for row in rows],
            labels=self.labels[rows],
            clusters=np.unique(self.clusters[rows], return_inverse=True)[1],
            evidence=None if evidence is None else evidence[rows],
            queries=None if queries is None else np.unique(queries[rows], return_inverse=True)[1],
        )

    def relabel(self, label_names: Sequence[str]) -> "Examples":
        """The same examples with label ids under ``label_names``, so that two sets agree on the ids.

        Raises InputError where a label that occurs here is not among ``label_names``. Numbers have no names,
        and stay.
        """
        if self.target != "classes":
            return self
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
    sorted (as numbers where all are). ``mend`` ends the error about an unknown label. Where ``target`` is
    not classes labels are numbers; of relevance, rows without a query belong to that of their first text, and
    rows without a cluster to that of their query.
    """

    def __init__(
        self,
        source: str,
        label_names: Sequence[str] = (),
        mend: str = "correct the row",
        target: Target = "classes",
    ) -> None:
        label_names = label_names if target == "classes" else ()  # numbers have none
        self.source, self.fixed, self.mend, self.target = source, bool(label_names), mend, target
        self.ids = {name: index for index, name in enumerate(label_names)}
        self.first: list[str] = []
        self.second: list[str] = []
        self.labels: list[float] = []
        self.queries = _Numbered()
        self.owners: dict[str, str] = {}  # the cluster of each query
        self.clusters = _Numbered()
        self.dropped = 0

    def add(
        self,
        number: int,
        label: str,
        first: str,
        second: str | None = None,
        cluster: str | None = None,
        query: str | None = None,
    ) -> None:
        """Add the row of line ``number``; InputError where its label is not one of the fixed ones.

        And where it is no number and should be one, or a query's rows have several clusters.
        """
        where = f"{self.source}:{number}"
        self.labels.append(self._label(label, where))
        self.first.append(first)
        if second is not None:
            self.second.append(second)
        if self.target == "relevance":
            query = first if query is None else query
            cluster = query if cluster is None else cluster
            if self.owners.setdefault(query, cluster) != cluster:
                raise InputError(
                    f"{where}: query {query!r} has the clusters {self.owners[query]!r} and {cluster!r}; give "
                    "all rows of a query one cluster"
                )
            self.queries.add(query)
        if cluster is not None:
            self.clusters.add(cluster)

    def _labels(self) -> Labels:
        is_numbered = self.target == "classes"
        return np.array(self.labels, np.int64) if is_numbered else np.array(self.labels, np.float64)

    def _label(self, label: str, where: str) -> float:
        if self.target != "classes":
            return number_of(label, where, self.target)
        if self.fixed and label not in self.ids:
            raise InputError(f"{unknown_label(where, label, self.ids)} ({self.mend})")
        return self.ids.setdefault(label, len(self.ids))

    def examples(self) -> Examples:
        """The rows added so far, as Examples."""
        rows = len(self.first)
        gathered = Examples(
            first=self.first,
            second=self.second or None,
            labels=self._labels(),
            label_names=tuple(self.ids),
            clusters=self.clusters.array() if len(self.clusters) else np.arange(rows),
            queries=self.queries.array() if self.target == "relevance" else None,
            dropped=self.dropped,
            source=self.source,
        )
        return gathered if self.fixed else gathered.relabel(_in_order(self.ids))


class _Numbered:
    """Names as numbers from 0, in the order in which they occur."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._numbers: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, name: str) -> None:
        self._numbers.append(self._ids.setdefault(name, len(self._ids)))

    def array(self) -> NDArray[np.int64]:
        return np.array(self._numbers, np.int64)


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
