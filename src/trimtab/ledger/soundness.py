"""Whether a trial's files are what was written: what is wrong, and what to remove so that a run mends it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trimtab.config import InputError
from trimtab.ledger.files import METRICS
from trimtab.ledger.trial import CONFIG, FAILURE, PREDICTIONS, RESULT, WEIGHTS, Trial


@dataclass(frozen=True)
class Fault:
    """A damaged file, and the sentence that says what is wrong with it and how to mend it.

    remove: the file that has to go so that a run mends it; None where that would cost more than it mends.
    """

    path: Path
    sentence: str
    remove: Path | None


def faults_of(trial: Trial, deep: bool = False) -> list[Fault]:
    """What is wrong with a trial, finished or not; nothing where there is none.

    deep: with what no result depends on, the records of epochs, and with weights, which may be large.
    """
    folder, crossed = trial.folder, trial.crossed
    found = _tried(folder / FAILURE, lambda: trial.failure_record)
    broken = _tried(folder / RESULT, lambda: trial.result)
    if broken:
        return [*found, *broken]
    if trial.result is not None:
        found += _tried(folder / CONFIG, lambda: trial.check(CONFIG), folder / RESULT)
        found += _tried(folder / PREDICTIONS, lambda: _check_predictions(trial), folder / RESULT)
        if deep:
            found += _tried(folder / METRICS, trial.epochs, None)
            found += _tried(folder / WEIGHTS, lambda: trial.check(WEIGHTS))
    found += _tried(crossed.folder / FAILURE, lambda: crossed.failure)
    for path in crossed.files():
        found += _tried(path, lambda path=path: crossed.predictions(path.stem))  # type: ignore[misc]
    return found


_ITSELF = Path()  # stands for the damaged file


def _tried(path: Path, read: Callable[[], object], remove: Path | None = _ITSELF) -> list[Fault]:
    try:
        read()
    except InputError as error:
        return [Fault(path, str(error), path if remove is _ITSELF else remove)]
    return []


def _check_predictions(trial: Trial) -> None:
    result = trial.result
    assert result is not None
    if result.files:
        trial.check(PREDICTIONS)
        return
    for test in result.tests:  # of an older ledger
        trial.predictions(test)
