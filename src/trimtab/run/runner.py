"""The runner: trains and evaluates what a study asks for and its ledger does not hold yet."""

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trimtab import machine
from trimtab.config import InputError, canonical_hash
from trimtab.ledger.claims import Claims
from trimtab.ledger.earlier import looked_at
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord, TokenizerRecord
from trimtab.ledger.runs import live_runs
from trimtab.ledger.takeover import ledgers_below, take_over
from trimtab.ledger.tokenizers import keep_tokenizers
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan, make_plan
from trimtab.plan.prepare import prepare
from trimtab.plan.records import evaluated_rows, study_record
from trimtab.plan.rows import published_rows
from trimtab.run.context import Failure, RunContext
from trimtab.run.crossing import CrossRuns
from trimtab.run.damaged import set_aside_damaged
from trimtab.run.divided import DividedRun
from trimtab.run.engine import Place
from trimtab.run.engines import DEFAULT_ENGINE, chosen
from trimtab.run.progress import ProgressCallback
from trimtab.run.run_file import run_on
from trimtab.run.runtime import resolve
from trimtab.run.trials import TrialRuns
from trimtab.study.definition import Study

# Workers need it; this process does not, but is to say so before anything else is done.
if importlib.util.find_spec("torch") is None:
    raise ModuleNotFoundError("No module named 'torch'", name="torch")

# Held while what all runs share is measured and written: by one of them, and the others read it.
_SETTING_UP = "setting-up"


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to: the ledger's folder, trials done now and before, and those that failed.

    crossed_now: models that were evaluated on other variants' inputs; taken_over: trials, not among those
    done now or before, that other folders of results had; stopped: trials that planned looks left out;
    done_by_others: by other runs on the same ledger, meanwhile.
    """

    folder: Path
    done_now: int
    done_before: int
    failures: tuple[Failure, ...]
    crossed_now: int = 0
    taken_over: int = 0
    stopped: int = 0
    done_by_others: int = 0


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
    slurm_options: Sequence[str] = (),
) -> RunOutcome:
    """Train and evaluate every trial of ``study`` that its ledger does not hold, and keep the results.

    data: the folder of ``--data``; out: the ledger's folder, by default ``results/<study>``; jobs: worker
    processes, by default as many as the cores allow; device: cpu, cuda or auto; engine: where trials run,
    ``local``, ``ray``, ``ray=ADDRESS`` or ``slurm``, where jobs is the number of jobs in the array;
    slurm_options: for each of those, such as ``partition=main``; on_trial: is called with the key of each
    trial that has just ended; reuse: folders of results, or of such folders, whose finished trials of the
    same key are taken over. What the first run resolved (device, threads, precision) is used again by
    every later one. Other runs of the same study may go on in the same folder, on this machine or others
    that share it: each trial is trained by one of them, and all of them end when all trials have.
    InputError for wrong input; a trial that fails is named in the outcome, and tried again by the next
    run. Interrupted, a KeyboardInterrupt, where the process is asked to stop, once its trials have
    written checkpoints.
    """
    place = chosen(engine, slurm_options)
    others = [other for folder in reuse for other in ledgers_below(folder)]
    ledger = Ledger(out or Path("results") / study.name)
    ledger.begin(study.name)
    with run_on(ledger.folder, progress or ProgressCallback()) as (claims, told, announce):
        if ledger.runtime is None:  # a run that goes on may have nothing to train
            place.prepare(device)
        told.stage("reading and tokenising the data")
        prepared = prepare(study, data)
        told.stage("truncating the inputs of every variant")
        plan = make_plan(prepared)
        if place.parts is not None:
            part = RunPart(study, _absolute(data), ledger.folder.absolute(), device, tuple(reuse))
            told_of = on_trial or (lambda key: None)
            divided = DividedRun(plan, ledger, claims, told, place.parts, part, told_of)
            if divided.is_anything_left:
                return _outcome(divided, jobs)
        begun = _Beginning(plan, ledger, claims, told, place, announce)
        told.stage("waiting for another run to begin")
        with claims.alone(_SETTING_UP):
            runtime, trials = begun.set_up(jobs, device)
        context = RunContext(
            plan=plan,
            ledger=ledger,
            claims=claims,
            progress=told,
            place=place,
            runtime=runtime,
            signature=begun.signature,
            jobs=jobs,
            on_trial=on_trial or (lambda key: None),
        )
        return _run(context, trials, others)


def _run(run: RunContext, trials: list[WantedTrial], others: Sequence[Ledger]) -> RunOutcome:
    ledger = run.ledger
    set_aside_damaged(ledger, run.claims, run.progress, trials)
    taken = _take_over(run, trials, others) if others else 0
    training = TrialRuns(run, trials)
    before = sum(not run.is_missing(trial) for trial in trials) - taken
    training.train()
    crossing = CrossRuns(run, trials)
    crossing.evaluate()
    stopped = _stopped(ledger)
    failures = (*training.failures.values(), *crossing.failures)
    by_others = len(trials) - taken - before - training.done - len(training.failures) - stopped
    return RunOutcome(
        ledger.folder, training.done, before, failures, crossing.done, taken, stopped, by_others
    )


@dataclass(frozen=True)
class RunPart:
    """A Part: a run of the study, on another machine, that shares the ledger in ``out`` with others."""

    study: Study
    data: Path | None
    out: Path
    device: str
    reuse: tuple[Path, ...]

    @property
    def name(self) -> str:
        """What it is called in a queue."""
        return f"trimtab-{self.study.name}"

    @property
    def logs(self) -> Path:
        """In the ledger's folder."""
        return self.out / "slurm"

    def run(self, report: Callable[[None], None]) -> str | None:
        """Train what it can get of the trials; a sentence where the input is wrong on that machine."""
        try:
            run(self.study, self.data, self.out, device=self.device, reuse=self.reuse)
        except InputError as error:
            return str(error)
        return None


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _outcome(divided: DividedRun, jobs: int | None) -> RunOutcome:
    """Run the study in parts, and look up in the ledger what it came to."""
    divided.run(jobs)
    return RunOutcome(
        divided.ledger.folder,
        len(divided.done),
        divided.before,
        tuple(divided.failures),
        divided.crossed,
        stopped=_stopped(divided.ledger),
    )


def _stopped(ledger: Ledger) -> int:
    """How many trials planned looks left out."""
    return sum(ledger.trial(key).result is None for key in ledger.stopped)


def _take_over(run: RunContext, trials: Sequence[WantedTrial], others: Sequence[Ledger]) -> int:
    """Take over the missing trials that other ledgers have; how many those were."""
    taken = 0
    for trial in trials:
        if not run.is_missing(trial) or not run.claims.take(trial.key):
            continue
        kept = run.ledger.trial(trial.key)
        if take_over(kept, trial.key, others, run.plan.study.keeps_weights):
            taken += 1
            run.on_trial(trial.key)
        run.claims.give_back(trial.key)
    return taken


@dataclass(frozen=True)
class _Beginning:
    """What a run measures and writes before its trials, for itself and for other runs."""

    plan: Plan
    ledger: Ledger
    claims: Claims
    progress: ProgressCallback
    place: Place
    announce: Callable[[str], None]
    signature: machine.Signature = field(default_factory=machine.signature)

    def set_up(self, jobs: int | None, device: str) -> tuple[RuntimeRecord, list[WantedTrial]]:
        """What the study runs on, and its trials; the study's record is written."""
        ledger, stage = self.ledger, self.progress.stage
        stage("finding out what trials run on")
        runtime = resolve(self.plan, ledger.runtime, ledger.folder, jobs, device, self.place, stage)
        trials = self.plan.trials(runtime)
        self._check_others(trials)
        ledger.write_runtime(runtime)
        self._write_study(runtime, trials)
        return runtime, trials

    def _check_others(self, trials: Sequence[WantedTrial]) -> None:
        """InputError where another run goes on here that wants other trials: their records would be mixed."""
        mine = self.claims.mine.run
        wants = canonical_hash(sorted(trial.key for trial in trials))
        for other in live_runs(self.ledger.folder):
            # One that has not begun will find out itself.
            if other.name != mine and other.wants not in ("", wants):
                raise InputError(
                    f"{self.ledger.folder}: another run, process {other.pid} on {other.host}, trains another "
                    "version of this study here; wait until it ends, or choose another folder with --out DIR"
                )
        self.announce(wants)

    def _write_study(self, runtime: RuntimeRecord, trials: Sequence[WantedTrial]) -> None:
        """Keep what the analysis needs, and the tokenisers where weights are kept."""
        plan, study = self.plan, self.plan.study
        kept: list[TokenizerRecord | None] = [None] * len(plan.variants)
        if study.keeps_weights:
            variants = [(each.dataset, each.settings.truncation) for each in plan.variants]
            kept = list(keep_tokenizers(self.ledger.folder, variants))
        record = study_record(plan, trials, kept, runtime, self.signature)
        record = record.model_copy(update={"looked_at": looked_at(self.ledger, record)})
        rows = published_rows(plan) if study.publish_rows else None
        self.ledger.write_study(record, evaluated_rows(plan), rows)
