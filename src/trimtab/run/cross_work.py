"""Evaluating a model on other variants' inputs, as a worker process does it."""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from trimtab.config import InputError
from trimtab.ledger.trial import WEIGHTS, Trial
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier, empty
from trimtab.run.cross import CrossJob
from trimtab.run.input_spec import check_inputs
from trimtab.run.outcome import JobOutcome, sentence_of
from trimtab.run.ticker import Seldom
from trimtab.training.backend import Backend
from trimtab.training.loop import DivergedError, predict
from trimtab.training.memory import give_back, is_out_of_memory


def evaluated(job: CrossJob, report: Callable[[None], None]) -> JobOutcome:
    """Do what ``CrossJob.run`` says."""
    Trial(job.folder).crossed.begin()
    try:
        _evaluate(job, Seldom(lambda: report(None)))
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


def _evaluate(job: CrossJob, alive: Callable[[], None]) -> None:
    crossed = Trial(job.folder).crossed
    backend = Backend(torch.device(job.device), job.precision)
    first = job.inputs[0][0]
    model = load_weights(job.folder, job.size, first.vocabulary, first.classes).to(backend.device)
    for spec, wanted in job.inputs:
        pairs = spec.pairs(*wanted)
        check_inputs(pairs, wanted, spec.folders)
        for name, fingerprint in wanted.items():
            crossed.add(fingerprint, predict(model, pairs[name], backend, alive))


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
