"""The ledger: a folder that holds what a study asked for and everything that came out."""

import contextlib
import errno
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.claims import CLAIMS
from trimtab.ledger.digests import digest_of_file
from trimtab.ledger.evaluated import EvaluatedRows, evaluated_arrays, read_evaluated
from trimtab.ledger.files import (
    damaged,
    read_json,
    read_record,
    read_verified,
    write_arrays,
    write_record,
    write_sealed,
)
from trimtab.ledger.record import SCHEMA
from trimtab.ledger.records import (
    LedgerRecord,
    LooksRecord,
    RowsRecord,
    RuntimeRecord,
    StudyRecord,
    VariantRecord,
)
from trimtab.ledger.runs import RUNS
from trimtab.ledger.trial import CONFIG, Trial, version_of
from trimtab.ledger.trial_records import TrialResult

if TYPE_CHECKING:
    import pandas as pd

ARCHIVE = "ledger.zip"  # the whole in a compact form, read where there is no other; see ledger.compact
ROWS = "rows.json"  # some rows of the test sets with their cuts, unless the study keeps them to itself
STUDY = "study.json"  # what the study asked for when it last ran
LOOKS = "looks.json"  # what its planned looks have come to
RUNTIME = "runtime.json"  # device, threads and precision: measured once, then kept
EVALUATED = "evaluated.npz"  # labels, clusters and inputs' digests of the test sets
LEDGER = "ledger.json"  # whose ledger this is; written first


class Ledger:
    """A study's folder of results. Reading it needs nothing else: neither the data nor torch.

    Where the folder holds nothing but a compact ledger (``ledger.zip``), results are read from that.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder: Path = Path(folder)
        self._is_begun = False
        self._archive: zipfile.Path | None = None
        # What was read, as long as its files are what they were: an analysis asks for a record many times.
        self._trials: dict[tuple[bool, str], Trial] = {}
        self._study: tuple[object, StudyRecord] | None = None

    @property
    def is_archived(self) -> bool:
        """Whether results are read from the compact ledger: there is one, and no run in the folder itself."""
        begun = self._is_begun or (self.folder / STUDY).exists()
        return not begun and (self.folder / ARCHIVE).exists()

    @property
    def root(self) -> Path:
        """Where the files of results are read: the folder, or the compact ledger, which reads like one."""
        if not self.is_archived:
            return self.folder
        self._archive = self._archive or _opened(self.folder / ARCHIVE)
        return cast(Path, self._archive)

    def begin(self, study: str) -> None:
        """Make the folder this study's own, to write into; InputError where it is another's or read-only."""
        self.check(study)
        if not (self.folder / LEDGER).exists():
            self._start(study)
            self.check(study)  # another run may have begun another study meanwhile
        if not os.access(self.folder, os.W_OK):
            raise _unwritable(self.folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))
        self._is_begun = True

    def check(self, study: str) -> None:
        """InputError where the folder is another study's, or another schema's; nothing is written."""
        self.check_schema()
        owner = self.owner()
        if owner is None:  # deleted, as damaged: then study.json still knows
            known = read_record(self.folder / STUDY, StudyRecord)
            owner = LedgerRecord(study=known.name) if known else None
        if owner is not None and owner.study != study:
            raise InputError(
                f"{self.folder}: holds the results of study {owner.study!r}; choose another folder with "
                f"--out DIR for {study!r}"
            )

    def owner(self) -> LedgerRecord | None:
        """Whose ledger this is, None where that file is gone; InputError where it is damaged."""
        return read_record(self.folder / LEDGER, LedgerRecord)

    def check_schema(self) -> None:
        """InputError where another version of trimtab wrote the ledger."""
        found = (read_json(self.folder / LEDGER) or {"schema": SCHEMA}).get("schema")
        if found != SCHEMA:
            raise InputError(
                f"{self.folder}: was written by another version of trimtab (its ledger schema is {found}, "
                f"this version's {SCHEMA}); choose another folder with --out DIR"
            )

    def _start(self, study: str) -> None:
        try:
            begun = (self.folder / STUDY).exists() or holds_trials(self.folder)
            if self.folder.is_dir() and not begun and not all(map(_is_ours, self.folder.iterdir())):
                raise InputError(
                    f"{self.folder}: holds files but no ledger; choose an empty folder with --out DIR"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            write_record(self.folder / LEDGER, LedgerRecord(study=study))
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def trial(self, key: str) -> Trial:
        """The trial of that key, whether it exists or not."""
        place = self.is_archived, key
        if place not in self._trials:
            self._trials[place] = Trial(self.root / "trials" / key)
        return self._trials[place]

    @property
    def has_study(self) -> bool:
        """Whether a study was run here."""
        return (self.root / STUDY).exists()

    @property
    def study(self) -> StudyRecord:
        """What the study asked for when it last ran; InputError where nothing was run here."""
        version = self.is_archived, *map(version_of, (self.root / STUDY, self.folder / LEDGER))
        if self._study is None or self._study[0] != version:
            self._study = version, self._read_study()
        return self._study[1]

    def _read_study(self) -> StudyRecord:
        self.check_schema()
        study = read_record(self.root / STUDY, StudyRecord)
        if study is None:
            raise InputError(f"{self.folder}: holds no results; name the folder of a study that was run")
        owner = self.owner()
        if owner is not None and owner.study != study.name:
            why = f"it is of study {study.name!r}, and {LEDGER} of {owner.study!r}"
            raise damaged(self.root / STUDY, why)
        return study

    @property
    def runtime(self) -> RuntimeRecord | None:
        """Device, threads and precision of the first run, or None before it."""
        runtime = read_record(self.folder / RUNTIME, RuntimeRecord)
        if runtime is None and (self.folder / STUDY).exists():  # deleted, as damaged
            with contextlib.suppress(InputError):
                return self.study.runtime
        return runtime

    def write_runtime(self, runtime: RuntimeRecord) -> None:
        """Keep what the first run resolved or measured; InputError where the folder cannot be written."""
        try:
            write_sealed(self.folder / RUNTIME, runtime)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def write_study(
        self, study: StudyRecord, tests: Mapping[str, EvaluatedRows], rows: RowsRecord | None = None
    ) -> None:
        """Keep what the study asks for, and what the analysis needs to know of the test sets.

        rows: to be published; where there are none, those of an earlier run go, as looks do that are no
        longer planned.
        """
        write_arrays(self.folder / EVALUATED, evaluated_arrays(tests))
        if rows is None:
            (self.folder / ROWS).unlink(missing_ok=True)
        else:
            write_sealed(self.folder / ROWS, rows)
        kept = [name for name in (EVALUATED, ROWS) if (self.folder / name).exists()]
        files = {name: digest_of_file(self.folder / name) for name in kept}
        write_sealed(self.folder / STUDY, study.model_copy(update={"files": files}))
        if not study.compare.looks:
            (self.folder / LOOKS).unlink(missing_ok=True)

    def write_looks(self, looks: LooksRecord) -> None:
        """Keep what the planned looks have come to; InputError where the folder cannot be written."""
        try:
            write_sealed(self.folder / LOOKS, looks)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    @property
    def looks(self) -> LooksRecord | None:
        """What the planned looks had come to when a run last wrote it, None where none are planned."""
        return read_record(self.root / LOOKS, LooksRecord)

    @property
    def stopped(self) -> dict[str, int]:
        """By key, the planned look, from 1, at which it was decided that a trial is not to be run."""
        looks = self.looks
        return looks.stopped if looks else {}

    def evaluated(self, test: str) -> EvaluatedRows:
        """What the analysis needs to know of a test set's examples; InputError where the file is damaged."""
        study = self.study
        return read_evaluated(self.root / EVALUATED, study.files.get(EVALUATED), study, test)

    @property
    def rows(self) -> RowsRecord:
        """Some rows of each test set with their cuts; none where the study does not publish them."""
        path, digest = self.root / ROWS, self.study.files.get(ROWS)
        if digest is not None:
            read_verified(path, digest)
        return read_record(path, RowsRecord) or RowsRecord(tests={})

    def results(self, variant: VariantRecord) -> dict[int, TrialResult]:
        """What the finished trials of a variant came to, by seed, in the study's order."""
        found = {seed: self.trial(key).result for seed, key in variant.trials.items()}
        return {seed: result for seed, result in found.items() if result is not None}

    def frame(self) -> "pd.DataFrame":
        """One row per variant and seed: coordinates, key, status, accuracy on each test set, rates, memory.

        status: done, failed, missing, or stopped, where a planned look decided that it is not to be run.
        Rates are means over epochs; missing is missing. Names of nested values are joined by a dot.
        """
        import pandas as pd  # takes a second, and only frames need it

        rows, stopped = [], self.stopped
        for variant in self.study.variants:
            for seed, key in variant.trials.items():
                trial = self.trial(key)
                result = trial.result
                left = "stopped" if key in stopped else "failed" if trial.failure else "missing"
                status = "done" if result else left
                place = {"variant": variant.number, "name": variant.name, **variant.coordinates}
                came_out = result.model_dump(exclude={"key", "files"}) if result else {}
                rows.append(place | {"seed": seed, "key": key, "status": status} | came_out)
        return pd.json_normalize(rows)


def holds_trials(folder: Path) -> bool:
    """Whether a folder without the records of a ledger has trials of one, in folders that their keys name."""
    for path in (folder / "trials").glob(f"*/{CONFIG}"):
        try:
            if Trial(path.parent).config.key == path.parent.name:
                return True
        except InputError:
            continue
    return False


def _opened(archive: Path) -> zipfile.Path:
    """The root of a compact ledger; InputError where it is damaged."""
    mend = "get the file again, or run the study again"
    fault = InputError(f"{archive}: is truncated or corrupt; {mend}")
    try:
        root = zipfile.Path(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise fault from error
    if not (root / STUDY).exists():  # a truncated one may end in the directory of an archive inside it
        raise fault
    return root


def _is_ours(path: Path) -> bool:
    return path.name in (LEDGER, RUNS, CLAIMS) or path.name.startswith(TEMPORARY)


def _unwritable(folder: Path, error: OSError) -> InputError:
    mend = "choose another folder with --out DIR"
    return InputError(f"{folder}: cannot be written ({error.strerror}); {mend}")
