"""A trial's folder: what was trained, what came out, cross evaluations. Free of torch."""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.digests import DIFFERS, digest_of, digest_of_file
from trimtab.ledger.files import (
    METRICS,
    damaged,
    read_arrays,
    read_record,
    read_verified,
    sweep,
    write_arrays,
    write_sealed,
)
from trimtab.ledger.trial_records import FailureRecord, TrialConfig, TrialResult
from trimtab.training.epoch import AGAINST_DIVERGING, Epoch

WEIGHTS = "weights.safetensors"
CONFIG = "config.json"
RESULT = "result.json"
FAILURE = "failure.json"
PREDICTIONS = "predictions.npz"
CHECKPOINT = "checkpoint.pt"
_AGAIN = "again"
CROSS = "cross"
_EPOCH = TypeAdapter(Epoch)


class Trial:
    """One trial's folder: ``result.json``, written last, means that it is complete.

    It holds the digests of the other files, which are verified when these are read; those of weights, which
    may be large, only by ``check``.

    config.json: what was trained; metrics.jsonl: a record an epoch; checkpoint.pt: where the attempt
    resumes, until the trial is complete; predictions.npz: logits
    (examples, classes) float32 of each test set; weights.safetensors where the study keeps them, there before
    result.json is; failure.json: the reason, where the last attempt failed; cross/: see Crossed; again/: a
    second attempt, while the first one's result stays whole.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._result = folder / RESULT
        self._known: tuple[object, TrialResult | None] | None = None  # the version of a file, and its record
        self._checked: dict[str, object] = {}  # by name, a file's digest and the version that had it

    @property
    def key(self) -> str:
        """The trial's, which names its folder."""
        return self.folder.parent.name if self.folder.name == _AGAIN else self.folder.name

    @property
    def config(self) -> TrialConfig:
        """What was trained; InputError where it was not, or its file is damaged."""
        path = self.folder / CONFIG
        config = read_record(path, TrialConfig)
        if config is None:
            raise damaged(path, "there is no such file")
        return config

    @property
    def result(self) -> TrialResult | None:
        """What came out, None while the trial is not complete; InputError where it is damaged."""
        path = self._result
        version = version_of(path)
        if version is None or self._known is None or self._known[0] != version:
            result = read_record(path, TrialResult)
            if result is not None and result.key not in ("", self.key):
                raise damaged(path, f"it is of trial {result.key}")
            self._known = version, result
        return self._known[1]

    def check(self, name: str) -> None:
        """InputError where a file of a complete trial is not the one that was written, or is gone."""
        digest, path = self._digest(name), self.folder / name
        if digest is None:  # of an older ledger, or not kept
            return
        found = digest, version_of(path)
        if self._checked.get(name) == found:
            return
        if name == WEIGHTS:
            if path.exists() and digest_of_file(path) != digest:
                raise InputError(
                    f"{path}: {DIFFERS}; delete {path} and run the study again, "
                    "which trains this trial again where its weights are wanted"
                )
        else:
            read_verified(path, digest)
        self._checked[name] = found

    def _digest(self, name: str) -> str | None:
        result = self.result
        return result.files.get(name) if result else None

    @property
    def is_complete(self) -> bool:
        """Whether it has a result that is not damaged."""
        try:
            return self.result is not None
        except InputError:
            return False

    def restore(self, config: TrialConfig) -> None:
        """Write a complete trial's record of what was trained again, where that is damaged or gone."""
        with contextlib.suppress(InputError):
            if self.result is None:
                return
            try:
                self.check(CONFIG)
            except InputError:
                write_sealed(self.folder / CONFIG, config)

    @property
    def failure_record(self) -> FailureRecord | None:
        """What was noted when the last attempt failed, or None."""
        return read_record(self.folder / FAILURE, FailureRecord)

    @property
    def failure(self) -> str | None:
        """Why the last attempt failed, or None."""
        failure = self.failure_record
        return failure.reason if failure else None

    @property
    def failed_by(self) -> str:
        """The run that left the failure of the last attempt; empty where none failed."""
        failure = self.failure_record
        return failure.run if failure else ""

    @property
    def diverged(self) -> bool:
        """Whether the last attempt failed because a loss or a logit was no longer finite."""
        return (self.failure or "").endswith(AGAINST_DIVERGING)

    @property
    def weights(self) -> Path | None:
        """Where the trained weights lie, or None where they were not kept."""
        path = self.folder / WEIGHTS
        return path if path.exists() and self.result is not None else None

    @property
    def has_failure(self) -> bool:
        """Whether the last attempt failed, also where its record is damaged."""
        return (self.folder / FAILURE).exists()

    @property
    def again(self) -> Path:
        """The folder of a second attempt, whether there is one or not."""
        return self.folder / _AGAIN

    @property
    def checkpoint(self) -> Path:
        """The file of the attempt's checkpoint, whether there is one or not."""
        return self.folder / CHECKPOINT

    @property
    def crossed(self) -> "Crossed":
        """Its model's predictions on other test inputs than its own."""
        return Crossed(self.folder / CROSS)

    def attempt(self) -> "Trial":
        """Where to train: here, or in a folder inside where a result stands that must stay until then."""
        return self if self.result is None else Trial(self.folder / _AGAIN)

    def settle(self) -> None:
        """Put a complete second attempt in the first one's place; remove one that was cut short.

        Killed at any moment, it can be done again: the second attempt's result is moved last.
        """
        again = Trial(self.folder / _AGAIN)
        if again.is_complete:
            self._drop_crossed_unless_same(again)
            for name in (CONFIG, METRICS, WEIGHTS, PREDICTIONS, RESULT):
                with contextlib.suppress(FileNotFoundError):  # moved already, before a kill
                    os.replace(again.folder / name, self.folder / name)
            (self.folder / FAILURE).unlink(missing_ok=True)
        shutil.rmtree(again.folder, ignore_errors=True)

    def _drop_crossed_unless_same(self, again: "Trial") -> None:
        """A model that predicts otherwise, perhaps trained on another machine, is evaluated again."""
        old, new = self.folder / PREDICTIONS, again.folder / PREDICTIONS
        if new.exists() and not (old.exists() and filecmp.cmp(old, new, shallow=False)):
            shutil.rmtree(self.crossed.folder, ignore_errors=True)

    def begin(self, config: TrialConfig) -> None:
        """Make the folder ready for an attempt: what an earlier one left goes, but for its checkpoint."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in (FAILURE, WEIGHTS) if self.checkpoint.exists() else (FAILURE, WEIGHTS, METRICS):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.crossed.folder, ignore_errors=True)
        sweep(self.folder)
        write_sealed(self.folder / CONFIG, config)

    def write_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Keep the records of the epochs so far, atomically."""
        with atomic_write(self.folder / METRICS) as temporary:
            temporary.write_bytes(b"".join(_EPOCH.dump_json(each) + b"\n" for each in epochs))

    def epochs(self) -> list[Epoch]:
        """The records of all epochs; InputError where the file is damaged."""
        path = self.folder / METRICS
        content = read_verified(path, self._digest(METRICS))
        try:
            return [_EPOCH.validate_json(line) for line in content.splitlines()]
        except ValueError as error:
            raise damaged(path, error) from error

    def finish(self, result: TrialResult, predictions: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the predictions, then mark the trial complete."""
        write_arrays(self.folder / PREDICTIONS, predictions)
        kept = [name for name in (CONFIG, METRICS, PREDICTIONS, WEIGHTS) if (self.folder / name).exists()]
        files = {name: digest_of_file(self.folder / name) for name in kept}
        write_sealed(self.folder / RESULT, result.model_copy(update={"key": self.key, "files": files}))
        self.checkpoint.unlink(missing_ok=True)

    def fail(self, reason: str, traceback: str | None = None, run: str = "") -> None:
        """Note why this attempt, of the run of that name, failed; the next run of the study tries again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_sealed(self.folder / FAILURE, FailureRecord(reason=reason, traceback=traceback, run=run))

    def predictions(self, name: str) -> NDArray[np.float32]:
        """Logits (examples, classes) on the test set ``name``, all finite; InputError where they are not."""
        arrays = read_arrays(self.folder / PREDICTIONS, [name], self._digest(PREDICTIONS))
        return _logits(arrays[name], self.folder / PREDICTIONS)


class Crossed:
    """A trial's model on test inputs that are not its own: logits, a file for each of them.

    A file is named by its inputs' fingerprint and written atomically: its presence means that it is whole;
    failure.json: the reason, where the last attempt failed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, fingerprint: str) -> bool:
        return self._path(fingerprint).exists()

    @property
    def failure(self) -> str | None:
        """Why the last attempt failed, or None."""
        failure = read_record(self.folder / FAILURE, FailureRecord)
        return failure.reason if failure else None

    def files(self) -> list[Path]:
        """The files of logits that are there."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.name.endswith(".npz"))

    def begin(self) -> None:
        """Make the folder ready for an attempt; what is done stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FAILURE).unlink(missing_ok=True)
        sweep(self.folder)

    def add(self, fingerprint: str, logits: NDArray[np.float32]) -> None:
        """Keep the logits (examples, classes) on the inputs of that fingerprint."""
        digest = np.array(self._digest(fingerprint, logits))
        write_arrays(self._path(fingerprint), {"logits": logits, "digest": digest})

    def fail(self, reason: str, traceback: str | None = None) -> None:
        """Note why this attempt failed; the next run of the study tries again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_sealed(self.folder / FAILURE, FailureRecord(reason=reason, traceback=traceback))

    def predictions(self, fingerprint: str) -> NDArray[np.float32]:
        """Logits (examples, classes) on the inputs of that fingerprint, all finite; InputError otherwise."""
        path = self._path(fingerprint)
        arrays = read_arrays(path)
        logits = arrays.get("logits")
        if logits is None:
            raise damaged(path, "it holds no logits")
        # Older ledgers, and compact ones, have no digest in it.
        if "digest" in arrays and str(arrays["digest"]) != self._digest(fingerprint, logits):
            raise damaged(path, DIFFERS)
        return _logits(logits, path)

    def _digest(self, fingerprint: str, logits: NDArray) -> str:
        """Of logits with the trial and the inputs that they belong to."""
        place = f"{self.folder.parent.name} {fingerprint} {logits.dtype} {logits.shape} "
        return digest_of(place.encode() + np.ascontiguousarray(logits).tobytes())

    def _path(self, fingerprint: str) -> Path:
        return self.folder / f"{fingerprint}.npz"


def version_of(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced or changed, which those of a compact ledger are not; None where
    there is none."""
    if not isinstance(path, Path):
        return (0,)
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _logits(logits: NDArray, path: Path) -> NDArray[np.float32]:
    """The logits as they are; InputError where they are none, or some are nan or infinite."""
    if logits.ndim != 2 or logits.dtype.kind != "f":
        raise damaged(path, f"{logits.dtype} of shape {logits.shape} are no logits of examples and classes")
    if not np.isfinite(logits).all():
        example = int(np.argwhere(~np.isfinite(logits))[0][0])
        raise damaged(path, f"its logits of example {example} are nan or infinite")
    return logits.astype(np.float32, copy=False)  # a compact ledger has half precision
