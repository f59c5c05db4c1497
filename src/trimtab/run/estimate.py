"""How long a study would take: from its ledger's own trials, else from a measured step."""

from dataclasses import dataclass
from typing import Any

from trimtab.ledger.ledger import Ledger
from trimtab.plan.cost import kind_of_step, longest_inputs, precision_of, scaled, trial_seconds, work
from trimtab.plan.plan import Plan
from trimtab.run.runtime import default_jobs, measure, resolve


@dataclass(frozen=True)
class Estimate:
    """Seconds of one trial of each variant, None where nothing could be measured; trials at a time."""

    seconds: list[float | None]
    processes: int


def estimate(plan: Plan, ledger: Ledger, jobs: int | None, device: str) -> Estimate:
    """How long trials take: from the ledger's finished ones of the same kind of step, else from a step.

    Nothing is written to the ledger.
    """
    runtime = resolve(plan, ledger.runtime, ledger.folder, jobs, device, lambda words: None)
    by_kind: dict[str, float | None] = {}
    for kind, number in longest_inputs(plan, kind_of_step).items():
        rate = _rate_of_done(plan, ledger, kind, runtime)
        by_kind[kind] = work(plan, number) / rate if rate else None
        if rate is None:
            found = measure(plan, [number], runtime["device"], runtime["threads"])[number]
            if found:
                examples = found["examples_per_second"][precision_of(plan, number, runtime)]
                by_kind[kind] = trial_seconds(plan, number, examples)
    numbers = range(len(plan.study.variants))
    seconds = [scaled(plan, number, by_kind[kind_of_step(plan, number)]) for number in numbers]
    return Estimate(seconds, jobs or default_jobs(runtime))


def _rate_of_done(plan: Plan, ledger: Ledger, kind: str, runtime: dict[str, Any]) -> float | None:
    """Work a second over the ledger's finished trials of that kind."""
    total, seconds = 0.0, 0.0
    for number in range(len(plan.study.variants)):
        if kind_of_step(plan, number) != kind:
            continue
        for seed in plan.study.seeds:
            result = ledger.trial(plan.key(number, seed, precision_of(plan, number, runtime))).result
            if result:
                total, seconds = total + work(plan, number), seconds + result["seconds"]
    return total / seconds if seconds else None
