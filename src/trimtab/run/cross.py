"""Cross evaluation: a finished trial's model on test inputs of other variants. Free of torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from trimtab.ledger.records import RuntimeRecord
from trimtab.model.architecture import Architecture
from trimtab.plan.identity import WantedTrial, precision_of
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import CrossInputs
from trimtab.run.input_spec import InputSpec, input_spec
from trimtab.run.outcome import JobOutcome
from trimtab.training.recipe import Precision

_WORK = "trimtab.run.cross_work"  # imported by the worker that does it; it needs torch, and this module


@dataclass(frozen=True)
class CrossJob:
    """Evaluate a finished trial's model on test inputs of other variants, each into a file of its own.

    inputs: how they are truncated, and the fingerprint that they must have by test set.
    """

    folder: Path
    inputs: tuple[tuple[InputSpec, dict[str, str]], ...]
    size: Architecture
    precision: Precision
    device: str

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        first = self.inputs[0][0]
        return self.size.parameters(first.vocabulary, first.classes)

    def run(self, report: Callable[[None], None]) -> JobOutcome:
        """Evaluate; what is done stays where a later evaluation fails."""
        outcome: JobOutcome = import_module(_WORK).evaluated(self, report)
        return outcome


def cross_job(
    trial: WantedTrial, folder: Path, missing: Mapping[str, CrossInputs], runtime: RuntimeRecord
) -> CrossJob:
    """One model on all the inputs that are ``missing``, by fingerprint; each cut is made once."""
    by_cut: dict[PlannedVariant, dict[str, str]] = {}
    for fingerprint, (test, other) in missing.items():
        by_cut.setdefault(other, {})[test] = fingerprint
    return CrossJob(
        folder=folder,
        inputs=tuple((input_spec(other), wanted) for other, wanted in by_cut.items()),
        size=trial.config.size,
        precision=precision_of(trial.variant, runtime),
        device=runtime.device,
    )
