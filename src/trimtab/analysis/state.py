"""What a study has come to so far, while it runs, here or elsewhere: from files alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.ledger.run_records import RunRecord, trial_label
from trimtab.ledger.runs import live_runs
from trimtab.ledger.trial_records import Scores
from trimtab.training.epoch import Epoch

Status = Literal["done", "running", "failed", "interrupted", "missing", "stopped"]


@dataclass(frozen=True)
class TrialState:
    """A trial: its label in a run, how far it is, and what it last came to on validation, where there is one.

    ``stopped`` is one that a planned look decided not to run. key: the trial's; epochs: that are finished;
    failure: why its last attempt failed, or None.
    """

    key: str
    variant: str
    seed: int
    status: Status
    epochs: int = 0
    validation: Scores | None = None
    failure: str | None = None

    @property
    def label(self) -> str:
        """Its name in a run."""
        return trial_label(self.variant, self.seed)


@dataclass(frozen=True)
class StudyState:
    """A study with its trials, each distinct one once, and the runs that go on in its folder.

    study: None where a first run has not yet read its data.
    """

    study: StudyRecord | None
    trials: tuple[TrialState, ...]
    runs: tuple[RunRecord, ...]

    @cached_property
    def counts(self) -> dict[Status, int]:
        """How many trials have each status."""
        statuses = [trial.status for trial in self.trials]
        return {status: statuses.count(status) for status in dict.fromkeys(statuses)}

    @property
    def is_over(self) -> bool:
        """Whether no run goes on."""
        return not self.runs


def study_state(ledger: Ledger, before: StudyState | None = None) -> StudyState:
    """The state of the study in a folder; InputError where it holds none.

    before: an earlier state, whose finished trials are not read again.
    """
    runs = tuple(live_runs(ledger.folder))
    try:
        study = ledger.study
    except InputError:
        if not runs:
            raise
        return StudyState(None, (), runs)
    running = {each.label for run in runs for each in run.running}
    done = {trial.key: trial for trial in before.trials if trial.status == "done"} if before else {}
    stopped = ledger.stopped
    trials = tuple(
        done.get(key) or _trial_state(ledger, variant.name, seed, key, running, key in stopped)
        for key, ((variant, seed), *_) in study.wanted.items()
    )
    return StudyState(study, trials, runs)


def _trial_state(
    ledger: Ledger, variant: str, seed: int, key: str, running: set[str], stopped: bool
) -> TrialState:
    trial = ledger.trial(key)
    try:
        result, failure = trial.result, trial.failure
    except InputError as error:
        return TrialState(key, variant, seed, "failed", failure=str(error))
    if result is not None:
        return TrialState(key, variant, seed, "done", validation=result.validation)
    if stopped:
        return TrialState(key, variant, seed, "stopped")
    known = TrialState(key, variant, seed, "missing")
    epochs = _epochs(ledger, key)
    validation = Scores.of_validation(epochs[-1]) if epochs else None
    if known.label in running:
        return TrialState(key, variant, seed, "running", len(epochs), validation)
    if failure is not None:
        return TrialState(key, variant, seed, "failed", len(epochs), validation, failure)
    return TrialState(key, variant, seed, "interrupted", len(epochs), validation) if epochs else known


def _epochs(ledger: Ledger, key: str) -> list[Epoch]:
    """The epochs that a trial has finished; none where their file is not there, or is just being written."""
    try:
        return ledger.trial(key).epochs()
    except InputError:
        return []
