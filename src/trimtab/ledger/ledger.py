"""The ledger: a folder that holds what a study asked for and everything that came out. Free of torch."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from trimtab.atomic import TEMPORARY, atomic_write, write_json
from trimtab.config import InputError
from trimtab.ledger.files import read_arrays, read_json, sweep
from trimtab.ledger.trial import Trial

SCHEMA = 1
_NAME = "ledger.json"  # whose ledger this is; written first
_STUDY = "study.json"  # what the study asked for when it last ran
_RUNTIME = "runtime.json"  # device, threads and precision: measured once, then kept
_EVALUATED = "evaluated.npz"  # labels, clusters and inputs' digests of the test sets
_LOCK = ".lock"


class Ledger:
    """A study's folder of results. Reading it needs nothing else: neither the data nor torch."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def claim(self, study: str) -> None:
        """Make the folder this study's own; InputError where it is another's, or cannot be written."""
        self.check(study)
        if not (self.folder / _NAME).exists():
            self._start(study)

    def check(self, study: str) -> None:
        """InputError where the folder is another study's, or another schema's; nothing is written."""
        owner = read_json(self.folder / _NAME)
        if owner is None:  # deleted, as damaged: then study.json still knows
            known = read_json(self.folder / _STUDY)
            owner = {"study": known["name"], "schema": SCHEMA} if known else None
        if owner is None:
            return
        if owner["study"] != study:
            raise InputError(
                f"{self.folder}: holds the results of study {owner['study']!r}; choose another folder with "
                f"--out DIR for {study!r}"
            )
        if owner["schema"] != SCHEMA:
            raise InputError(
                f"{self.folder}: was written by another version of trimtab (schema {owner['schema']}, now "
                f"{SCHEMA}); choose another folder with --out DIR"
            )

    def _start(self, study: str) -> None:
        try:
            begun = (self.folder / _STUDY).exists()
            if self.folder.is_dir() and not begun and not all(map(_is_ours, self.folder.iterdir())):
                raise InputError(
                    f"{self.folder}: holds files but no ledger; choose an empty folder with --out DIR"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / _NAME, {"study": study, "schema": SCHEMA})
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the ledger while a run is at work; the system frees it when the process ends, however it ends.

        InputError where another run holds it, or the folder cannot be written.
        """
        lock = FileLock(self.folder / _LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise InputError(f"{self.folder}: another run is at work here; wait until it ends") from error
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        try:
            sweep(self.folder)
            yield
        finally:
            lock.release()

    def trial(self, key: str) -> Trial:
        """The trial of that key, whether it exists or not."""
        return Trial(self.folder / "trials" / key)

    @property
    def study(self) -> dict[str, Any]:
        """What the study asked for when it last ran; InputError where nothing was run here."""
        study = read_json(self.folder / _STUDY)
        if study is None:
            raise InputError(f"{self.folder}: holds no results; name the folder of a study that was run")
        return study

    @property
    def runtime(self) -> dict[str, Any] | None:
        """Device, threads and precision of the first run, or None before it."""
        return read_json(self.folder / _RUNTIME)

    def write_runtime(self, runtime: Mapping[str, Any]) -> None:
        """Keep what the first run resolved or measured; InputError where the folder cannot be written."""
        try:
            write_json(self.folder / _RUNTIME, runtime)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def write_study(self, study: Mapping[str, Any], evaluated: Mapping[str, NDArray]) -> None:
        """Keep what the study asks for, and what the analysis needs to know of the test sets."""
        with atomic_write(self.folder / _EVALUATED) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **evaluated)
        write_json(self.folder / _STUDY, study)

    def evaluated(self) -> dict[str, NDArray]:
        """Arrays about the test sets: ``labels/SET``, ``clusters/SET`` (examples,), ``digests/SET/INPUT``."""
        return read_arrays(self.folder / _EVALUATED)

    def frame(self) -> pd.DataFrame:
        """One row a variant and seed: coordinates, key, status, accuracy on each test set, rates, memory.

        Rates are the mean over epochs; missing is missing.
        """
        rows = []
        for number, variant in enumerate(self.study["variants"]):
            for seed, key in variant["trials"].items():
                trial = self.trial(key)
                result = trial.result
                status = "done" if result else "failed" if trial.failure else "missing"
                place = {"variant": number, "name": variant["name"], **variant["coordinates"]}
                rows.append(place | {"seed": int(seed), "key": key, "status": status} | (result or {}))
        return pd.json_normalize(rows)


def _is_ours(path: Path) -> bool:
    return path.name == _LOCK or path.name.startswith(TEMPORARY)


def _unwritable(folder: Path, error: OSError) -> InputError:
    mend = "choose another folder with --out DIR"
    return InputError(f"{folder}: cannot be written ({error.strerror}); {mend}")
