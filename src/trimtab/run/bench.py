"""How fast this machine is: sizes on synthetic rows, or the trials of a study and what they would take."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import torch

from trimtab.model.architecture import Architecture
from trimtab.plan.cost import duration, longest_inputs, scaled, speed_kind, trial_seconds
from trimtab.plan.identity import precision_kind
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.run.input_spec import input_spec
from trimtab.run.runtime import begin, default_jobs
from trimtab.run.speed import SpeedJob, SpeedRow, SpeedTable, Synthetic, measure_all
from trimtab.training.auto_precision import certain_precision, quicker
from trimtab.training.bench import Effort, Speed
from trimtab.training.recipe import Precision, Recipe

PRECISIONS: tuple[Precision, ...] = tuple(name for name in get_args(Precision) if name != "auto")

# The default table is quick; with a size named, or a study, more time is taken.
LOOK = Effort(enough=1.2, patience=8.0, fewest=8)
WAIT = Effort(enough=3.0, patience=60.0)

Rates = dict[tuple[str, Precision], Speed]  # by kind of speed and precision


@dataclass(frozen=True)
class StudyTime:
    """What a whole study would take: trials, seconds of one and precision, by variant; seconds in all.

    seconds and total are None where they could not be measured.
    """

    trials: list[int]
    seconds: list[float | None]
    precisions: list[Precision]
    total: float | None


def bench_sizes(
    sizes: dict[str, Architecture],
    recipe: Recipe,
    rows: Synthetic,
    effort: Effort,
    jobs: int | None,
    device: str,
    on_stage: Callable[[str], None],
) -> SpeedTable:
    """Measure each size, by name, at every precision on synthetic rows, ``jobs`` trials at a time.

    As many trials at a time, and threads of each, as a run would have where ``jobs`` is None.
    """
    runtime = begin(jobs, device)
    wanted = [
        SpeedJob(name, rows, size, replace(recipe, precision=precision), runtime.device, effort)
        for name, size in sizes.items()
        for precision in PRECISIONS
    ]
    return measure_all(wanted, runtime, jobs or default_jobs(runtime), on_stage)


def bench_study(
    plan: Plan, jobs: int | None, device: str, on_stage: Callable[[str], None]
) -> tuple[SpeedTable, StudyTime]:
    """Measure each ``speed_kind`` of a study on its longest inputs, at each precision it may train with.

    And what all its trials would take, whatever a ledger holds. Nothing is written to one.
    """
    runtime = begin(jobs and jobs * plan.devices, device)
    processes = min(jobs or default_jobs(runtime, plan), sum(trials_of(plan)))
    wanted = []
    for kind, variant in longest_inputs(plan.variants, speed_kind).items():
        for precision in _precisions(plan, variant):
            recipe = replace(variant.settings.recipe.of_one_device, precision=precision)
            size = variant.settings.size
            wanted.append(SpeedJob(kind, input_spec(variant), size, recipe, runtime.device, WAIT))
    found = measure_all(wanted, runtime, processes, on_stage)
    certain = certain_precision(torch.device(runtime.device))
    return found, study_time(plan, found.rows, processes, certain)


def trials_of(plan: Plan) -> list[int]:
    """Trials of each variant; those that two share count with the first."""
    return [len(plan.study.seeds) * variant.is_first for variant in plan.variants]


def study_time(
    plan: Plan, rows: Sequence[SpeedRow], processes: int, certain: Precision | None = None
) -> StudyTime:
    """What all trials would take by the rates in ``rows``, whose names are of ``speed_kind``.

    certain: the precision that ``auto`` comes to without a measurement, if there is one.
    """
    rates = {(row.name, row.precision): row.measured.speed for row in rows}
    known: Rates = {place: speed for place, speed in rates.items() if speed is not None}
    precisions = _chosen_precisions(plan, known, certain)
    longest = longest_inputs(plan.variants, speed_kind)
    seconds: list[float | None] = []
    for variant, precision in zip(plan.variants, precisions, strict=True):
        kind = speed_kind(variant)
        speed = known.get((kind, precision))
        seconds.append(None if speed is None else _seconds(speed, longest[kind], variant))
    trials = trials_of(plan)
    return StudyTime(trials, seconds, precisions, duration(trials, seconds, processes))


def _seconds(speed: Speed, longest: PlannedVariant, variant: PlannedVariant) -> float:
    devices = variant.settings.recipe.devices  # of which one was measured
    rates = devices * speed.examples_per_second, devices * speed.evaluation_examples_per_second
    return scaled(trial_seconds(longest, *rates), longest, variant)


def _chosen_precisions(plan: Plan, rates: Rates, certain: Precision | None) -> list[Precision]:
    """The precision of each variant; ``auto`` is what a run would take."""
    tried = longest_inputs(plan.variants, precision_kind)  # on which a run measures precisions
    found: list[Precision] = []
    for variant in plan.variants:
        precision = variant.settings.recipe.precision
        if precision == "auto" and certain is not None:
            precision = certain
        elif precision == "auto":
            kind = speed_kind(tried[precision_kind(variant)])
            precision = _quicker({name: rates[kind, name] for name in PRECISIONS if (kind, name) in rates})
        found.append(precision)
    return found


def _quicker(speeds: dict[Precision, Speed]) -> Precision:
    """What ``auto`` would take; where one of them could not be measured, fp32, as a run does."""
    if len(speeds) < len(PRECISIONS):
        return "fp32"
    return quicker({name: speed.examples_per_second for name, speed in speeds.items()})


def _precisions(plan: Plan, variant: PlannedVariant) -> list[Precision]:
    """Every precision that a variant of the same kind names, all where one leaves it to a measurement."""
    kind = precision_kind(variant)
    named = {each.settings.recipe.precision for each in plan.variants if precision_kind(each) == kind}
    return [precision for precision in PRECISIONS if named & {"auto", precision}]
