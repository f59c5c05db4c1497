"""How long a study would take: from its ledger's own trials, else from measured steps."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.plan.cost import longest_inputs, relative_cost, scaled, speed_kind, trial_seconds
from trimtab.plan.identity import precision_of
from trimtab.plan.plan import Plan
from trimtab.run.runtime import begun, default_jobs
from trimtab.run.step_times import MeasuredSteps, measure_steps


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of one trial of each variant, None where nothing could be measured; trials at a time.

    steps: the fewest that an estimate of a kind of trial rests on, None where nothing was measured now;
    rows: of such a step, where it had fewer than a batch; spent: seconds of measuring.
    """

    seconds: list[float | None]
    processes: int
    steps: int | None = None
    rows: int | None = None
    spent: float = 0.0


def estimate(
    plan: Plan,
    ledger: Ledger,
    jobs: int | None,
    device: str,
    patience: float,
    on_stage: Callable[[str], None] = lambda words: None,
) -> TimeEstimate:
    """How long trials take: from the ledger's finished ones of the same ``speed_kind``, else from steps.

    patience: seconds that measuring may take in all. on_stage: is called with what is being measured. Nothing
    is written to the ledger.
    """
    began = time.monotonic()
    runtime = begun(ledger.runtime, ledger.folder, jobs and jobs * plan.devices, device)
    longest = longest_inputs(plan.variants, speed_kind)
    rates = _finished_rates(plan, ledger, runtime)
    known: dict[str, float | None] = {
        kind: relative_cost(variant) / rates[kind] if kind in rates else None
        for kind, variant in longest.items()
    }
    unknown = {kind: variant for kind, variant in longest.items() if kind not in rates}
    measured: dict[str, MeasuredSteps] = {}
    if unknown:
        measured = measure_steps(unknown, runtime, patience, on_stage)
    for kind, variant in unknown.items():
        examples = measured[kind].rate(precision_of(variant, runtime))
        devices = variant.settings.recipe.devices
        known[kind] = trial_seconds(variant, devices * examples) if examples else None
    seconds: list[float | None] = []
    for variant in plan.variants:
        kind = speed_kind(variant)
        each = known[kind]
        seconds.append(None if each is None else scaled(each, longest[kind], variant))
    processes = jobs or default_jobs(runtime, plan, ledger)
    fresh = [
        (each, unknown[kind].settings.recipe.of_one_device.batch_size) for kind, each in measured.items()
    ]
    fresh = [(each, batch) for each, batch in fresh if each.number and not each.kept]
    if not fresh:
        return TimeEstimate(seconds, processes, spent=time.monotonic() - began)
    parts = [int(each.rows) for each, batch in fresh if each.rows < batch]
    return TimeEstimate(
        seconds,
        processes,
        min(each.number for each, _ in fresh),
        min(parts, default=None),
        time.monotonic() - began,
    )


def _finished_rates(plan: Plan, ledger: Ledger, runtime: RuntimeRecord) -> dict[str, float]:
    """Cost per second over the ledger's finished trials, by kind; none for kinds without one."""
    cost: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for trial in plan.trials(runtime):
        kept, kind = ledger.trial(trial.key), speed_kind(trial.variant)
        if kept.is_complete and (result := kept.result):
            cost[kind] = cost.get(kind, 0.0) + relative_cost(trial.variant)
            seconds[kind] = seconds.get(kind, 0.0) + result.seconds
    return {kind: total / seconds[kind] for kind, total in cost.items() if total and seconds[kind]}
