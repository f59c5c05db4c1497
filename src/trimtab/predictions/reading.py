"""Files of predictions, named on a command line, read into typed arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.predictions.cells import text_of
from trimtab.predictions.naming import place_named
from trimtab.predictions.records import Outputs, PredictedSet, Predictions
from trimtab.predictions.registry import FORMATS
from trimtab.predictions.runs import Known, Run, Runs, RunsOfSet
from trimtab.predictions.source import Place, Source

_NEVER = 1e-30  # stands for a probability of 0, so that its logarithm is finite
_NAMED = 3  # missing combinations that an error names


def read_predictions(
    named: Sequence[str], *, score: str | None = None, labels: Path | None = None
) -> Predictions:
    """Read files of predictions, each named ``FILE``, ``VARIANT=FILE`` or ``VARIANT@SEED=FILE``.

    score: which of several metrics a log holds is the score; labels: a table with the columns example, label
    and, where there are any, cluster and test, for files without labels. InputError where a file cannot be
    read, does not fit to the others, or leaves out what another has.
    """
    runs = Runs(None if labels is None else _known(labels))
    files = []
    for place in map(place_named, named):
        sources = _sources(place, score)
        before = _rows(runs)
        for source in sources:
            _check_names(source, place)
            runs.add(source)
        files.append((str(place.path), _rows(runs) - before))
    return _arrays(runs, tuple(files))


def _sources(place: Place, score: str | None) -> list[Source]:
    if not place.path.exists():
        raise InputError(f"{place.path}: there is no such file; name one as FILE or VARIANT=FILE")
    for found in FORMATS.values():
        if found.reads(place.path):
            return found.read(place, score)
    known = "; ".join(found.words for found in FORMATS.values())
    raise InputError(f"{place.path}: is of no known kind; give {known}")


def _check_names(source: Source, place: Place) -> None:
    for column, given in (("variant", place.variant), ("seed", place.seed)):
        if given is not None and column in source.columns:
            raise InputError(
                f"{source.where}: has a column {column!r}, and is named {given!r} on the command line; leave "
                "one out"
            )


def _known(path: Path) -> Known:
    """Labels and clusters by test set and example; a table without column test is for all of them."""
    [source] = _sources(Place(path), None)
    at = {name: place for place, name in enumerate(source.columns)}
    if set(source.columns) - {"example", "label", "cluster", "test"} or "label" not in at:
        raise InputError(
            f"{path}: has the columns {', '.join(source.columns)}; a table of labels has example and label, "
            "and may have cluster and test"
        )
    found: dict[tuple[str, str], tuple[str, str | None]] = {}
    for number, values in source.rows:
        texts = {name: text_of(values[place], name, f"{path}:{number}") for name, place in at.items()}
        key = texts.get("test", ""), texts["example"]
        if key in found:
            raise InputError(f"{path}:{number}: example {key[1]!r} stands there twice; keep one row")
        found[key] = texts["label"], texts.get("cluster")
    return found


def _rows(runs: Runs) -> int:
    return sum(len(run.examples) for of_set in runs.sets.values() for run in of_set.runs.values())


def _arrays(runs: Runs, files: tuple[tuple[str, int], ...]) -> Predictions:
    where = files[0][0] if len(files) == 1 else f"the {len(files)} files"
    assert runs.kind is not None
    variants = tuple(runs.variants)
    if len(variants) < 2:
        raise InputError(
            f"{where}: {variants[0]!r} is the only variant; a comparison needs two, in a column 'variant' "
            "or as VARIANT=FILE"
        )
    _check_runs(runs, where)
    classes: dict[str, int] = {}
    if runs.kind != "score":
        labels = {str(label) for of_set in runs.sets.values() for label in of_set.labels}
        classes = runs.classes.settle(labels, where)
        if len(classes) < 2:
            raise InputError(
                f"{where}: every label and prediction is {next(iter(classes))!r}; give two classes"
            )
    sets = [_set(name, of_set, runs, classes, where) for name, of_set in runs.sets.items()]
    clustered = any(cluster is not None for of_set in runs.sets.values() for cluster in of_set.clusters)
    return Predictions(files, runs.kind, variants, tuple(classes), clustered, tuple(sets))


def _check_runs(runs: Runs, where: str) -> None:
    """InputError where a run has an example twice, or lacks one that another run has."""
    every = list(dict.fromkeys(key for of_set in runs.sets.values() for key in of_set.runs))
    several = len(runs.sets) > 1
    missing: list[str] = []
    count = 0
    for test, of_set in runs.sets.items():
        ids, on = list(of_set.examples), f" on {test!r}" if several else ""
        if len(ids) < 2:
            raise InputError(
                f"{where}: there is one example{on}, {ids[0]!r}, which permits no claim; give more of them"
            )
        for variant, seed in every:
            run = of_set.runs.get((variant, seed), Run())
            there = np.bincount(np.asarray(run.examples, np.int64), minlength=len(ids))
            if there.max() > 1:
                twice = np.flatnonzero(there > 1)
                raise InputError(
                    f"{where}: variant {variant!r}, seed {seed} has example {ids[twice[0]]!r}{on} "
                    f"{there[twice[0]]} times ({len(twice):,} examples more than once); keep one row of each"
                )
            lacking = np.flatnonzero(there == 0)
            count += len(lacking)
            missing += [
                f"variant {variant!r}, seed {seed}, example {ids[number]!r}{on}"
                for number in lacking[: _NAMED - len(missing)]
            ]
    if count:
        such = "" if count <= _NAMED else "such as "
        raise InputError(
            f"{where}: {count:,} combination{'s' * (count > 1)} of variant, seed and example "
            f"{'are' if count > 1 else 'is'} missing: {such}{'; '.join(missing)}; give all runs the same "
            "examples"
        )


def _set(name: str, of_set: RunsOfSet, runs: Runs, classes: dict[str, int], where: str) -> PredictedSet:
    number = len(of_set.examples)
    labels = np.zeros(number, np.int64)
    if classes:
        labels[:] = [classes[str(label)] for label in of_set.labels]
    clusters = np.arange(number)
    if of_set.clusters[0] is not None:
        clusters = np.unique([str(each) for each in of_set.clusters], return_inverse=True)[1].astype(np.int64)
        if clusters.max() == 0:
            raise InputError(
                f"{where}: all examples of {name!r} are in one cluster, which permits no claim; leave the "
                "column 'cluster' out, or give more clusters"
            )
    order = [classes[each] for each in runs.classes.numbers] if runs.kind == "prediction" else []
    numbers = {variant: place for place, variant in enumerate(runs.variants)}
    outputs: dict[int, dict[int, Outputs]] = {place: {} for place in numbers.values()}
    for variant, seed in sorted(of_set.runs, key=lambda key: (numbers[key[0]], key[1])):
        outputs[numbers[variant]][seed] = _outputs(of_set.runs[variant, seed], runs, len(classes), order)
    return PredictedSet(name, tuple(of_set.examples), labels, clusters, outputs)


def _outputs(run: Run, runs: Runs, classes: int, order: Sequence[int]) -> Outputs:
    """The values of a run (examples, classes), in the order of the examples."""
    places = np.asarray(run.examples, np.int64)
    values: NDArray[np.float64] = np.asarray(run.values, np.float64).reshape(len(places), -1)
    sorted_values = np.empty_like(values)
    sorted_values[places] = values
    if runs.kind == "prediction":
        return np.eye(classes)[np.asarray(order)[sorted_values[:, 0].astype(np.int64)]]
    if runs.kind == "probability":
        return np.log(np.maximum(sorted_values, _NEVER))
    return sorted_values
