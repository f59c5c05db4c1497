"""Training a trial, as a worker process does it."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from trimtab.atomic import atomic_write
from trimtab.data.pairs import Pairs
from trimtab.ledger.trial import WEIGHTS, Trial
from trimtab.ledger.trial_records import Scores, TrialResult
from trimtab.model.building import AnyClassifier
from trimtab.model.initial_weights import read as read_initial_weights
from trimtab.run.input_spec import check_inputs
from trimtab.run.jobs import TrialJob
from trimtab.run.outcome import JobOutcome, sentence_of
from trimtab.run.progress import Alive, TrialNews
from trimtab.run.ranks import RankDiedError, attempt_together
from trimtab.run.stopping import asked_to_stop
from trimtab.run.ticker import Seldom
from trimtab.training.auto_precision import device_name
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.chosen import chosen_epoch
from trimtab.training.epoch import Epoch, StoppedError
from trimtab.training.loop import DivergedError, Resumed, predict, train
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.objective import Objective, objective_of
from trimtab.training.ranks import Ranks


def trained(asked: TrialJob, report: Callable[[TrialNews], None]) -> JobOutcome:
    """Do what ``TrialJob.run`` says."""
    job: TrialJob | None = asked
    while job is not None:
        try:
            if job.recipe.devices == 1:
                failure = attempt(job, report)
            else:
                failure = attempt_together(job, report, torch.get_num_threads())
        except StoppedError:
            return JobOutcome(stopped=True)
        except RankDiedError as error:
            return JobOutcome(str(error), may_pass=True, killed=error.killed)
        except OSError as error:
            return JobOutcome(sentence_of(error), may_pass=True)
        finally:
            give_back()
        if failure is None:
            return JobOutcome()
        reason, out_of_memory = failure
        job = job.with_smaller_batches() if out_of_memory else None
    return JobOutcome(reason)


def attempt(
    job: TrialJob, report: Callable[[TrialNews], None], ranks: Ranks | None = None
) -> tuple[str, bool] | None:
    """None where the trial was done, else the reason and whether memory ran out.

    ranks: this process and the others that do the same job with it; the first of them writes the files.
    """
    try:
        _train(job, report, ranks)
    except DivergedError as error:
        Trial(job.folder).attempt().checkpoint.unlink(missing_ok=True)  # it would diverge again
        return str(error), False
    except (RuntimeError, MemoryError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        rows = job.recipe.rows_together
        return f"out of memory, with {rows} rows at a time: {str(error).splitlines()[0]}", True
    return None


def _train(job: TrialJob, report: Callable[[TrialNews], None], ranks: Ranks | None) -> None:
    began = time.perf_counter()
    trial, leads = Trial(job.folder).attempt(), ranks is None or ranks.leads
    if leads:
        trial.begin(job.config)
    pairs = job.input_spec.pairs(*job.input_spec.folders)
    check_inputs(pairs, job.config.inputs, job.input_spec.folders)
    backend = Backend(torch.device(job.device), job.recipe.precision, graphs=job.graphs)
    epochs: list[Epoch] = []

    def on_resume(resumed: Resumed) -> None:
        nonlocal began
        began -= resumed.seconds
        epochs.extend(resumed.epochs)
        if leads:
            trial.write_epochs(epochs)

    def on_epoch(record: Epoch) -> None:
        epochs.append(record)
        if leads:
            trial.write_epochs(epochs)
        report(record)

    alive = Seldom(lambda: report(Alive()))
    checkpoint = Checkpoint(trial.checkpoint, job.checkpoint_seconds)
    weights = read_initial_weights(job.initial_weights) if job.initial_weights else None
    with asked_to_stop() as stop:
        model = train(
            job.config.size,
            job.recipe,
            job.config.seed,
            backend,
            vocabulary=job.config.vocabulary,
            classes=job.config.classes,
            training=pairs["train"],
            validation=pairs["validation"],
            initial_weights=weights,
            checkpoint=checkpoint,
            stop=stop,
            on_resume=on_resume,
            on_epoch=on_epoch,
            on_progress=report,
            on_evaluation=alive,
            ranks=ranks,
        )
        tests = [name for name in pairs if name not in ("train", "validation")]
        logits = {name: predict(model, pairs[name], backend, alive, ranks) for name in tests}
        if not leads:
            return
        if job.keep_weights:
            _save(model, trial.folder)
        objective = objective_of(pairs["train"], job.config.classes, "none", backend.device)
        scores = {name: scores_of(objective, logits[name], pairs[name]) for name in tests}
        trial.finish(_result(job, epochs, scores, time.perf_counter() - began), logits)
        Trial(job.folder).settle()


def scores_of(objective: Objective, logits: NDArray[np.float32], pairs: Pairs) -> Scores:
    """The mean loss and the accuracy of a model's logits (rows, outputs) on ``pairs``."""
    loss, accuracy = objective.measure(logits, pairs.labels)
    return Scores(loss=loss, accuracy=accuracy)


def _result(job: TrialJob, epochs: Sequence[Epoch], scores: dict[str, Scores], seconds: float) -> TrialResult:
    training = sum(record.seconds for record in epochs)
    chosen = epochs[chosen_epoch(job.recipe.evaluate, epochs)]
    return TrialResult(
        tests=scores,
        evaluated_epoch=chosen.epoch,
        validation=Scores.of_validation(chosen),
        # Rates weighted by their seconds: work over time of all epochs.
        examples_per_second=sum(each.examples_per_second * each.seconds for each in epochs) / training,
        tokens_per_second=sum(each.tokens_per_second * each.seconds for each in epochs) / training,
        peak_bytes=max(record.peak_bytes for record in epochs),
        training_seconds=training,
        seconds=seconds,
        recipe=job.recipe,
        machine=device_name(torch.device(job.device)),
        threads=torch.get_num_threads(),
        signature=job.signature,
        run=job.run_name,
        failed_before=job.failed_before,
    )


def _save(model: AnyClassifier, folder: Path) -> None:
    with atomic_write(folder / WEIGHTS) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, temporary)
