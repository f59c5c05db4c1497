"""How fast this machine is: sizes and precisions on synthetic rows, or the work of a study and its time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from trimtab.model.sizes import Architecture
from trimtab.plan.cost import duration, kind_of_step, kind_of_work, longest_inputs, scaled, trial_seconds
from trimtab.plan.plan import Plan
from trimtab.run.runtime import begin, default_jobs, input_spec
from trimtab.run.speed import Bench, Row, SpeedJob, Synthetic, measured
from trimtab.training.bench import Effort
from trimtab.training.precision import quicker
from trimtab.training.recipe import Precision, Recipe

PRECISIONS: tuple[Precision, ...] = tuple(name for name in get_args(Precision) if name != "auto")

# The default table is a first look; who names a size, or has a study, waits for it.
LOOK = Effort(enough=1.2, patience=8.0, fewest=8)
WAIT = Effort(enough=3.0, patience=60.0)


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
) -> Bench:
    """Measure each size, by name, at every precision on synthetic rows, ``jobs`` trials at a time.

    As many trials at a time, and threads of each, as a run would have where ``jobs`` does not say.
    """
    runtime = begin(jobs, device)
    wanted = [
        SpeedJob(name, rows, size, replace(recipe, precision=precision), runtime["device"], effort)
        for name, size in sizes.items()
        for precision in PRECISIONS
    ]
    return measured(wanted, runtime, jobs or default_jobs(runtime), on_stage)


def bench_study(
    plan: Plan, jobs: int | None, device: str, on_stage: Callable[[str], None]
) -> tuple[Bench, StudyTime]:
    """Measure each kind of step of a study on its longest inputs, at each precision that it may train with.

    And what all its trials would take, whatever a ledger holds. Nothing is written to one.
    """
    runtime = begin(jobs, device)
    trials = trials_of(plan)
    processes = min(jobs or default_jobs(runtime), sum(trials))
    wanted = []
    for kind, number in longest_inputs(plan, kind_of_step).items():
        settings = plan.study.variants[number].settings
        for precision in _precisions(plan, number):
            recipe = replace(settings.recipe, precision=precision)
            stuff = input_spec(plan, number)
            wanted.append(SpeedJob(kind, stuff, settings.size, recipe, runtime["device"], WAIT))
    found = measured(wanted, runtime, processes, on_stage)
    return found, study_time(plan, found.rows, processes)


def trials_of(plan: Plan) -> list[int]:
    """Trials of each variant; those that two share count with the first."""
    return [
        len(plan.study.seeds) * (plan.same_inputs(number) == number)
        for number in range(len(plan.study.variants))
    ]


def study_time(plan: Plan, rows: Sequence[Row], processes: int) -> StudyTime:
    """What all trials would take by the rates in ``rows``, whose names are kinds of steps."""
    by_work = {(row["name"], row["precision"]): row for row in rows if row["failure"] is None}
    longest, trials = longest_inputs(plan, kind_of_step), trials_of(plan)
    tried = longest_inputs(plan, kind_of_work)  # on which a run measures precisions
    seconds: list[float | None] = []
    precisions: list[Precision] = []
    for number, variant in enumerate(plan.study.variants):
        kind = kind_of_step(plan, number)
        precision = variant.settings.recipe.precision
        if precision == "auto":
            its = kind_of_step(plan, tried[kind_of_work(plan, number)])
            precision = _chosen({name: by_work[its, name] for name in PRECISIONS if (its, name) in by_work})
        row = by_work.get((kind, precision))
        rates = row and (row["examples_per_second"], row["evaluation_examples_per_second"])
        seconds.append(scaled(plan, number, trial_seconds(plan, longest[kind], *rates) if rates else None))
        precisions.append(precision)
    return StudyTime(trials, seconds, precisions, duration(trials, seconds, processes))


def _chosen(rows: dict[Precision, Row]) -> Precision:
    """What ``auto`` would take; where one of them could not be measured, fp32, as a run does."""
    if len(rows) < len(PRECISIONS):
        return "fp32"
    return quicker({name: row["examples_per_second"] for name, row in rows.items()})


def _precisions(plan: Plan, number: int) -> list[Precision]:
    """Every precision that a variant of the same work names, all where one leaves it to a measurement."""
    kind = kind_of_work(plan, number)
    alike = [n for n in range(len(plan.study.variants)) if kind_of_work(plan, n) == kind]
    named = {plan.study.variants[number].settings.recipe.precision for number in alike}
    return [precision for precision in PRECISIONS if named & {"auto", precision}]
