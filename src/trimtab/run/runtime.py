"""What a study runs on: device, threads and precision, resolved when it first runs and kept from then on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.machine import available_cores
from trimtab.plan.cost import kind_of_work, longest_inputs
from trimtab.plan.plan import Plan
from trimtab.run.jobs import InputSpec, PrecisionJob
from trimtab.run.pool import Ended, run_jobs


def resolve(
    plan: Plan,
    kept: dict[str, Any] | None,
    folder: Path,
    jobs: int | None,
    device: str,
    on_stage: Callable[[str], None],
) -> dict[str, Any]:
    """Device, threads and precisions: those that the ledger in ``folder`` has ``kept``, the rest made now.

    precision: by kind of work, for the variants that leave it to a measurement. InputError where
    ``device`` is not there, or not the one that the ledger was begun on.
    """
    runtime = kept or begin(jobs, device)
    if device not in ("auto", runtime["device"]):
        raise InputError(
            f"--device {device}: {folder} was begun on {runtime['device']}; leave --device out, or choose "
            "another folder with --out DIR"
        )
    if kept and runtime["device"] == "cuda":
        _resolve_device("cuda")  # InputError here rather than a failure in every trial
    open_kinds = _kinds_to_measure(plan, runtime["precision"])
    if open_kinds:
        on_stage("measuring which precision is quicker here")
        measured = measure(plan, list(open_kinds.values()), runtime["device"], runtime["threads"])
        for kind, number in open_kinds.items():
            # Where a step does not fit into memory, the trials themselves will find out.
            found = measured[number]
            runtime["precision"][kind] = found["precision"] if found else "fp32"
    return runtime


def begin(jobs: int | None, device: str) -> dict[str, Any]:
    """What a first run begins with; no precision is measured yet."""
    return {"threads": _threads(jobs), "device": _resolve_device(device), "precision": {}}


def measure(plan: Plan, numbers: list[int], device: str, threads: int) -> dict[int, dict[str, Any] | None]:
    """The quicker precision and the examples/s of each, for the work of some variants, one after another.

    None where it could not be measured. A machine's measurements are kept in the user's cache.
    """
    ended: dict[int, Ended] = {}
    jobs = []
    for number in numbers:
        settings = plan.study.variants[number].settings
        jobs.append(PrecisionJob(input_spec(plan, number), settings.size, settings.recipe, device))
    run_jobs(jobs, 1, threads, lambda number, kind, value: None, ended.__setitem__)
    return {number: ended[i].value for i, number in enumerate(numbers)}


def input_spec(plan: Plan, number: int) -> InputSpec:
    """What the trials of a variant are trained on."""
    settings, dataset = plan.study.variants[number].settings, plan.reading(number)
    return InputSpec(
        folders={name: tokens.folder for name, tokens in dataset.splits.items()},
        truncation=settings.truncation.resolved,
        max_len=settings.max_len,
        special=dataset.special,
        vocabulary=dataset.vocabulary,
        classes=len(dataset.label_names),
    )


def default_jobs(runtime: dict[str, Any]) -> int:
    """Worker processes where none were asked for: one on a GPU, else as many as the cores allow."""
    return 1 if runtime["device"] == "cuda" else max(1, available_cores() // runtime["threads"])


def _kinds_to_measure(plan: Plan, known: dict[str, str]) -> dict[str, int]:
    variants = plan.study.variants
    return {
        kind: number
        for kind, number in longest_inputs(plan, kind_of_work).items()
        if variants[number].settings.recipe.precision == "auto" and kind not in known
    }


def _threads(jobs: int | None) -> int:
    """Threads of each worker: the cores shared among ``jobs``, else few, since small models gain little."""
    cores = available_cores()
    return max(1, cores // jobs) if jobs else max(1, cores // 8)


def _resolve_device(device: str) -> str:
    if device == "cpu":
        return device
    import torch  # only who does not say cpu waits for it

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        mend = "leave --device out; results that were begun on cuda need another folder"
        raise InputError(f"--device cuda: PyTorch finds no CUDA device here; {mend}")
    return "cpu"
