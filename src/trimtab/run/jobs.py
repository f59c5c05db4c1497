"""What a study's worker processes are asked to do. Free of torch, which the asking process does without."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from trimtab.ledger.trial_records import TrialConfig
from trimtab.machine import Signature
from trimtab.model.architecture import Architecture
from trimtab.run.input_spec import InputSpec
from trimtab.run.outcome import JobOutcome
from trimtab.run.progress import TrialNews
from trimtab.training.recipe import Precision, Recipe

# Imported by the worker that does it; both need torch, and this module.
_PRECISION_WORK, _TRIAL_WORK = "trimtab.run.precision_work", "trimtab.run.trial_work"


@dataclass(frozen=True)
class MeasuredPrecision:
    """The quicker precision, and the examples per second of each; none where it was certain."""

    precision: Precision
    examples_per_second: dict[str, float]


@dataclass(frozen=True)
class PrecisionJob:
    """Measure which precision is quicker for such trials."""

    input_spec: InputSpec
    size: Architecture
    recipe: Recipe
    device: str

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        return self.size.parameters(self.input_spec.vocabulary, self.input_spec.classes)

    def run(self, report: Callable[[None], None]) -> MeasuredPrecision:
        """Measure, or take what was measured on this machine before."""
        found: MeasuredPrecision = import_module(_PRECISION_WORK).measured(self, report)
        return found


@dataclass(frozen=True)
class TrialJob:
    """Train one trial and write it into its folder.

    config: what makes the trial what it is; recipe: that of ``config``, perhaps in smaller micro-batches;
    run_name: of the run that trains it; initial_weights: the file of the pretrained tensors that it starts
    from, None where there are none; checkpoint_seconds: between two checkpoints; failed_before: why earlier
    attempts of this run failed; graphs: as in ``Backend``.
    """

    folder: Path
    config: TrialConfig
    recipe: Recipe
    input_spec: InputSpec
    device: str
    keep_weights: bool
    signature: Signature
    run_name: str = ""
    initial_weights: Path | None = None
    checkpoint_seconds: float = 120.0
    failed_before: tuple[str, ...] = ()
    graphs: bool | None = None

    @property
    def parameters(self) -> int:
        """Parameters of the model."""
        return self.config.size.parameters(self.config.vocabulary, self.config.classes)

    @property
    def devices(self) -> int:
        """How many processes train it, each with its threads, or a GPU."""
        return self.recipe.devices

    def with_smaller_batches(self) -> "TrialJob | None":
        """The same trial in micro-batches of half the size; None where they hold one row already."""
        rows = self.recipe.rows_together
        return replace(self, recipe=replace(self.recipe, micro_batch=rows // 2)) if rows > 1 else None

    def run(self, report: Callable[[TrialNews], None]) -> JobOutcome:
        """Train, evaluate the test sets once, at the end, and mark the trial complete.

        It resumes from the trial's checkpoint, where there is one. Out of memory, the trial starts again with
        smaller micro-batches. Asked to stop by a signal of ``stopping.ASKING``, it does so at a checkpoint.
        """
        outcome: JobOutcome = import_module(_TRIAL_WORK).trained(self, report)
        return outcome
