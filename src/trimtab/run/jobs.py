"""What a worker process does for a study: measure a precision, train one trial."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from trimtab.atomic import atomic_write
from trimtab.ledger.records import Scores, TrialConfig, TrialResult
from trimtab.ledger.trial import WEIGHTS, Trial
from trimtab.machine import Signature
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier
from trimtab.model.initial_weights import read as read_initial_weights
from trimtab.run.input_spec import InputSpec, check_inputs
from trimtab.run.outcome import JobOutcome, sentence_of
from trimtab.run.progress import Alive, TrialNews
from trimtab.run.stopping import asked_to_stop
from trimtab.run.ticker import Seldom
from trimtab.training.auto_precision import choose_precision, device_name
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.chosen import chosen_epoch
from trimtab.training.epoch import Epoch, StoppedError
from trimtab.training.loop import DivergedError, Resumed, measure, predict, train
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.recipe import Precision, Recipe


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

    def run(self, report: Callable[[None], None]) -> MeasuredPrecision:
        """Measure, or take what was measured on this machine before."""
        spec, device = self.input_spec, torch.device(self.device)
        pairs = spec.pairs("train")["train"]
        return MeasuredPrecision(
            *choose_precision(self.size, self.recipe, pairs, spec.vocabulary, spec.classes, device)
        )


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

    def with_smaller_batches(self) -> "TrialJob | None":
        """The same trial in micro-batches of half the size; None where they hold one row already."""
        rows = self.recipe.rows_together
        return replace(self, recipe=replace(self.recipe, micro_batch=rows // 2)) if rows > 1 else None

    def run(self, report: Callable[[TrialNews], None]) -> JobOutcome:
        """Train, evaluate the test sets once, at the end, and mark the trial complete.

        It resumes from the trial's checkpoint, where there is one. Out of memory, the trial starts again with
        smaller micro-batches. Asked to stop by SIGTERM or SIGHUP, it does so at a checkpoint.
        """
        job: TrialJob | None = self
        while job is not None:
            try:
                failure = job._attempt(report)
            except StoppedError:
                return JobOutcome(stopped=True)
            except OSError as error:
                return JobOutcome(sentence_of(error), may_pass=True)
            finally:
                give_back()
            if failure is None:
                return JobOutcome()
            reason, out_of_memory = failure
            job = job.with_smaller_batches() if out_of_memory else None
        return JobOutcome(reason)

    def _attempt(self, report: Callable[[TrialNews], None]) -> tuple[str, bool] | None:
        """None where the trial was done, else the reason and whether memory ran out."""
        try:
            self._train(report)
        except DivergedError as error:
            Trial(self.folder).attempt().checkpoint.unlink(missing_ok=True)  # it would diverge again
            return str(error), False
        except (RuntimeError, MemoryError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            rows = self.recipe.rows_together
            return f"out of memory, with {rows} rows at a time: {str(error).splitlines()[0]}", True
        return None

    def _train(self, report: Callable[[TrialNews], None]) -> None:
        began = time.perf_counter()
        trial = Trial(self.folder).attempt()
        trial.begin(self.config)
        pairs = self.input_spec.pairs(*self.input_spec.folders)
        check_inputs(pairs, self.config.inputs)
        backend = Backend(torch.device(self.device), self.recipe.precision, graphs=self.graphs)
        epochs: list[Epoch] = []

        def on_resume(resumed: Resumed) -> None:
            nonlocal began
            began -= resumed.seconds
            epochs.extend(resumed.epochs)
            trial.write_epochs(epochs)

        def on_epoch(record: Epoch) -> None:
            epochs.append(record)
            trial.write_epochs(epochs)
            report(record)

        alive = Seldom(lambda: report(Alive()))
        checkpoint = Checkpoint(trial.checkpoint, self.checkpoint_seconds)
        weights = read_initial_weights(self.initial_weights) if self.initial_weights else None
        with asked_to_stop() as stop:
            model = train(
                self.config.size,
                self.recipe,
                self.config.seed,
                backend,
                vocabulary=self.config.vocabulary,
                classes=self.config.classes,
                training=pairs["train"],
                validation=pairs["validation"],
                initial_weights=weights,
                checkpoint=checkpoint,
                stop=stop,
                on_resume=on_resume,
                on_epoch=on_epoch,
                on_progress=report,
                on_evaluation=alive,
            )
        tests = [name for name in pairs if name not in ("train", "validation")]
        logits = {name: predict(model, pairs[name], backend, alive) for name in tests}
        if self.keep_weights:
            _save(model, trial.folder)
        scores = {name: Scores(**measure(logits[name], pairs[name].labels)) for name in tests}
        trial.finish(self._result(epochs, scores, time.perf_counter() - began), logits)
        Trial(self.folder).settle()

    def _result(self, epochs: Sequence[Epoch], scores: dict[str, Scores], seconds: float) -> TrialResult:
        training = sum(record.seconds for record in epochs)
        chosen = epochs[chosen_epoch(self.recipe.evaluate, epochs)]
        return TrialResult(
            tests=scores,
            evaluated_epoch=chosen.epoch,
            validation=Scores(loss=chosen.validation_loss, accuracy=chosen.validation_accuracy),
            # Rates weighted by their seconds: work over time of all epochs.
            examples_per_second=sum(each.examples_per_second * each.seconds for each in epochs) / training,
            tokens_per_second=sum(each.tokens_per_second * each.seconds for each in epochs) / training,
            peak_bytes=max(record.peak_bytes for record in epochs),
            training_seconds=training,
            seconds=seconds,
            recipe=self.recipe,
            machine=device_name(torch.device(self.device)),
            threads=torch.get_num_threads(),
            signature=self.signature,
            run=self.run_name,
            failed_before=self.failed_before,
        )


def _save(model: AnyClassifier, folder: Path) -> None:
    with atomic_write(folder / WEIGHTS) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, temporary)
