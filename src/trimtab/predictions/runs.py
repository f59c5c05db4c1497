"""Rows of predictions gathered into runs: what one variant with one seed says of each example."""

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trimtab.config import InputError
from trimtab.predictions.cells import text_of, whole
from trimtab.predictions.source import Source
from trimtab.predictions.values import Classes, Kind, value_reader

Known = Mapping[tuple[str, str], tuple[str, str | None]]  # (test set, example) -> (label, cluster)

_TEST = re.compile(r"\w[\w.+-]*")


@dataclass
class Run:
    """One variant with one seed on one test set: numbers of examples, and the values of each.

    Those are a score, the number of the predicted class, or the probability of each class.
    """

    examples: array = field(default_factory=lambda: array("q"))
    values: array = field(default_factory=lambda: array("d"))


@dataclass
class RunsOfSet:
    """A test set's runs by (variant, seed), numbers of its examples by id, and what belongs to each example.

    labels, clusters, same: by number of an example; None where there is none.
    """

    examples: dict[str, int] = field(default_factory=dict)
    labels: list[str | None] = field(default_factory=list)
    clusters: list[str | None] = field(default_factory=list)
    same: list[Any] = field(default_factory=list)
    runs: dict[tuple[str, int], Run] = field(default_factory=dict)


class Runs:
    """Everything that was read so far; kind, classes: what predictions are, the same in every file."""

    def __init__(self, known: Known | None = None) -> None:
        self.sets: dict[str, RunsOfSet] = {}
        self.variants: dict[str, None] = {}
        self.classes = Classes()
        self.kind: Kind | None = None
        self.has_clusters: bool | None = None
        self._known, self._first = known, ""
        self._files: dict[
            tuple[str, str], int
        ] = {}  # that have no seed of their own, by variant and test set

    def add(self, source: Source) -> None:
        """Take in the rows of a file; InputError where a row is wrong, or the file unlike those before."""
        columns, known = source.columns, self._known
        self._check_alike(source)
        at = {name: place for place, name in enumerate(columns)}
        value_of, where = value_reader(self.kind, self.classes, source, at), source.where
        places = [at.get(name) for name in ("test", "variant", "seed")]
        example_at, label_at, cluster_at = at["example"], at.get("label"), at.get("cluster")
        constants = (source.test, source.variant, self._seed(source, places[2]))
        found: dict[tuple[Any, ...], tuple[str, RunsOfSet, Run]] = {}
        for number, values in source.rows:
            key = tuple(
                constant if place is None else values[place]
                for place, constant in zip(places, constants, strict=True)
            )
            here = found.get(key)
            if here is None:
                here = found[key] = self._run(key, f"{where}:{number}")
            test, of_set, run = here
            raw = values[example_at]
            example = raw if type(raw) is str and raw else text_of(raw, "example", f"{where}:{number}")
            place = of_set.examples.get(example)
            if place is None:
                place = of_set.examples[example] = len(of_set.examples)
                label = cluster = None
                if known is not None:
                    label, cluster = _looked_up(known, test, example, f"{where}:{number}")
                of_set.labels.append(label)
                of_set.clusters.append(cluster)
                of_set.same.append(None)
            for column, kept in ((label_at, of_set.labels), (cluster_at, of_set.clusters)):
                if column is not None:
                    said = values[column]
                    if type(said) is not str or not said:
                        said = text_of(said, columns[column], f"{where}:{number}")
                    if kept[place] != said:
                        _settle(kept, place, said, columns[column], example, f"{where}:{number}")
            if source.same is not None and values[source.same] is not None:
                _settle(of_set.same, place, values[source.same], "question", example, f"{where}:{number}")
            run.examples.append(place)
            value_of(values, number, run.values)
        if not found:
            raise InputError(f"{where}: holds no row of predictions; write one row per example and run")

    def _check_alike(self, source: Source) -> None:
        has = [
            name
            for name in ("score", "prediction", "probability")
            if any(each == name or each.startswith(f"{name}_") for each in source.columns)
        ]
        if len(has) != 1:
            what = f"holds {' and '.join(has)}" if has else "holds no predictions"
            raise InputError(
                f"{source.where}: {what}; give one of the columns score, prediction (with label) or "
                "probability (with label)"
            )
        kind: Any = has[0]
        if self.kind not in (None, kind):
            raise InputError(
                f"{source.where}: holds {kind}, and {self._first} holds {self.kind}; give all files the same"
            )
        clustered = "cluster" in source.columns
        if self.has_clusters not in (None, clustered):
            one, other = (self._first, source.where) if clustered else (source.where, self._first)
            raise InputError(f"{one}: has no column 'cluster', and {other} has; give it in all files or none")
        if kind != "score" and "label" not in source.columns and self._known is None:
            raise InputError(
                f"{source.where}: no column 'label' beside {kind!r}; add it, or name a table of labels with "
                "--labels FILE"
            )
        if kind == "score" and "label" in source.columns:
            raise InputError(
                f"{source.where}: holds both score and label; a score is all that is judged, so take the "
                "label out"
            )
        self.kind, self.has_clusters, self._first = kind, clustered, self._first or source.where

    def _seed(self, source: Source, column: int | None) -> int | None:
        """The seed of a file; those without one are numbered in their order, by variant."""
        if column is not None or source.seed is not None:
            return source.seed
        key = source.variant, source.test
        self._files[key] = self._files.get(key, -1) + 1
        return self._files[key]

    def _run(self, key: tuple[Any, ...], where: str) -> tuple[str, RunsOfSet, Run]:
        test, variant = (text_of(key[n], name, where) for n, name in ((0, "test"), (1, "variant")))
        if not _TEST.fullmatch(test):
            raise InputError(
                f"{where}: test set {test!r} would name files; use letters, digits and any of _ . + -"
            )
        seed = whole(key[2], where)
        self.variants.setdefault(variant)
        of_set = self.sets.setdefault(test, RunsOfSet())
        return test, of_set, of_set.runs.setdefault((variant, seed), Run())


def _looked_up(known: Known, test: str, example: str, where: str) -> tuple[str, str | None]:
    found = known.get((test, example)) or known.get(("", example))
    if found is None:
        raise InputError(f"{where}: example {example!r} has no label in the table of --labels; add it there")
    return found


def _settle(kept: list[Any], place: int, said: Any, column: str, example: str, where: str) -> None:
    """Keep what is said of an example first; InputError where it is another thing later."""
    if kept[place] is None:
        kept[place] = said
    elif kept[place] != said:
        raise InputError(
            f"{where}: example {example!r} has {column} {said!r}, and {kept[place]!r} in a row before; all "
            "variants must be given the same examples"
        )
