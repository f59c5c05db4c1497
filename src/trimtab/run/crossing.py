"""Evaluating trained models on other variants' inputs: what is missing of it."""

import contextlib
from collections.abc import Sequence

from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import CrossInputs
from trimtab.run.context import Failure, RunContext
from trimtab.run.cross import CrossJob, cross_job
from trimtab.run.ended import Ended
from trimtab.run.outcome import JobOutcome, failure_of
from trimtab.run.sharing import SharedTrials


class CrossRuns:
    """Makes the missing cross evaluations of a study's trained models.

    failures: of this run; done: how many models this run evaluated.
    """

    def __init__(self, run: RunContext, trials: Sequence[WantedTrial]) -> None:
        self.run = run
        self.trials = [trial for trial in trials if run.ledger.trial(trial.key).weights]
        self.failures: list[Failure] = []
        self.done = 0
        self.shared = SharedTrials(
            run,
            lambda trial: bool(self._missing(trial)),
            lambda trial: len(self._missing(trial)),
            "cross evaluations",
        )

    def evaluate(self) -> None:
        """Evaluate, and wait for the models that other runs evaluate meanwhile."""
        run = self.run
        if not any(map(self._missing, self.trials)):
            return
        run.place.engine_on(run.runtime.device)(
            self._more() or [],
            run.processes(len(self.trials)),
            run.runtime.threads,
            lambda number, news: None,
            lambda number, ended: self._end(self.shared.handed[number], ended),
            on_start=self.shared.take,
            more=self._more,
        )

    def _missing(self, trial: WantedTrial) -> dict[str, CrossInputs]:
        return self.run.plan.missing_evaluations(trial.variant, self.run.ledger.trial(trial.key))

    def _more(self) -> list[CrossJob] | None:
        further = self.shared.further(self.trials)
        return None if further is None else [self._job(trial) for trial in further]

    def _job(self, trial: WantedTrial) -> CrossJob:
        folder = self.run.ledger.trial(trial.key).folder
        return cross_job(trial, folder, self._missing(trial), self.run.runtime)

    def _end(self, trial: WantedTrial, ended: Ended[JobOutcome]) -> None:
        if ended.value is not None and ended.value.stopped:
            self.shared.put_back(trial)
            return
        reason = failure_of(ended, "lower --jobs")
        if reason is None:
            self.done += 1
        else:
            with contextlib.suppress(OSError):  # a full disk, which is often the reason itself
                self.run.ledger.trial(trial.key).crossed.fail(reason, ended.traceback)
            self.failures.append(Failure.of(trial, f"cross evaluation: {reason}"))
        self.shared.end(trial, reason)
