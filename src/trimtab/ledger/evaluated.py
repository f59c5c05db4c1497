"""What the analysis needs to know of a test set's examples, and its file, evaluated.npz."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from trimtab.ledger.files import damaged, read_arrays
from trimtab.ledger.records import StudyRecord

if TYPE_CHECKING:
    from trimtab.statistics import Truth


@dataclass(frozen=True, eq=False)
class EvaluatedRows:
    """What the analysis needs to know of a test set's examples.

    labels: (examples,), numbers of classes, or float64 where they are none; clusters: (examples,) int64;
    digests: (examples,) uint64 by the fingerprint of a variant's inputs:
    two variants give an example the same tokens where their digests agree. lengths: tokens of each row before
    any cut, special ones included, (examples,) int32 by tokeniser; kept: after it, by fingerprint; both are
    empty in ledgers that were written before there were any. queries: (examples,) int64, of relevance alone.

    What is judged are the examples, or the queries that have a relevant one: the units of ``truth``.
    """

    labels: NDArray[Any]
    clusters: NDArray[np.int64]
    digests: Mapping[str, NDArray[np.unsignedinteger]] = field(default_factory=dict)
    lengths: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    kept: Mapping[str, NDArray[np.int32]] = field(default_factory=dict)
    queries: NDArray[np.int64] | None = None

    @cached_property
    def truth(self) -> "Truth":
        """What predictions are judged against."""
        from trimtab.statistics import Truth  # scipy takes its time, and few readers need it

        return Truth(self.labels, self.queries)

    @cached_property
    def unit_clusters(self) -> NDArray[np.int64]:
        """The cluster of each unit."""
        return self.truth.first_of(self.clusters)

    @property
    def shared_clusters(self) -> NDArray[np.int64] | None:
        """The clusters of units; None where each is its own: plain formulas say the same, and faster."""
        clusters = self.unit_clusters
        return clusters if len(np.unique(clusters)) < len(clusters) else None

    def unit_digests(self, inputs: str) -> NDArray[np.unsignedinteger]:
        """A digest of each unit under the inputs of that fingerprint."""
        return self.truth.digests_of(self.digests[inputs])


def evaluated_arrays(tests: Mapping[str, EvaluatedRows]) -> dict[str, NDArray]:
    """The arrays of evaluated.npz: ``labels/SET``, ``clusters/SET``, and by inputs ``digests/SET/INPUTS``
    etc.
    """
    arrays: dict[str, NDArray] = {}
    for name, rows in tests.items():
        arrays |= {f"labels/{name}": rows.labels, f"clusters/{name}": rows.clusters}
        if rows.queries is not None:
            arrays[f"queries/{name}"] = rows.queries
        for what, by in (("digests", rows.digests), ("lengths", rows.lengths), ("kept", rows.kept)):
            # Tokenisers may be called anything, also what a zip file would take for a path.
            arrays |= {f"{what}/{name}/{quote(key, safe='')}": each for key, each in by.items()}
    return arrays


def read_evaluated(path: Path, digest: str | None, study: StudyRecord, test: str) -> EvaluatedRows:
    """The rows of one test set; digest: of the file, None where it is not known.

    InputError where the file is damaged, or does not suit the study.
    """
    arrays = read_arrays(path, None, digest)
    digests, lengths, kept = (_below(f"{what}/{test}/", arrays) for what in ("digests", "lengths", "kept"))
    labels, clusters = (arrays.get(f"{what}/{test}") for what in ("labels", "clusters"))
    queries = arrays.get(f"queries/{test}")
    if labels is None or clusters is None:
        raise damaged(path, f"it holds no test set {test}")
    if (queries is None) != (study.target != "relevance"):
        raise damaged(path, f"its queries of test set {test} do not suit a target of {study.target}")
    whole = [labels] if study.target == "classes" else []
    whole += [clusters, *digests.values(), *lengths.values(), *kept.values()]
    whole += [] if queries is None else [queries]
    if labels.ndim != 1 or any(each.shape != labels.shape or each.dtype.kind not in "iu" for each in whole):
        raise damaged(path, f"its arrays of test set {test} are not a whole number for each row")
    if not _suits(labels, study):
        raise damaged(path, f"its labels of test set {test} are not the study's")
    return EvaluatedRows(labels, clusters, digests, lengths, kept, queries)


def _suits(labels: NDArray[Any], study: StudyRecord) -> bool:
    """Whether these can be labels of a test set of the study."""
    if not len(labels):
        return False
    if study.target == "classes":
        return bool(labels.min() >= 0 and labels.max() < len(study.labels))
    whole = labels.dtype.kind == "f" and bool(np.isfinite(labels).all())
    return whole and (study.target == "score" or bool(labels.min() >= 0 and labels.max() > 0))


def _below(start: str, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """The arrays whose names begin so, by the rest of their names."""
    return {
        unquote(name.removeprefix(start)): found for name, found in arrays.items() if name.startswith(start)
    }
