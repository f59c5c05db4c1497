"""Results in a notebook: a ledger that gives its scores as an array with names, and its contrasts as rows.

``trimtab.Ledger`` is the one of this file. Free of torch.
"""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from trimtab.analysis.compared_sets import compared_sets, contrast_rows
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.scores import FinishedVariant, read_scores, tried_variants
from trimtab.config import InputError, nearest
from trimtab.ledger.ledger import Ledger as _Ledger
from trimtab.statistics import score_named
from trimtab.study.grid import Coordinates


@dataclass(frozen=True, eq=False)
class ScoreArray:
    """The score of every example under every trial, with the names of its axes.

    values: (variants, seeds, examples) float64, more is better; nan where the trial is not finished.
    variants: their names; coordinates: of each; seeds: the study's. labels, clusters: (examples,) int;
    label_names: of the labels. Where labels are relevance values are (variants, seeds, queries), of
    ``queries``, and clusters theirs; labels stay those of the examples. score: its name, ``accuracy`` being 0
    or 1 for each example.
    """

    values: NDArray[np.float64]
    variants: tuple[str, ...]
    coordinates: tuple[Coordinates, ...]
    seeds: tuple[int, ...]
    labels: NDArray[Any]
    clusters: NDArray[np.int64]
    label_names: tuple[str, ...]
    test: str
    score: str
    queries: NDArray[np.int64] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(variants, seeds, examples)."""
        return self.values.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.values, dtype=dtype, copy=copy)

    def of(self, variant: str) -> NDArray[np.float64]:
        """The scores (seeds, examples) of one variant; InputError where there is none of that name."""
        if variant not in self.variants:
            raise InputError(f"variant {variant!r}: {nearest(variant, self.variants)}")
        return self.values[self.variants.index(variant)]

    def complete(self) -> "ScoreArray":
        """The same with only the seeds that every variant has finished, as ``trimtab.compare`` needs it.

        InputError where there is no such seed.
        """
        kept: NDArray[np.bool_] = np.asarray(~np.isnan(self.values).any(axis=(0, 2)))
        if not kept.any():
            raise InputError("no seed is finished by every variant; run the study's missing trials first")
        seeds = tuple(seed for seed, there in zip(self.seeds, kept, strict=True) if there)
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return ScoreArray(**named | {"values": self.values[:, kept], "seeds": seeds})

    def frame(self) -> pd.DataFrame:
        """The mean over examples: one row per variant, one column per seed."""
        index = pd.Index(self.variants, name="variant")
        return pd.DataFrame(self.values.mean(axis=2), index, pd.Index(self.seeds, name="seed"))

    def __repr__(self) -> str:
        variants, seeds, examples = self.shape
        return (
            f"ScoreArray({self.score} on {self.test}: {variants} variants, {seeds} seeds, "
            f"{examples:,} examples)"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}; means over examples:</p>" + self.frame().to_html()


class Contrasts(Sequence[ContrastRow]):
    """The declared contrasts of a test set as typed rows in the study's order; see ``frame``."""

    def __init__(self, rows: Sequence[ContrastRow]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, place: int) -> ContrastRow: ...
    @overload
    def __getitem__(self, place: slice) -> "Contrasts": ...
    def __getitem__(self, place: int | slice) -> "ContrastRow | Contrasts":
        return Contrasts(self._rows[place]) if isinstance(place, slice) else self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[ContrastRow]:
        return iter(self._rows)

    def frame(self) -> pd.DataFrame:
        """One row per contrast: both names, then the fields of ``statistics.Contrast``, in the score's units.

        seeds: how many; affected_share and withheld as in ``ContrastRow``; seeds_to_settle, floor: of an open
        contrast, as in ``Chances``; look, stopped: with planned looks, the one at which it
        stopped, from 1, and why.
        """
        return pd.DataFrame([_flat(row) for row in self])

    def __repr__(self) -> str:
        return repr(self.frame())

    def _repr_html_(self) -> str:
        return self.frame().to_html()


def _flat(row: ContrastRow) -> dict[str, Any]:
    names = {"variant": row.variant.name, "baseline": row.baseline.name}
    plain = [field.name for field in fields(row.contrast) if field.name not in ("looks", "earlier")]
    found = {name: getattr(row.contrast, name) for name in plain}
    others = {
        "seeds": len(row.seeds),
        "affected_share": row.affected_share,
        "seeds_to_settle": row.chances.enough if row.chances else None,
        "floor": row.chances.floor if row.chances else None,
        "withheld": row.withheld,
        "look": row.course.look if row.course else None,
        "stopped": row.course.reason if row.course else None,
    }
    return found | names | others


class Ledger(_Ledger):
    """A study's folder of results, with its scores and contrasts; compact ledgers too."""

    def scores(self, test: str | None = None, score: str | None = None) -> ScoreArray:
        """The score of every example under every trial.

        test: a test set, by default the first; score: a name of ``statistics.SCORES``, by default what the
        study judges by. InputError where there is no such test set or score, or no finished trial.
        """
        study, name = self.study, self._test(test)
        rows, finished = self.evaluated(name), self._finished()
        chosen = score or study.compare.score
        scored = read_scores(self, name, finished, score_named(chosen), rows.truth)
        values = np.full((len(study.variants), len(study.seeds), len(rows.truth)), np.nan)
        for one in finished:
            places = [study.seeds.index(seed) for seed in scored.seeds(one.variant)]
            values[one.variant.number, places] = scored.on(one.variant)
        return ScoreArray(
            values=values,
            variants=tuple(variant.name for variant in study.variants),
            coordinates=tuple(variant.coordinates for variant in study.variants),
            seeds=study.seeds,
            labels=rows.labels,
            clusters=rows.unit_clusters,
            label_names=study.labels,
            test=name,
            score=chosen,
            queries=None if rows.queries is None else rows.truth.judged,
        )

    def contrasts(self, test: str | None = None) -> Contrasts:
        """The declared contrasts of a test set, by default the first; p as in the report.

        They are adjusted as one family with those of the study's other test sets.

        A contrast whose two variants share no finished seed is left out. InputError as for ``scores``.
        """
        study, name = self.study, self._test(test)
        every = contrast_rows(*compared_sets(self, study, self._finished()))
        return Contrasts(every[study.tests.index(name)])

    def _finished(self) -> list[FinishedVariant]:
        finished = [one for one in tried_variants(self, self.study) if one.results]
        if not finished:
            raise InputError(f"{self.folder}: no trial is finished; run the study first")
        return finished

    def _test(self, name: str | None) -> str:
        tests = self.study.tests
        if name is not None and name not in tests:
            raise InputError(f"test set {name!r}: {nearest(name, tests)}")
        return tests[0] if name is None else name

    def __repr__(self) -> str:
        return f"Ledger({str(self.folder)!r})"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>" + self.contrasts().frame().to_html()
