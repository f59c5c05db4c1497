"""What a study runs on: device, threads and precision, resolved when it first runs and kept from then on."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.machine import available_cores
from trimtab.plan.cost import longest_inputs
from trimtab.plan.identity import precision_kind
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.run.ended import Ended
from trimtab.run.engine import Engine, Place
from trimtab.run.gpu_jobs import gpu_jobs
from trimtab.run.input_spec import input_spec
from trimtab.run.jobs import MeasuredPrecision, PrecisionJob


def resolve(
    plan: Plan,
    kept: RuntimeRecord | None,
    folder: Path,
    jobs: int | None,
    device: str,
    place: Place,
    on_stage: Callable[[str], None],
) -> RuntimeRecord:
    """Device, threads and precisions: those that the ledger in ``folder`` has ``kept``, the rest made now.

    InputError where ``device`` is not there, or not the one that the ledger was begun on, or where a trial
    should have more GPUs than there are.
    """
    devices = plan.devices
    runtime = begun(kept, folder, jobs and jobs * devices, device, place.begin)
    if devices > 1 and runtime.device == "cuda":
        place.check_devices(devices)
    open_kinds = kinds_to_measure(plan, runtime.precision)
    if not open_kinds:
        return runtime
    on_stage("measuring which precision is faster")
    measured = measure_precisions(list(open_kinds.values()), runtime, place.engine)
    # Where a step does not fit into memory, the trials themselves will find out.
    found = {
        kind: each.precision if each else "fp32" for kind, each in zip(open_kinds, measured, strict=True)
    }
    return runtime.model_copy(update={"precision": {**runtime.precision, **found}})


def begin(jobs: int | None, device: str) -> RuntimeRecord:
    """What a first run begins with on this machine; no precision is measured yet."""
    return RuntimeRecord(threads=_threads(jobs), device=_resolve_device(device))


def begun(
    kept: RuntimeRecord | None,
    folder: Path,
    jobs: int | None,
    device: str,
    beginning: Callable[[int | None, str], RuntimeRecord] = begin,
) -> RuntimeRecord:
    """Device, threads and known precisions: those that the ledger in ``folder`` has ``kept``, or a begin's.

    beginning: of the place where trials run, by default this machine. InputError where ``device`` is not
    there, or not the one that the ledger was begun on.
    """
    runtime = kept or beginning(jobs, device)
    if device not in ("auto", runtime.device):
        raise InputError(
            f"--device {device}: {folder} was begun on {runtime.device}; leave --device out, or choose "
            "another folder with --out DIR"
        )
    if kept and runtime.device == "cuda":
        beginning(jobs, "cuda")  # InputError here rather than a failure in every trial
    return runtime


def measure_precisions(
    variants: Sequence[PlannedVariant], runtime: RuntimeRecord, engine: Engine
) -> list[MeasuredPrecision | None]:
    """The quicker precision for the trials of some variants, measured one after another.

    None where it could not be measured. A machine's measurements are kept in the user's cache.
    """
    ended: dict[int, Ended[MeasuredPrecision]] = {}
    jobs = [
        PrecisionJob(input_spec(each), each.settings.size, each.settings.recipe.of_one_device, runtime.device)
        for each in variants
    ]
    engine(jobs, 1, runtime.threads, lambda number, news: None, ended.__setitem__)
    return [ended[number].value for number in range(len(jobs))]


def default_jobs(runtime: RuntimeRecord, plan: Plan | None = None, ledger: Ledger | None = None) -> int:
    """Worker processes where none were asked for: as many as the cores allow, or the GPUs (``gpu_jobs``)."""
    if runtime.device == "cuda":
        return gpu_jobs(plan, ledger)
    return max(1, available_cores() // (runtime.threads * (plan.devices if plan else 1)))


def kinds_to_measure(plan: Plan, known: Mapping[str, str]) -> dict[str, PlannedVariant]:
    """Kinds of trials whose precision is not yet known, each with the variant to measure it on."""
    return {
        kind: variant
        for kind, variant in longest_inputs(plan.variants, precision_kind).items()
        if variant.settings.recipe.precision == "auto" and kind not in known
    }


def _threads(jobs: int | None) -> int:
    """Threads of each worker: the cores shared among ``jobs``, else few, since small models gain little."""
    cores = available_cores()
    return max(1, cores // jobs) if jobs else max(1, cores // 8)


def _resolve_device(device: str) -> Literal["cpu", "cuda"]:
    if device == "cpu":
        return "cpu"
    import torch  # --device cpu does not wait for it

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        mend = "leave --device out; results that were begun on cuda need another folder"
        raise InputError(f"--device cuda: PyTorch finds no CUDA device here; {mend}")
    return "cpu"
