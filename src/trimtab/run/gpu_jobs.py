"""How many trials to run at a time on this machine's GPUs, by the memory that they take."""

import math
from collections.abc import Mapping

from trimtab.ledger.ledger import Ledger
from trimtab.machine import available_cores
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.run.devices import jobs_each, together, visible_devices


def gpu_jobs(plan: Plan | None = None, ledger: Ledger | None = None) -> int:
    """Worker processes by default: on each GPU as many as its memory holds of the study's largest trial.

    One on each GPU where no study is given, or where one of its models is not small. ledger: what a variant's
    finished trials took counts instead of an estimate.
    """
    import torch  # no CPU run waits for it

    devices = visible_devices("cuda")
    peaks = {} if plan is None or ledger is None else _peaks(plan, ledger)
    needs = [] if plan is None else [_trial_bytes(variant, peaks) for variant in plan.variants]
    known = [need for need in needs if need is not None]
    largest = max(known) if known and len(known) == len(needs) else None
    memory = min(torch.cuda.get_device_properties(number).total_memory for number in range(len(devices)))
    groups = len(together(devices, plan.devices if plan else 1))
    return groups * jobs_each(memory, largest, available_cores() // len(devices))


def _peaks(plan: Plan, ledger: Ledger) -> dict[int, int]:
    """By the number of a variant, the most memory that one of its finished trials took on a GPU."""
    found: dict[int, int] = {}
    if ledger.runtime is not None and ledger.runtime.device == "cuda":
        for trial in plan.trials(ledger.runtime):
            kept, number = ledger.trial(trial.key), trial.variant.number
            if kept.is_complete and (result := kept.result):
                found[number] = max(found.get(number, 0), result.peak_bytes)
    return found


def _trial_bytes(variant: PlannedVariant, peaks: Mapping[int, int]) -> int | None:
    """Bytes of a trial: what a finished one took, else an estimate; None where its model is not small."""
    from trimtab.training.backend import PARAMETER_BYTES, SMALL, activation_bytes

    size, recipe, dataset = variant.settings.size, variant.settings.recipe, variant.dataset
    parameters = size.parameters(dataset.vocabulary, dataset.outputs)
    if parameters >= SMALL:
        return None
    if variant.number in peaks:
        return peaks[variant.number]
    tokens = math.ceil(recipe.of_one_device.rows_together * variant.inputs["train"].tokens)
    return PARAMETER_BYTES * parameters + tokens * activation_bytes(size, "fp32")
