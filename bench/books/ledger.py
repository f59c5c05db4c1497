"""A study of many variants and a ledger of its trials that are simulated, not trained.

The study file is planned as any other, so that the trials' keys, inputs and rows are the real ones. What is
made up are the models: each variant has a true accuracy, each row a difficulty that all models share.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trimtab import machine
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.ledger.trial_records import Scores, TrialResult
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan, plan_study
from trimtab.plan.records import evaluated_rows, study_record
from trimtab.plan.rows import published_rows
from trimtab.study.definition import load
from trimtab.training.epoch import Epoch

ROWS, EPOCHS = 200, 2
TRUNCATIONS, LENGTHS = ("longest_first", "ratio", "first_priority", "second_priority"), (12, 16, 24, 32, 40)
SIGNATURE = machine.signature()
_SHARED = 0.6  # the part of a row's difficulty that all models share


@dataclass(frozen=True)
class Shape:
    """How large a ledger is: ``rates`` learning rates for each of the cuts, and seeds."""

    rates: int
    seeds: int

    @property
    def variants(self) -> int:
        """How many the study has."""
        return len(TRUNCATIONS) * len(LENGTHS) * self.rates

    @property
    def trials(self) -> int:
        """How many the ledger holds."""
        return self.variants * self.seeds


def study_text(shape: Shape) -> str:
    """The study file: two declared baselines, the first truncation and the longest max_len."""
    rates = [f"{1e-3 * (1 + place):.3g}" for place in range(shape.rates)]
    return f"""\
question = "How long do tables of many trials take?"

[data]
reader = "probe"
train = 320
test = {ROWS}
first_length = [8, 30]
second_length = [4, 24]
min_freq = 1

[base]
size = "2x32/64/2"
epochs = {EPOCHS}
batch_size = 32
precision = "fp32"

[grid]
truncation = {list(TRUNCATIONS)}
max_len = {list(LENGTHS)}
learning_rate = [{", ".join(rates)}]
seeds = {shape.seeds}
"""


def make(folder: Path, shape: Shape) -> Path:
    """Write ``study.toml`` and its ledger ``out``, every trial finished; the study file's path."""
    path = folder / "study.toml"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(study_text(shape))
    plan = plan_study(load(path))
    runtime = RuntimeRecord(threads=1, device="cpu", precision={})
    ledger = Ledger(folder / "out")
    ledger.begin(plan.study.name)
    ledger.write_runtime(runtime)
    trials = plan.trials(runtime)
    labels = _labels(plan)
    for trial, logits in zip(trials, _simulated(plan, trials), strict=True):
        _write(ledger, trial, logits, labels)
    kept = [None] * len(plan.variants)
    ledger.write_study(
        study_record(plan, trials, kept, runtime, SIGNATURE), evaluated_rows(plan), published_rows(plan)
    )
    return path


def _simulated(plan: Plan, trials: list[WantedTrial]) -> Iterator[NDArray[np.float32]]:
    """The logits (rows, classes) of each trial."""
    random = np.random.default_rng(0)
    labels = _labels(plan)
    classes = len(plan.dataset.label_names)
    chances = np.linspace(0.55, 0.75, len(plan.variants))
    difficulty = random.random(len(labels))
    for trial in trials:
        own = random.random(len(labels))
        right = _SHARED * difficulty + (1 - _SHARED) * own < chances[trial.variant.number]
        said = np.where(right, labels, (labels + 1) % classes)
        yield np.eye(classes, dtype=np.float32)[said] + random.normal(0, 0.1, (len(labels), classes)).astype(
            np.float32
        )


def _labels(plan: Plan) -> NDArray[np.int64]:
    return np.asarray(plan.dataset.splits["test"].labels)


def _write(ledger: Ledger, trial: WantedTrial, logits: NDArray[np.float32], labels: NDArray) -> None:
    kept, right = ledger.trial(trial.key), float((logits.argmax(axis=1) == labels).mean())
    kept.begin(trial.config)
    kept.write_epochs([_epoch(number, right) for number in range(1, EPOCHS + 1)])
    result = TrialResult(
        tests={"test": Scores(loss=1.0 - right, accuracy=right)},
        evaluated_epoch=EPOCHS,
        validation=Scores(loss=1.0 - right, accuracy=right),
        examples_per_second=1000.0 / trial.variant.settings.max_len,
        tokens_per_second=1000.0,
        peak_bytes=trial.variant.settings.max_len << 20,
        training_seconds=2.0,
        seconds=3.0,
        recipe=trial.config.recipe,
        machine=SIGNATURE.system,
        threads=1,
        signature=SIGNATURE,
    )
    kept.finish(result, {"test": logits})


def _epoch(number: int, right: float) -> Epoch:
    return Epoch(
        epoch=number,
        loss=1.0 / number,
        accuracy=right,
        validation_loss=1.0 - right,
        validation_accuracy=right,
        examples_per_second=100.0,
        tokens_per_second=2000.0,
        peak_bytes=5 << 20,
        seconds=1.0,
        validation_seconds=0.25,
    )
