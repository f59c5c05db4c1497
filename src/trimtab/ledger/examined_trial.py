"""What is wrong with one trial's folder beyond what ``soundness`` knows: shapes, and what was left over."""

from collections.abc import Iterator, Mapping

from trimtab.config import InputError
from trimtab.ledger.finding import NOTHING_DEPENDS, Finding
from trimtab.ledger.soundness import faults_of
from trimtab.ledger.trial import PREDICTIONS, RESULT, Trial


def trial_findings(trial: Trial, shapes: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    """What is wrong with a trial; shapes: of the logits, rows and classes, by test set."""
    found = faults_of(trial, deep=True)
    yield from found
    if found or not trial.is_complete:
        return
    yield from _of_shapes(trial, shapes)
    for path in (trial.checkpoint, trial.again):
        if path.exists():
            yield Finding(path, "the trial is complete without it", NOTHING_DEPENDS, path)


def _of_shapes(trial: Trial, shapes: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    path, mend = trial.folder / PREDICTIONS, "run the study again, which trains this trial again"
    for test, shape in shapes.items():
        try:
            logits = trial.predictions(test)
        except InputError as error:
            yield Finding(path, str(error).rpartition("; ")[0].removeprefix(f"{path}: "), mend, None)
            continue
        if logits.shape != shape:
            what = f"its logits on {test} have shape {logits.shape}, and {shape} was expected"
            yield Finding(path, what, mend, trial.folder / RESULT)
