"""A trial as a tracker wants it: flat parameters, metrics of each epoch, final metrics."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from trimtab.config import InputError, canonical_hash
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.ledger.trial import Trial
from trimtab.ledger.trial_records import TrialResult
from trimtab.statistics import Score, Truth, score_named
from trimtab.training.epoch import Epoch

Parameter = str | int | float | bool


@dataclass(frozen=True)
class TrialRun:
    """One ended trial as one run of a tracker.

    key: the trial's, which identifies the run; group: the name of the first variant that wants the trial,
    variants: of all; seed: the study's. parameters: all that was chosen or is known before the results;
    epochs: by epoch, losses in nats, accuracies from 0 to 1, seconds, rates; metrics: of the whole trial, of
    each test set under ``SET/SCORE``, at ``step``, the epoch whose weights were tested. failure: why the
    trial failed, None where it is done.
    """

    study: str
    key: str
    group: str
    variants: tuple[str, ...]
    seed: int
    parameters: Mapping[str, Parameter]
    epochs: Mapping[int, Mapping[str, float]]
    metrics: Mapping[str, float]
    step: int
    failure: str | None

    @property
    def name(self) -> str:
        """``ratio, max_len 16, seed 0``."""
        return f"{self.group}, seed {self.seed}"

    @property
    def status(self) -> Literal["done", "failed"]:
        """How the trial ended."""
        return "done" if self.failure is None else "failed"

    @property
    def digest(self) -> str:
        """Equal where everything is: a run that was written with this digest need not be written again."""
        return canonical_hash(asdict(self))


def trial_runs(ledger: Ledger, only: str | None = None) -> Iterator[TrialRun]:
    """Every trial of a ledger that ended, in the study's order, or that of the key ``only``.

    A trial that variants share is one run. InputError where nothing was run in the folder.
    """
    study = ledger.study
    wanted = {key: places for key, places in study.wanted.items() if only in (None, key)}
    score = None if study.compare.score == "accuracy" else score_named(study.compare.score)
    truths = {test: ledger.evaluated(test).truth for test in study.tests} if score else {}
    for key, places in wanted.items():
        run = _trial_run(ledger, study, score, truths, key, places)
        if run is not None:
            yield run


def _trial_run(
    ledger: Ledger,
    study: StudyRecord,
    score: Score | None,
    truths: Mapping[str, Truth],
    key: str,
    places: list[tuple[VariantRecord, int]],
) -> TrialRun | None:
    """The run of one trial; None where it did not end."""
    trial, (variant, seed) = ledger.trial(key), places[0]
    result = trial.result
    failure = trial.failure if result is None else None
    if result is None and failure is None:
        return None
    metrics = _metrics(result) if result else {}
    if result and score:
        metrics |= _scores(study, score, truths, trial)
    return TrialRun(
        study=study.name,
        key=key,
        group=variant.name,
        variants=tuple(one.name for one, _ in places),
        seed=seed,
        parameters=_parameters(study, variant, seed, result),
        epochs=_epochs(trial) if result else {},
        metrics=metrics,
        step=result.evaluated_epoch if result else 0,
        failure=failure,
    )


def _parameters(
    study: StudyRecord, variant: VariantRecord, seed: int, result: TrialResult | None
) -> dict[str, Parameter]:
    signature = result.signature if result else study.signature
    machine = {"machine": result.machine, "threads": result.threads} if result else {}
    values = {
        **variant.coordinates,
        **variant.settings,
        **(asdict(result.recipe) if result else {}),
        "kind": variant.size.kind,
        "seed": seed,
        "inputs": variant.inputs,
        "device": study.runtime.device,
        **machine,
        **asdict(signature),
    }
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> Parameter:
    return value if isinstance(value, str | int | float | bool) else "none" if value is None else str(value)


def _epochs(trial: Trial) -> dict[int, dict[str, float]]:
    """By epoch; none where their records are damaged."""
    try:
        return {one.epoch: _of_epoch(one) for one in trial.epochs()}
    except InputError:
        return {}


def _of_epoch(epoch: Epoch) -> dict[str, float]:
    return _known(
        {
            "train/loss": epoch.loss,
            "train/accuracy": epoch.accuracy,
            "validation/loss": epoch.validation_loss,
            "validation/accuracy": epoch.validation_accuracy,
            "train/seconds": epoch.seconds,
            "validation/seconds": epoch.validation_seconds,
            "train/examples_per_second": epoch.examples_per_second,
            "train/tokens_per_second": epoch.tokens_per_second,
        }
    )


def _known(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _metrics(result: TrialResult) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, scores in result.tests.items():
        found |= _known({f"{name}/accuracy": scores.accuracy, f"{name}/loss": scores.loss})
    return found | {
        "evaluated_epoch": result.evaluated_epoch,
        "examples_per_second": result.examples_per_second,
        "tokens_per_second": result.tokens_per_second,
        "peak_bytes": result.peak_bytes,
        "training_seconds": result.training_seconds,
        "seconds": result.seconds,
    }


def _scores(study: StudyRecord, score: Score, truths: Mapping[str, Truth], trial: Trial) -> dict[str, float]:
    """What the study judges by, where that is not accuracy, by test set."""
    found = {}
    for test in study.tests:
        values = score.of(trial.predictions(test)[None], truths[test])
        mean = float(values.mean())
        if not math.isnan(mean):
            found[f"{test}/{study.compare.score}"] = mean
    return found
