"""The runner: does what a study asks for and its ledger does not hold yet."""

import signal
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab import machine
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.tokenizers import keep_readings
from trimtab.plan.audit import profiles, study_lengths
from trimtab.plan.cost import WantedTrial, precision_of, work
from trimtab.plan.cross import lacks_weights
from trimtab.plan.plan import Plan, make_plan, variant_rows
from trimtab.plan.prepare import prepare_study
from trimtab.run.crossing import cross_job, left_to_ask
from trimtab.run.jobs import TrialJob
from trimtab.run.pool import Ended, Job, run_jobs
from trimtab.run.runtime import default_jobs, input_spec, resolve
from trimtab.study.definition import Study

# A worker killed by the system is most likely one that took too much memory, so it gets smaller
# micro-batches; but not for ever, since each attempt costs its time.
_RETRIES_AFTER_KILL = 3


@dataclass(frozen=True)
class Failure:
    """A trial or cross evaluation that did not end well: the variants that wanted it, its seed, and why."""

    variants: tuple[str, ...]
    seed: int
    reason: str


@dataclass(frozen=True)
class Outcome:
    """What a run came to: the ledger's folder, trials done now and before, and those that failed.

    crossed_now: models that were evaluated on other variants' inputs.
    """

    folder: Path
    done_now: int
    done_before: int
    failures: tuple[Failure, ...]
    crossed_now: int = 0


class Watcher:
    """Is told how a run goes; this one keeps quiet. The command line shows progress through another."""

    def stage(self, words: str) -> None:
        """What is being done before any trial runs."""

    def start(self, trials: int, done_before: int, work: float, what: str = "trials") -> None:
        """Trials, or ``what``, are about to run, ``work`` in all, in units that are only good for shares."""

    def news(self, label: str, kind: str, value: Any) -> None:
        """A running trial's ``progress`` (a Progress) or the record of an ``epoch``."""

    def end(self, label: str, work: float, failure: str | None) -> None:
        """A trial ended, and how much of the work it was."""


def run(
    study: Study,
    data: Path | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    device: str = "auto",
    watcher: Watcher | None = None,
) -> Outcome:
    """Train and evaluate every trial of ``study`` that its ledger does not hold, and keep what came out.

    data: the folder of ``--data``; out: the ledger's folder, by default ``results/<study>``; jobs: worker
    processes, by default as many as the cores allow; device: cpu, cuda or auto. What the first run resolved
    (device, threads, precision) is taken up again by every later one. InputError for wrong input; a trial
    that fails is named in the Outcome, and tried again by the next run.
    """
    watcher = watcher or Watcher()
    ledger = Ledger(out or Path("results") / study.name)
    ledger.claim(study.name)
    with ledger.lock():
        watcher.stage("reading and tokenising the data")
        prepared = prepare_study(study, data)
        watcher.stage("cutting the inputs of every variant")
        return _Run(make_plan(*prepared), ledger, watcher).run(jobs, device)


class _Run:
    def __init__(self, plan: Plan, ledger: Ledger, watcher: Watcher) -> None:
        self.study, self.plan, self.ledger, self.watcher = plan.study, plan, ledger, watcher
        self.failures: list[Failure] = []
        self.signature = machine.signature()

    def run(self, jobs: int | None, device: str) -> Outcome:
        self.runtime = resolve(
            self.plan, self.ledger.runtime, self.ledger.folder, jobs, device, self.watcher.stage
        )
        self.ledger.write_runtime(self.runtime)
        trials = self._trials()
        self._write_study(trials)
        done = self._train(trials, jobs)
        failed = len(self.failures)
        crossed = self._cross(trials, jobs)
        before = len(trials) - done - failed
        return Outcome(self.ledger.folder, done, before, tuple(self.failures), crossed)

    def _train(self, trials: list[WantedTrial], jobs: int | None) -> int:
        """Train what is left; how many trials that were and ended well."""
        left = [trial for trial in trials if self._is_left(trial)]
        # The longest first, so that no core waits long for the last one.
        left.sort(key=lambda trial: -self._work(trial))
        self.watcher.start(len(trials), len(trials) - len(left), sum(map(self._work, left)))
        self.kills = [0] * len(left)
        run_jobs(
            [self._job(trial) for trial in left],
            self._processes(jobs, left),
            self.runtime["threads"],
            lambda number, kind, value: self.watcher.news(self._label(left[number]), kind, value),
            lambda number, ended: self._end(number, left[number], ended),
        )
        return len(left) - len(self.failures)

    def _is_left(self, trial: WantedTrial) -> bool:
        kept = self.ledger.trial(trial.key)
        kept.settle()
        return kept.result is None or lacks_weights(self.plan, trial.variant, kept)

    def _processes(self, jobs: int | None, left: list[WantedTrial]) -> int:
        return min(jobs or default_jobs(self.runtime), max(1, len(left)))

    def _trials(self) -> list[WantedTrial]:
        wanted: dict[str, list[int]] = {}
        seeds: dict[str, int] = {}
        for seed in self.study.seeds:
            for number in range(len(self.study.variants)):
                key = self._key(number, seed)
                wanted.setdefault(key, []).append(number)
                seeds[key] = seed
        return [WantedTrial(key, numbers[0], tuple(numbers), seeds[key]) for key, numbers in wanted.items()]

    def _key(self, number: int, seed: int) -> str:
        return self.plan.key(number, seed, precision_of(self.plan, number, self.runtime))

    def _label(self, trial: WantedTrial) -> str:
        return f"{self.study.variants[trial.variant].name}, seed {trial.seed}"

    def _work(self, trial: WantedTrial) -> float:
        return work(self.plan, trial.variant)

    def _job(self, trial: WantedTrial) -> TrialJob:
        settings = self.study.variants[trial.variant].settings
        precision = precision_of(self.plan, trial.variant, self.runtime)
        start = self.plan.start(trial.variant)
        recipe = replace(settings.recipe, precision=precision)
        earlier = self.ledger.trial(trial.key).result
        if earlier:  # trained again for its weights, in the batches that fitted
            recipe = replace(recipe, micro_batch=earlier["recipe"]["micro_batch"])
        return TrialJob(
            folder=self.ledger.trial(trial.key).folder,
            config=self.plan.config(trial.variant, trial.seed, precision),
            input_spec=input_spec(self.plan, trial.variant),
            size=settings.size,
            recipe=recipe,
            seed=settings.trained_seed(trial.seed),
            device=self.runtime["device"],
            keep_weights=self.study.keeps_weights,
            signature=self.signature,
            start=start.file if start else None,
        )

    def _end(self, number: int, trial: WantedTrial, ended: Ended) -> Job | None:
        """Note how a trial ended; a killed one is tried again with smaller micro-batches."""
        if ended.exit_code == -signal.SIGKILL:
            again = self._after_kill(number, trial)
            if again:
                return again
        reason = _reason(ended, "lower batch_size or --jobs")
        if reason is not None:
            self.ledger.trial(trial.key).fail(reason, ended.traceback)
            self._note(trial, reason)
        self.watcher.end(self._label(trial), self._work(trial), reason)
        return None

    def _note(self, trial: WantedTrial, reason: str) -> None:
        names = tuple(self.study.variants[number].name for number in trial.variants)
        self.failures.append(Failure(names, trial.seed, reason))

    def _after_kill(self, number: int, trial: WantedTrial) -> Job | None:
        self.kills[number] += 1
        job: TrialJob | None = self._job(trial) if self.kills[number] <= _RETRIES_AFTER_KILL else None
        for _ in range(self.kills[number]):
            job = job.with_smaller_batches() if job else None
        return job

    # What other variants' inputs do to a trained model.

    def _cross(self, trials: list[WantedTrial], jobs: int | None) -> int:
        """Evaluate what is unanswered of every trained model; how many models that were and ended well."""
        left = left_to_ask(self.plan, self.ledger, trials)
        if not left:
            return 0
        sizes = [len(asked) for _, asked in left]
        self.watcher.start(len(left), 0, sum(sizes), "cross evaluations")
        failed = len(self.failures)
        run_jobs(
            [cross_job(self.plan, self.ledger, self.runtime, *question) for question in left],
            self._processes(jobs, [trial for trial, _ in left]),
            self.runtime["threads"],
            lambda number, kind, value: None,
            lambda number, ended: self._end_cross(left[number][0], sizes[number], ended),
        )
        return len(left) - (len(self.failures) - failed)

    def _end_cross(self, trial: WantedTrial, work: float, ended: Ended) -> None:
        reason = _reason(ended, "lower --jobs")
        if reason is not None:
            self.ledger.trial(trial.key).crossed.fail(reason, ended.traceback)
            self._note(trial, f"cross evaluation: {reason}")
        self.watcher.end(self._label(trial), work, reason)

    # What the ledger keeps for the analysis.

    def _write_study(self, trials: list[WantedTrial]) -> None:
        keys = {(number, trial.seed): trial.key for trial in trials for number in trial.variants}
        rows = [
            row | {"trials": {str(seed): keys[number, seed] for seed in self.study.seeds}}
            for number, row in enumerate(variant_rows(self.plan))
        ]
        if self.study.keeps_weights:
            for row, reading in zip(rows, keep_readings(self.ledger.folder, self.plan), strict=True):
                row["reading"] = reading._asdict()
        dataset = self.plan.dataset
        study = {
            "name": self.study.name,
            "question": self.study.question,
            "text": self.study.text,
            "seeds": list(self.study.seeds),
            "variants": rows,
            "excluded": [{"place": place, "because": why} for place, why in self.study.excluded],
            "contrasts": [asdict(contrast) for contrast in self.study.contrasts],
            "compare": self.study.compare.model_dump(),
            "tests": list(dataset.tests),
            "labels": list(dataset.label_names),
            "vocabulary": dataset.vocabulary,
            "vocabularies": {reading.name: reading.vocabulary for reading in self.plan.readings},
            "counts": [asdict(counts) for counts in dataset.counts],
            "profiles": profiles(self.study, dataset, self.plan.starts),
            "lengths": study_lengths(self.study, dataset, self.plan.starts),
            "signature": self.signature,
            "runtime": self.runtime,
        }
        self.ledger.write_study(study, self._evaluated())

    def _evaluated(self) -> dict[str, NDArray]:
        arrays: dict[str, NDArray] = {}
        for name in self.plan.dataset.tests:
            tokens = self.plan.dataset.splits[name]
            arrays[f"labels/{name}"] = np.asarray(tokens.labels)
            arrays[f"clusters/{name}"] = np.asarray(tokens.clusters)
            for inputs in self.plan.inputs:
                arrays[f"digests/{name}/{inputs.fingerprint}"] = inputs.digests[name]
        return arrays


def _reason(ended: Ended, mend: str) -> str | None:
    """Why a job failed, in a sentence; None where it was done."""
    if ended.traceback is not None:
        return f"a defect of trimtab, its traceback is in failure.json: {ended.traceback.splitlines()[-1]}"
    if ended.exit_code == -signal.SIGKILL:
        return f"its process was killed, as happens when memory runs out; {mend}"
    if ended.exit_code is not None:
        return f"its process died with exit code {ended.exit_code}"
    return ended.value["failure"]
