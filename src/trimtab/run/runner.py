"""The runner: trains and evaluates what a study asks for and its ledger does not hold yet."""

import contextlib
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trimtab import machine
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import TokenizerRecord
from trimtab.ledger.takeover import ledgers_below, take_over
from trimtab.ledger.tokenizers import keep_tokenizers
from trimtab.plan.cost import relative_cost
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan, make_plan
from trimtab.plan.prepare import prepare
from trimtab.plan.records import evaluated_rows, study_record
from trimtab.plan.rows import published_rows
from trimtab.run.cross import cross_job
from trimtab.run.engines import DEFAULT_ENGINE, ENGINES, Engine
from trimtab.run.input_spec import input_spec
from trimtab.run.jobs import TrialJob
from trimtab.run.outcome import JobOutcome, failure_of, retries
from trimtab.run.pool import Ended
from trimtab.run.progress import Alive, ProgressCallback, TrialNews
from trimtab.run.run_file import told_to_others
from trimtab.run.runtime import default_jobs, resolve
from trimtab.study.definition import Study
from trimtab.training.epoch import Epoch


@dataclass(frozen=True)
class Failure:
    """A trial or cross evaluation that did not end well: the variants that wanted it, its seed, and why."""

    variants: tuple[str, ...]
    seed: int
    reason: str


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to: the ledger's folder, trials done now and before, and those that failed.

    crossed_now: models that were evaluated on other variants' inputs; taken_over: trials, not among those
    done now or before, that other folders of results had.
    """

    folder: Path
    done_now: int
    done_before: int
    failures: tuple[Failure, ...]
    crossed_now: int = 0
    taken_over: int = 0


def run(
    study: Study,
    data: Path | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    device: str = "auto",
    progress: ProgressCallback | None = None,
    engine: str = DEFAULT_ENGINE,
    on_trial: Callable[[str], None] | None = None,
    reuse: Sequence[Path] = (),
) -> RunOutcome:
    """Train and evaluate every trial of ``study`` that its ledger does not hold, and keep the results.

    data: the folder of ``--data``; out: the ledger's folder, by default ``results/<study>``; jobs: worker
    processes, by default as many as the cores allow; device: cpu, cuda or auto; engine: where trials run, a
    name of ``ENGINES``; on_trial: is called with the key of each trial that has just ended; reuse: folders of
    results, or of such folders, whose finished trials of the same key are taken over. What the first run
    resolved (device, threads, precision) is used again by every later one. InputError for wrong input; a
    trial that fails is named in the outcome, and tried again by the next run.
    """
    progress = progress or ProgressCallback()
    others = [other for folder in reuse for other in ledgers_below(folder)]
    ledger = Ledger(out or Path("results") / study.name)
    ledger.begin(study.name)
    with ledger.lock(), told_to_others(ledger.folder, progress) as progress:
        progress.stage("reading and tokenising the data")
        prepared = prepare(study, data)
        progress.stage("truncating the inputs of every variant")
        return _Run(make_plan(prepared), ledger, progress, ENGINES[engine], on_trial, others).run(
            jobs, device
        )


class _Run:
    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        progress: ProgressCallback,
        engine: Engine,
        on_trial: Callable[[str], None] | None = None,
        others: Sequence[Ledger] = (),
    ) -> None:
        self.study, self.plan, self.ledger = plan.study, plan, ledger
        self.progress, self.engine, self.on_trial = progress, engine, on_trial
        self.others = others
        self.failures: list[Failure] = []
        self.warned: set[int] = set()  # numbers of variants of which it was said that they learn nothing
        self.signature = machine.signature()

    def run(self, jobs: int | None, device: str) -> RunOutcome:
        ledger, stage = self.ledger, self.progress.stage
        self.runtime = resolve(self.plan, ledger.runtime, ledger.folder, jobs, device, self.engine, stage)
        ledger.write_runtime(self.runtime)
        trials = self.plan.trials(self.runtime)
        self._write_study(trials)
        taken = self._take_over(trials)
        done = self._train(trials, jobs)
        failed = len(self.failures)
        crossed = self._cross(trials, jobs)
        before = len(trials) - done - failed - taken
        return RunOutcome(ledger.folder, done, before, tuple(self.failures), crossed, taken)

    def _take_over(self, trials: Sequence[WantedTrial]) -> int:
        """Take over the missing trials that other ledgers have; how many those were."""
        missing = [trial for trial in trials if self.others and self._is_missing(trial)]
        taken = 0
        for trial in missing:
            kept = self.ledger.trial(trial.key)
            if take_over(kept, trial.key, self.others, self.study.keeps_weights):
                taken += 1
                if self.on_trial is not None:
                    self.on_trial(trial.key)
        return taken

    def _write_study(self, trials: Sequence[WantedTrial]) -> None:
        """Keep what the analysis needs, and the tokenisers where weights are kept."""
        kept: list[TokenizerRecord | None] = [None] * len(self.plan.variants)
        if self.study.keeps_weights:
            variants = [(each.dataset, each.settings.truncation) for each in self.plan.variants]
            kept = list(keep_tokenizers(self.ledger.folder, variants))
        record = study_record(self.plan, trials, kept, self.runtime, self.signature)
        rows = published_rows(self.plan) if self.study.publish_rows else None
        self.ledger.write_study(record, evaluated_rows(self.plan), rows)

    def _train(self, trials: list[WantedTrial], jobs: int | None) -> int:
        """Train the trials that are missing; how many of them ended well."""
        missing = [trial for trial in trials if self._is_missing(trial)]
        # The longest first, so that no core waits long for the last one.
        missing.sort(key=lambda trial: -_cost(trial))
        self.progress.start(len(trials), len(trials) - len(missing), sum(map(_cost, missing)))
        self.kills = [0] * len(missing)
        self.passed: list[list[str]] = [[] for _ in missing]
        self.engine(
            [self._job(trial) for trial in missing],
            self._processes(jobs, missing),
            self.runtime.threads,
            lambda number, news: self._news(missing[number], news),
            lambda number, ended: self._end(number, missing[number], ended),
            on_start=lambda number: self._begin(missing[number], _cost(missing[number])),
        )
        return len(missing) - len(self.failures)

    def _begin(self, trial: WantedTrial, cost: float) -> bool:
        self.progress.begin(_label(trial), cost)
        return True

    def _is_missing(self, trial: WantedTrial) -> bool:
        kept = self.ledger.trial(trial.key)
        kept.settle()
        return kept.result is None or self.plan.needs_weights_again(trial.variant, kept)

    def _processes(self, jobs: int | None, trials: Sequence[WantedTrial]) -> int:
        return min(jobs or default_jobs(self.runtime), max(1, len(trials)))

    def _job(self, trial: WantedTrial) -> TrialJob:
        kept, weights = self.ledger.trial(trial.key), trial.variant.initial_weights
        recipe, earlier = trial.config.recipe, kept.result
        if earlier:  # trained again for its weights, in the batches that fitted
            recipe = replace(recipe, micro_batch=earlier.recipe.micro_batch)
        return TrialJob(
            folder=kept.folder,
            config=trial.config,
            recipe=recipe,
            input_spec=input_spec(trial.variant),
            device=self.runtime.device,
            keep_weights=self.study.keeps_weights,
            signature=self.signature,
            initial_weights=weights.file if weights else None,
            checkpoint_seconds=self.study.checkpoint_seconds,
        )

    def _news(self, trial: WantedTrial, news: TrialNews) -> None:
        """Pass on what a trial reports; warn once a variant where its model gives all rows one class."""
        if isinstance(news, Alive):
            return
        self.progress.news(_label(trial), news)
        if isinstance(news, Epoch) and news.predicts_one_class and trial.variant.number not in self.warned:
            self.warned.add(trial.variant.number)
            self.progress.warn(
                f"{_label(trial)}: after epoch {news.epoch} of {trial.config.recipe.epochs} it gives every "
                f"row of validation the same class (accuracy {100 * news.validation_accuracy:.2f} %), so it "
                "has learned nothing yet; where that stays so, learning_rate may be too high or too low, "
                "epochs too few, or what is left of the texts may not tell the classes apart"
            )

    def _end(self, number: int, trial: WantedTrial, ended: Ended[JobOutcome]) -> TrialJob | None:
        """Note how a trial ended; what may pass is tried again, a killed one with smaller micro-batches."""
        if ended.value is not None and ended.value.stopped:
            return None
        reason = failure_of(ended, "lower batch_size or --jobs")
        if reason is not None:
            again = self._again(number, trial, ended, reason)
            if again is not None:
                return again
            self._keep_failure(trial, reason, ended.traceback)
        result = self.ledger.trial(trial.key).result if reason is None else None
        self.progress.end(_label(trial), reason, result.validation.accuracy if result else None)
        if self.on_trial is not None:
            self.on_trial(trial.key)
        return None

    def _again(
        self, number: int, trial: WantedTrial, ended: Ended[JobOutcome], reason: str
    ) -> TrialJob | None:
        """The job to be run in the place of one that failed for a reason that may pass; None otherwise."""
        reasons = self.passed[number]
        if len(reasons) >= retries(ended):
            return None
        reasons.append(reason)
        job: TrialJob | None = replace(self._job(trial), failed_before=tuple(reasons))
        if ended.exit_code == -signal.SIGKILL:
            self.kills[number] += 1
        for _ in range(self.kills[number]):
            job = job.with_smaller_batches() if job else None
        if job is not None:
            self.progress.warn(f"{_label(trial)}: {reason}; it is tried again")
        return job

    def _keep_failure(self, trial: WantedTrial, reason: str, traceback: str | None) -> None:
        """Note why a trial failed, here and, where there is room, in its folder."""
        with contextlib.suppress(OSError):  # a full disk, which is often the reason itself
            self.ledger.trial(trial.key).fail(reason, traceback)
        names = tuple(variant.name for variant in trial.variants)
        self.failures.append(Failure(names, trial.seed, reason))

    # Cross evaluation: trained models on other variants' inputs.

    def _cross(self, trials: list[WantedTrial], jobs: int | None) -> int:
        """Evaluate what is missing for every trained model; how many models that were and ended well."""
        able = [trial for trial in trials if self.ledger.trial(trial.key).weights]
        missing = [self.plan.missing_evaluations(each.variant, self.ledger.trial(each.key)) for each in able]
        left = [(trial, inputs) for trial, inputs in zip(able, missing, strict=True) if inputs]
        if not left:
            return 0
        self.progress.start(len(left), 0, sum(len(inputs) for _, inputs in left), "cross evaluations")
        failed = len(self.failures)
        self.engine(
            [
                cross_job(trial, self.ledger.trial(trial.key).folder, inputs, self.runtime)
                for trial, inputs in left
            ],
            self._processes(jobs, [trial for trial, _ in left]),
            self.runtime.threads,
            lambda number, news: None,
            lambda number, ended: self._end_cross(left[number][0], ended),
            on_start=lambda number: self._begin(left[number][0], len(left[number][1])),
        )
        return len(left) - (len(self.failures) - failed)

    def _end_cross(self, trial: WantedTrial, ended: Ended[JobOutcome]) -> None:
        if ended.value is not None and ended.value.stopped:
            return
        reason = failure_of(ended, "lower --jobs")
        if reason is not None:
            with contextlib.suppress(OSError):
                self.ledger.trial(trial.key).crossed.fail(reason, ended.traceback)
            names = tuple(variant.name for variant in trial.variants)
            self.failures.append(Failure(names, trial.seed, f"cross evaluation: {reason}"))
        self.progress.end(_label(trial), reason)


def _label(trial: WantedTrial) -> str:
    return f"{trial.variant.name}, seed {trial.seed}"


def _cost(trial: WantedTrial) -> float:
    return relative_cost(trial.variant)
