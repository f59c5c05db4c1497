"""Measuring a precision, as a worker process does it."""

from collections.abc import Callable

import torch

from trimtab.run.jobs import MeasuredPrecision, PrecisionJob
from trimtab.training.auto_precision import choose_precision


def measured(job: PrecisionJob, report: Callable[[None], None]) -> MeasuredPrecision:
    """Do what ``PrecisionJob.run`` says."""
    spec, device = job.input_spec, torch.device(job.device)
    pairs = spec.pairs("train")["train"]
    return MeasuredPrecision(
        *choose_precision(
            job.size, job.recipe, pairs, spec.vocabulary, spec.classes, device, lambda: report(None)
        )
    )
