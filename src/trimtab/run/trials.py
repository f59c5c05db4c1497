"""Training what is missing: which trials are begun when, and what becomes of those that fail."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from trimtab.config import InputError
from trimtab.data.tokens import restore
from trimtab.ledger.trial_records import Scores
from trimtab.plan.identity import WantedTrial
from trimtab.run.context import Failure, RunContext, label_of
from trimtab.run.ended import Ended
from trimtab.run.input_spec import input_spec
from trimtab.run.jobs import TrialJob
from trimtab.run.looks import LookByLook
from trimtab.run.outcome import JobOutcome, failure_of, retries, was_killed
from trimtab.run.progress import Alive, TrialNews
from trimtab.run.sharing import SharedTrials
from trimtab.training.epoch import Epoch


class TrialRuns:
    """Trains the missing ones of a study's trials, look by look where looks are planned.

    failures: of this run, and of others meanwhile; done: how many this run trained.
    """

    def __init__(self, run: RunContext, trials: Sequence[WantedTrial]) -> None:
        self.run, self.trials = run, trials
        self.failures: dict[str, Failure] = {}
        self.done = 0
        self.reasons: dict[str, list[str]] = {}  # why earlier attempts failed, by trial
        self.kills: dict[str, int] = {}
        self.warned: set[int] = set()  # numbers of variants of which it was said that they learn nothing
        # Failures of earlier runs, whose trials are tried again; a later one is another run's, of now.
        self.failed_before = {trial.key: run.ledger.trial(trial.key).failed_by for trial in trials}
        self.shared = SharedTrials(run, self._is_left)
        self.looks = LookByLook(run.ledger, run.progress.tell)
        self.due: Sequence[WantedTrial] = ()

    def train(self) -> None:
        """Train, and wait for the trials that other runs train meanwhile."""
        run = self.run
        self.due = self.looks.due(self.trials)
        first = self._more()
        if first == []:
            return
        run.place.engine_on(run.runtime.device, run.plan.devices)(
            first or [],
            run.processes(len(self.trials)),
            run.runtime.threads,
            lambda number, news: self._news(self.shared.handed[number], news),
            lambda number, ended: self._end(self.shared.handed[number], ended),
            on_start=self.shared.take,
            more=self._more,
        )

    def _more(self) -> list[TrialJob] | None:
        further = self.shared.further(self.due)
        if further == [] and self.run.plan.study.compare.looks:  # all before this look have ended
            self.due = self.looks.due(self.trials)
            further = self.shared.further(self.due)
        return None if further is None else [self._job(trial) for trial in further]

    def _is_left(self, trial: WantedTrial) -> bool:
        if not self.run.is_missing(trial):
            return False
        failed = self.run.ledger.trial(trial.key).failed_by
        if failed and failed not in (self.failed_before[trial.key], self.run.claims.mine.run):
            reason = self.run.ledger.trial(trial.key).failure or ""
            self.failures.setdefault(trial.key, Failure.of(trial, reason))
            return False
        return True

    def _job(self, trial: WantedTrial) -> TrialJob:
        run, weights = self.run, trial.variant.initial_weights
        kept, recipe = run.ledger.trial(trial.key), trial.config.recipe
        if earlier := kept.result:  # trained again for its weights, in the batches that fitted
            recipe = replace(recipe, micro_batch=earlier.recipe.micro_batch)
        return TrialJob(
            folder=kept.folder,
            config=trial.config,
            recipe=recipe,
            input_spec=input_spec(trial.variant),
            device=run.runtime.device,
            keep_weights=run.plan.study.keeps_weights,
            signature=run.signature,
            run_name=run.claims.mine.run,
            initial_weights=weights.file if weights else None,
            checkpoint_seconds=run.plan.study.checkpoint_seconds,
        )

    def _news(self, trial: WantedTrial, news: TrialNews) -> None:
        """Pass on what a trial reports; warn once a variant where its model gives all rows one class."""
        if isinstance(news, Alive):
            return
        self.run.progress.news(label_of(trial), news)
        if isinstance(news, Epoch) and news.predicts_one_class and trial.variant.number not in self.warned:
            self.warned.add(trial.variant.number)
            self.run.progress.warn(
                f"{label_of(trial)}: after epoch {news.epoch} of {trial.config.recipe.epochs} it gives every "
                f"row of validation the same class ({Scores.of_validation(news).words}), so it "
                "has learned nothing yet; where that stays so, learning_rate may be too high or too low, "
                "epochs too few, or what is left of the texts may not tell the classes apart"
            )

    def _end(self, trial: WantedTrial, ended: Ended[JobOutcome]) -> TrialJob | None:
        """Note how a trial ended; what may pass is tried again, in smaller micro-batches if killed twice."""
        if ended.value is not None and ended.value.stopped:
            self.shared.put_back(trial)
            return None
        reason = failure_of(ended, "lower batch_size or --jobs")
        kept = self.run.ledger.trial(trial.key)
        if reason is None:
            self.done += 1
            result = kept.result
            self.shared.end(trial, None, result.validation if result else None)
        elif again := self._again(trial, ended, reason):
            return again
        else:
            with contextlib.suppress(OSError):  # a full disk, which is often the reason itself
                kept.fail(reason, ended.traceback, self.run.claims.mine.run)
            self.failures[trial.key] = Failure.of(trial, reason)
            self.shared.end(trial, reason)
        self.run.on_trial(trial.key)
        return None

    def _again(self, trial: WantedTrial, ended: Ended[JobOutcome], reason: str) -> TrialJob | None:
        """The job to be run in the place of one that failed for a reason that may pass; None otherwise."""
        reasons = self.reasons.setdefault(trial.key, [])
        if len(reasons) >= retries(ended):
            return None
        reasons.append(reason)
        if ended.value is not None:  # what may have passed is a cache that a cleaner removed
            with contextlib.suppress(OSError, InputError):
                for tokens in trial.variant.dataset.splits.values():
                    restore(tokens)
        self.kills[trial.key] = self.kills.get(trial.key, 0) + was_killed(ended)
        graphs = False if ended.lost_device else None
        job: TrialJob | None = replace(self._job(trial), failed_before=tuple(reasons), graphs=graphs)
        for _ in range(self.kills[trial.key] - 1):  # one kill may be chance; then it comes to the same bits
            job = job.with_smaller_batches() if job else None
        if job is not None:
            self.run.progress.warn(f"{label_of(trial)}: {reason}; it is tried again")
        return job
