"""Cross evaluation: a finished trial's model on test inputs of other variants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from trimtab.config import InputError
from trimtab.ledger.records import RuntimeRecord
from trimtab.ledger.trial import WEIGHTS, Trial
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier, empty
from trimtab.plan.identity import WantedTrial, precision_of
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import CrossInputs
from trimtab.run.input_spec import InputSpec, check_inputs, input_spec
from trimtab.run.outcome import JobOutcome, sentence_of
from trimtab.run.ticker import Seldom
from trimtab.training.backend import Backend
from trimtab.training.loop import DivergedError, predict
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.recipe import Precision


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

    def run(self, report: Callable[[None], None]) -> JobOutcome:
        """Evaluate; what is done stays where a later evaluation fails."""
        Trial(self.folder).crossed.begin()
        try:
            self._evaluate(Seldom(lambda: report(None)))
        except (DivergedError, SafetensorError, InputError) as error:
            return JobOutcome(str(error))
        except (RuntimeError, MemoryError, OSError) as error:
            if isinstance(error, OSError) and not is_out_of_memory(error):
                return JobOutcome(sentence_of(error), may_pass=True)
            if not is_out_of_memory(error):
                raise
            return JobOutcome(f"out of memory: {str(error).splitlines()[0]}; lower --jobs")
        finally:
            give_back()
        return JobOutcome()

    def _evaluate(self, alive: Callable[[], None]) -> None:
        crossed = Trial(self.folder).crossed
        backend = Backend(torch.device(self.device), self.precision)
        first = self.inputs[0][0]
        model = load_weights(self.folder, self.size, first.vocabulary, first.classes).to(backend.device)
        for spec, wanted in self.inputs:
            pairs = spec.pairs(*wanted)
            check_inputs(pairs, wanted, spec.folders)
            for name, fingerprint in wanted.items():
                crossed.add(fingerprint, predict(model, pairs[name], backend, alive))


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


def load_weights(folder: Path, size: Architecture, vocabulary: int, classes: int) -> AnyClassifier:
    """The model that a trial left in its folder, exactly; SafetensorError or InputError where damaged."""
    path = folder / WEIGHTS
    model = empty(size, vocabulary, classes)
    Trial(folder).check(WEIGHTS)
    try:
        weights = load_file(path)
    except SafetensorError as error:
        mend = f"delete {path} and run the study again"
        raise SafetensorError(f"{path}: cannot be read ({error}); {mend}") from error
    model.load_state_dict(weights)
    return model
