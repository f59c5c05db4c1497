"""Whether a trial's files are what was written, and what has to go of them so that a run makes it again."""

from trimtab.ledger.files import METRICS
from trimtab.ledger.finding import Finding, tried
from trimtab.ledger.trial import CONFIG, FAILURE, PREDICTIONS, RESULT, WEIGHTS, Trial


def faults_of(trial: Trial, deep: bool = False) -> list[Finding]:
    """What is wrong with a trial, finished or not; nothing where there is none.

    deep: with what no result depends on, the records of epochs, and with weights, which may be large.
    """
    folder, crossed = trial.folder, trial.crossed
    found = tried(folder / FAILURE, lambda: trial.failure_record)
    result = folder / RESULT
    broken = tried(result, lambda: trial.result)
    if broken:
        return [*found, *broken]
    if trial.result is not None:
        found += tried(folder / CONFIG, lambda: trial.check(CONFIG), result)
        found += tried(folder / PREDICTIONS, lambda: _check_predictions(trial), result)
        if deep:
            found += tried(folder / METRICS, trial.epochs, None)
            found += tried(folder / WEIGHTS, lambda: trial.check(WEIGHTS))
    found += tried(crossed.folder / FAILURE, lambda: crossed.failure)
    for path in crossed.files():
        found += tried(path, lambda path=path: crossed.predictions(path.name.removesuffix(".npz")))  # type: ignore[misc]
    return found


def _check_predictions(trial: Trial) -> None:
    result = trial.result
    assert result is not None
    if result.files:
        trial.check(PREDICTIONS)
        return
    for test in result.tests:  # of an older ledger
        trial.predictions(test)
