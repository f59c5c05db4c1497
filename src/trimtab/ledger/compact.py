"""A ledger in one small file, which is committed: the report of a study can be made again from it alone.

    python -m trimtab.ledger.compact results/NAME ...

writes ``results/NAME/ledger.zip``. It holds what the analysis reads, and neither weights nor tokenisers. What
is left out changes no predicted label:

* logits of classes are stored in half precision, each row less its largest value. Every score depends on
  differences within a row alone, and the largest value, which becomes 0, stays the only one that is 0. A
  single output stays as it is, as rounding would make equal ranks of different ones;
* of cross evaluations only the predicted labels stay, where the study's score asks for no more than these;
* digests of inputs are only compared with each other, so that small numbers take their places.
"""

import io
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.digests import digest_of
from trimtab.ledger.evaluated import EvaluatedRows, evaluated_arrays
from trimtab.ledger.files import METRICS, read_verified, sealed_content
from trimtab.ledger.ledger import (
    ARCHIVE,
    EVALUATED,
    LOOKS,
    ROWS,
    RUNTIME,
    STUDY,
    Ledger,
)
from trimtab.ledger.records import StudyRecord
from trimtab.ledger.trial import CROSS, FAILURE, PREDICTIONS, RESULT, Trial
from trimtab.statistics import Score, Truth, score_named

_DATE = (1980, 1, 1, 0, 0, 0)  # of every file in the archive, so that equal ledgers make equal archives
_LEAST = np.float16(-6e-8)  # the largest half-precision number below 0


def compact(folder: Path) -> Path:
    """Write the ledger in ``folder`` into one file beside it, and return that file's path.

    InputError where the folder holds no results, or a file is damaged.
    """
    ledger = Ledger(folder)
    if ledger.is_archived:
        raise InputError(f"{folder}: holds a compact ledger already, and no other; run the study again first")
    study = ledger.study  # before there is a file to write, so that a folder without results is told as such
    with atomic_write(folder / ARCHIVE) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in _files(ledger, study):
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".npz") else zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return folder / ARCHIVE


def _files(ledger: Ledger, study: StudyRecord) -> Iterator[tuple[str, bytes]]:
    """The archive's files: their names, as in a ledger's folder, and their contents."""
    rows = {test: ledger.evaluated(test) for test in study.tests}
    evaluated = _npz(evaluated_arrays({test: _with_small_digests(rows[test]) for test in rows}))
    published = ledger.rows.tests and (ledger.folder / ROWS).read_bytes()
    files = {EVALUATED: digest_of(evaluated)} | ({ROWS: digest_of(published)} if published else {})
    yield STUDY, sealed_content(study.model_copy(update={"files": files}))
    yield RUNTIME, sealed_content(ledger.runtime or study.runtime)
    if published:
        yield ROWS, published
    if looks := ledger.looks:
        yield LOOKS, sealed_content(looks)
    yield EVALUATED, evaluated
    score = score_named(study.compare.score)
    for key, crossed in _trials(study).items():
        trial = ledger.trial(key)
        for name, content in _of_trial(trial, study.tests):
            yield f"trials/{key}/{name}", content
        for inputs, test in crossed.items():
            if inputs in trial.crossed:
                said = _labels_alone(trial.crossed.predictions(inputs), rows[test].truth, score)
                yield f"trials/{key}/{CROSS}/{inputs}.npz", _npz({"logits": said})


def _trials(study: StudyRecord) -> dict[str, dict[str, str]]:
    """By trial: the other inputs that its model is evaluated on, each with its test set."""
    found: dict[str, dict[str, str]] = {}
    for variant in study.variants:
        crossed = {inputs: test for test, asked in variant.cross.items() for inputs in asked}
        for key in variant.trials.values():
            found.setdefault(key, {}).update(crossed)
    return found


def _of_trial(trial: Trial, tests: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    failure, result = trial.failure_record, trial.result
    if failure is not None:
        yield FAILURE, sealed_content(failure)
    metrics = None
    if result is not None or (trial.folder / METRICS).exists():
        metrics = read_verified(trial.folder / METRICS, result.files.get(METRICS) if result else None)
        yield METRICS, metrics
    if result is not None:
        predictions = _npz({test: halved(trial.predictions(test)) for test in tests})
        files = {METRICS: digest_of(metrics or b""), PREDICTIONS: digest_of(predictions)}
        yield PREDICTIONS, predictions
        yield RESULT, sealed_content(result.model_copy(update={"key": trial.key, "files": files}))


def halved(logits: NDArray[np.float32]) -> NDArray[np.float16] | NDArray[np.float32]:
    """Logits (examples, classes) less each row's largest, in half precision, with the same largest place.

    Single outputs (examples, 1) as they are.
    """
    if logits.shape[1] == 1:
        return logits
    differences = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    half = differences.astype(np.float16)
    # What lies below the largest must not be rounded up to it.
    return np.where((half == 0) & (differences < 0), _LEAST, half)


def _labels_alone(
    logits: NDArray[np.float32], truth: Truth, score: Score
) -> NDArray[np.float16] | NDArray[np.float32]:
    """The predicted labels as logits, where the score is the same by these; else the logits halved."""
    predicted = np.eye(logits.shape[1], dtype=np.float16)[logits.argmax(axis=1)] - np.float16(1)
    known, found = (score.of(each[None].astype(np.float32), truth) for each in (logits, predicted))
    return predicted if np.array_equal(known, found) else halved(logits)


def _with_small_digests(rows: EvaluatedRows) -> EvaluatedRows:
    """The same rows, whose digests are numbers from 0 on that agree where the digests did."""
    names = list(rows.digests)
    if not names:
        return rows
    table = np.stack([rows.digests[name] for name in names])
    # Of each example, the place of the first variant that gives it the same tokens.
    first = (table[:, None, :] == table[None, :, :]).argmax(axis=1).astype(np.uint16)
    return replace(rows, digests=dict(zip(names, first, strict=True)))


def _npz(arrays: Mapping[str, NDArray]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def main(folders: Sequence[str]) -> int:
    """Compact the ledgers in these folders, and print each file's path; the exit code, 2 for wrong input."""
    if not folders:
        print("usage: python -m trimtab.ledger.compact results/NAME ...", file=sys.stderr)
        return 2
    try:
        for folder in folders:
            print(compact(Path(folder)))
    except InputError as error:
        print(f"trimtab: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"trimtab: {folder}: cannot be written ({error.strerror}); fix permissions", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
