"""How long a study would take: from its ledger's own trials, else from a measured step."""

from dataclasses import dataclass

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.plan.cost import longest_inputs, relative_cost, scaled, speed_kind, trial_seconds
from trimtab.plan.identity import precision_of
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.run.engines import DEFAULT_ENGINE, ENGINES, Engine
from trimtab.run.runtime import default_jobs, measure_precisions, resolve


@dataclass(frozen=True)
class TimeEstimate:
    """Seconds of one trial of each variant, None where nothing could be measured; trials at a time."""

    seconds: list[float | None]
    processes: int


def estimate(plan: Plan, ledger: Ledger, jobs: int | None, device: str) -> TimeEstimate:
    """How long trials take: from the ledger's finished ones of the same ``speed_kind``, else from a step.

    Nothing is written to the ledger.
    """
    engine = ENGINES[DEFAULT_ENGINE]
    runtime = resolve(plan, ledger.runtime, ledger.folder, jobs, device, engine, lambda words: None)
    longest = longest_inputs(plan.variants, speed_kind)
    known: dict[str, float | None] = {}
    for kind, variant in longest.items():
        rate = _finished_rate(plan, ledger, kind, runtime)
        known[kind] = relative_cost(variant) / rate if rate else _measured(variant, runtime, engine)
    seconds: list[float | None] = []
    for variant in plan.variants:
        kind = speed_kind(variant)
        each = known[kind]
        seconds.append(None if each is None else scaled(each, longest[kind], variant))
    return TimeEstimate(seconds, jobs or default_jobs(runtime))


def _measured(variant: PlannedVariant, runtime: RuntimeRecord, engine: Engine) -> float | None:
    """Seconds of one trial by the rate of a step; None where it could not be measured."""
    [found] = measure_precisions([variant], runtime, engine)
    if found is None:
        return None
    return trial_seconds(variant, found.examples_per_second[precision_of(variant, runtime)])


def _finished_rate(plan: Plan, ledger: Ledger, kind: str, runtime: RuntimeRecord) -> float | None:
    """Cost per second over the ledger's finished trials of that kind; None where there are none."""
    total, seconds = 0.0, 0.0
    for trial in plan.trials(runtime):
        result = ledger.trial(trial.key).result if speed_kind(trial.variant) == kind else None
        if result:
            total, seconds = total + relative_cost(trial.variant), seconds + result.seconds
    return total / seconds if seconds else None
