"""What predictions are judged against, and what is judged: each example, or in rankings each query."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.ragged import splitmix


@dataclass(frozen=True, eq=False)
class Truth:
    """The labels of a test set, (examples,): numbers of classes, scores, or grades of relevance.

    queries: (examples,) int64, of relevance alone. Examples of one query are ranked among themselves, and the
    query is the unit that is judged. A query without a relevant example has no ranking that could be right,
    and is left out, as trec_eval and its followers do. The units of all else are the examples.
    """

    labels: NDArray[Any]
    queries: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """The number of units that are judged."""
        return len(self.labels) if self.queries is None else len(self.judged)

    @cached_property
    def judged(self) -> NDArray[np.int64]:
        """The queries that are judged, rising: those with a relevant example."""
        assert self.queries is not None
        return np.unique(self.queries[self.labels > 0])

    @cached_property
    def unit(self) -> NDArray[np.int64]:
        """The unit of each example, (examples,), from 0; -1 where its query is not judged."""
        if self.queries is None:
            return np.arange(len(self.labels))
        place = np.minimum(np.searchsorted(self.judged, self.queries), len(self.judged) - 1)
        return np.where(self.judged[place] == self.queries, place, -1)

    def mean_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The mean over the examples of each unit, (units,); examples' own values as they are."""
        if self.queries is None:
            return values
        sums = np.bincount(self._known, self._of_known(values), len(self))
        return sums / np.bincount(self._known, minlength=len(self))

    def first_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """The value of each unit's first example, (units,)."""
        if self.queries is None:
            return values
        return values[np.unique(self.unit, return_index=True)[1][-len(self) :]]

    def digests_of(self, digests: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        """A digest of each unit, (units,), from those of its examples: equal where all of theirs are."""
        if self.queries is None:
            return digests
        found = np.zeros(len(self), np.uint64)
        with np.errstate(over="ignore"):
            # By the place among the examples too, so that two that change places are noticed.
            mixed = splitmix(digests.astype(np.uint64) ^ splitmix(np.arange(len(digests), dtype=np.uint64)))
            np.add.at(found, self._known, self._of_known(mixed))
        return found

    @cached_property
    def _known(self) -> NDArray[np.int64]:
        return self.unit[self.unit >= 0]

    def _of_known(self, values: NDArray[Any]) -> NDArray[Any]:
        return values[self.unit >= 0]
