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
from trimtab.ledger.files import damaged, read_arrays, read_record, sweep, write_arrays, write_record
from trimtab.ledger.records import FailureRecord, TrialConfig, TrialResult
from trimtab.training.epoch import AGAINST_DIVERGING, Epoch

WEIGHTS = "weights.safetensors"
_CONFIG = "config.json"
RESULT = "result.json"
METRICS = "metrics.jsonl"
FAILURE = "failure.json"
PREDICTIONS = "predictions.npz"
CHECKPOINT = "checkpoint.pt"
_AGAIN = "again"
CROSS = "cross"
_EPOCH = TypeAdapter(Epoch)


class Trial:
    """One trial's folder: ``result.json``, written last, means that it is complete.

    config.json: what was trained; metrics.jsonl: a record an epoch; checkpoint.pt: where the attempt
    resumes, until the trial is complete; predictions.npz: logits
    (examples, classes) float32 of each test set; weights.safetensors where the study keeps them, there before
    result.json is; failure.json: the reason, where the last attempt failed; cross/: see Crossed; again/: a
    second attempt, while the first one's result stays whole.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def config(self) -> TrialConfig:
        """What was trained; InputError where it was not, or its file is damaged."""
        path = self.folder / _CONFIG
        config = read_record(path, TrialConfig)
        if config is None:
            raise damaged(path, "there is no such file")
        return config

    @property
    def result(self) -> TrialResult | None:
        """What came out, or None while the trial is not complete."""
        return read_record(self.folder / RESULT, TrialResult)

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
    def diverged(self) -> bool:
        """Whether the last attempt failed because a loss or a logit was no longer finite."""
        return (self.failure or "").endswith(AGAINST_DIVERGING)

    @property
    def weights(self) -> Path | None:
        """Where the trained weights lie, or None where they were not kept."""
        path = self.folder / WEIGHTS
        return path if self.result is not None and path.exists() else None

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
        if again.result is not None:
            self._drop_crossed_unless_same(again)
            for name in (_CONFIG, METRICS, WEIGHTS, PREDICTIONS, RESULT):
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
        write_record(self.folder / _CONFIG, config)

    def write_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Keep the records of the epochs so far, atomically."""
        with atomic_write(self.folder / METRICS) as temporary:
            temporary.write_bytes(b"".join(_EPOCH.dump_json(each) + b"\n" for each in epochs))

    def epochs(self) -> list[Epoch]:
        """The records of all epochs; InputError where the file is damaged."""
        path = self.folder / METRICS
        try:
            return [_EPOCH.validate_json(line) for line in path.read_text().splitlines()]
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error

    def finish(self, result: TrialResult, predictions: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep the predictions, then mark the trial complete."""
        write_arrays(self.folder / PREDICTIONS, predictions)
        write_record(self.folder / RESULT, result)
        self.checkpoint.unlink(missing_ok=True)

    def fail(self, reason: str, traceback: str | None = None, run: str = "") -> None:
        """Note why this attempt, of the run of that name, failed; the next run of the study tries again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_record(self.folder / FAILURE, FailureRecord(reason=reason, traceback=traceback, run=run))

    def predictions(self, name: str) -> NDArray[np.float32]:
        """Logits (examples, classes) on the test set ``name``, all finite; InputError where they are not."""
        return _finite(read_arrays(self.folder / PREDICTIONS, [name])[name], self.folder)


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

    def begin(self) -> None:
        """Make the folder ready for an attempt; what is done stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FAILURE).unlink(missing_ok=True)
        sweep(self.folder)

    def add(self, fingerprint: str, logits: NDArray[np.float32]) -> None:
        """Keep the logits (examples, classes) on the inputs of that fingerprint."""
        write_arrays(self._path(fingerprint), {"logits": logits})

    def fail(self, reason: str, traceback: str | None = None) -> None:
        """Note why this attempt failed; the next run of the study tries again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_record(self.folder / FAILURE, FailureRecord(reason=reason, traceback=traceback))

    def predictions(self, fingerprint: str) -> NDArray[np.float32]:
        """Logits (examples, classes) on the inputs of that fingerprint, all finite; InputError otherwise."""
        return _finite(read_arrays(self._path(fingerprint), ["logits"])["logits"], self.folder.parent)

    def _path(self, fingerprint: str) -> Path:
        return self.folder / f"{fingerprint}.npz"


def _finite(logits: NDArray[np.float32], folder: Path) -> NDArray[np.float32]:
    """The logits as they are; InputError names the trial's folder where some are nan or infinite."""
    if not np.isfinite(logits).all():
        example = int(np.argwhere(~np.isfinite(logits))[0][0])
        raise InputError(
            f"{folder}: its logits of example {example} are nan or infinite; delete the folder, and run the "
            "study again"
        )
    return logits.astype(np.float32, copy=False)  # a compact ledger has half precision
