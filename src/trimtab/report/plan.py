"""A plan as a person reads it on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.soundness import faults_of
from trimtab.plan.cost import duration
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.plan.power import detectable
from trimtab.report.audit import data_words
from trimtab.report.implementation_words import planned_words
from trimtab.report.plan_looks import planned_looks
from trimtab.report.plan_remarks import contrast_words, split_words
from trimtab.report.power import power_words
from trimtab.report.provenance_section import weights_words
from trimtab.report.scale import scale_named
from trimtab.report.tables import percent
from trimtab.report.terminal import table_text
from trimtab.study.grid import place_words

if TYPE_CHECKING:
    from trimtab.run.estimate import TimeEstimate


@dataclass(frozen=True)
class TrialCounts:
    """Trials of a variant, those that several share with the first of them; evaluations: cross ones missing.

    again: finished trials that are trained again for their weights.
    """

    done: int = 0
    missing: int = 0
    again: int = 0
    evaluations: int = 0

    def __add__(self, other: "TrialCounts") -> "TrialCounts":
        return TrialCounts(
            self.done + other.done,
            self.missing + other.missing,
            self.again + other.again,
            self.evaluations + other.evaluations,
        )


def plan_text(plan: Plan, ledger: Ledger, counts: Sequence[TrialCounts] | None = None) -> str:
    """What would run and what it could detect: one row per variant, the contrasts, what is missing.

    counts: as ``trial_counts`` has them, where they are known already. How long that takes is in
    ``time_text``, as it may have to be measured.
    """
    counts = trial_counts(plan, ledger) if counts is None else counts
    rows = [_row(plan, variant, counts[variant.number]) for variant in plan.variants]
    whole, study = sum(counts, TrialCounts()), plan.study
    parts = [study.question, _data_words(plan), _table(rows)]
    parts += [f"excluded: {place_words(place)}: {because}" for place, because in study.excluded]
    parts += split_words(plan)
    parts += contrast_words(plan)
    parts += planned_looks(plan)
    found, scale = detectable(plan, ledger), scale_named(study.compare.score)
    parts += power_words(found, study.compare.margin, scale)
    if study.compare.cross:
        parts.append(_cross_words(whole))
    elif whole.again:
        parts.append(f"{whole.again} finished trials are trained again, as their weights were not kept.")
    return "\n\n".join(parts)


def trials_left(counts: Sequence[TrialCounts]) -> list[int]:
    """Trials of each variant that are still to be run, those for their weights included."""
    return [each.missing + each.again for each in counts]


def time_text(plan: Plan, left: Sequence[int], times: "TimeEstimate | None") -> str:
    """How long the trials ``left`` of each variant take, and what that is known from; None: not asked for."""
    if not sum(left):
        return "no trials are left to run"
    if times is None:
        return f"{sum(left)} trials left"
    words = time_words(left, times.seconds, times.processes, "left", "training")
    known = {
        each: plan.variants[number].name
        for number, each in enumerate(times.seconds)
        if each is not None and left[number]
    }
    if known:
        low, high = min(known), max(known)
        words += f"\none trial: {_seconds(low)}"
        if known[low] != known[high]:
            words += f" ({known[low]}) to {_seconds(high)} ({known[high]})"
    return "\n".join([words, *_source_words(times)])


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 100 else f"{seconds / 60:,.0f} minutes"


def _source_words(times: "TimeEstimate") -> list[str]:
    """How the times were measured, where they were measured now."""
    if times.steps is None:
        return []
    steps = f"{times.steps} training step{'s' if times.steps > 1 else ''}"
    if times.rows:
        steps += f" of {times.rows} rows (whole batches take too long to measure, and less time per row)"
    return [f"extrapolated from {steps}, measured in {times.spent:.0f} s"]


def _table(rows: Sequence[dict[str, str]]) -> str:
    return table_text([list(row.values()) for row in rows], list(rows[0]))


def trial_counts(plan: Plan, ledger: Ledger) -> list[TrialCounts]:
    """Of each variant, what there is and what is missing; every finished trial's files are verified."""
    counts, stopped = [TrialCounts() for _ in plan.variants], ledger.stopped
    for wanted in plan.trials(ledger.runtime):
        trial, variant = ledger.trial(wanted.key), wanted.variant
        done = not faults_of(trial) and trial.result is not None  # what is damaged is trained again
        counts[variant.number] += TrialCounts(
            done=int(done),
            missing=int(not done and wanted.key not in stopped),
            again=int(done and plan.needs_weights_again(variant, trial)),
            evaluations=len(plan.missing_evaluations(variant, trial)),
        )
    return counts


def _cross_words(counts: TrialCounts) -> str:
    words = f"{counts.evaluations} cross evaluations are left"
    if counts.again:
        words += (
            f"; for them {counts.again} finished trials are trained again, as their weights were not kept"
        )
    return f"{words}."


def _row(plan: Plan, variant: PlannedVariant, counts: TrialCounts) -> dict[str, str]:
    row = {"variant": variant.name}
    for test in plan.dataset.tests:
        inputs = variant.inputs[test]
        row[f"cut of {test} %"] = percent(inputs.audit.cut, 1)
        if (ceiling := inputs.ceilings.get(plan.study.compare.score)) is not None:
            row[f"ceiling of {test} %"] = percent(ceiling, 1)
    if any(each.settings.windows for each in plan.variants):
        row["windows per row"] = f"{variant.inputs['train'].windows:.2f}"
    row["tokens per row"] = f"{variant.inputs['train'].tokens:.1f}"
    if not variant.is_first:
        return row | {"trials": "", "same inputs as": plan.variants[variant.same_as].name}
    left = f"{counts.missing} left, {counts.done} done"
    return row | {"trials": left, "same inputs as": ""}


_OWN_VOCABULARIES = (
    "Variants with different vocabularies differ in more than their weights; [data] tokenizer = NAME gives "
    "those without weights the vocabulary of NAME."
)


def _data_words(plan: Plan) -> str:
    sizes = {each.initial_weights: each.settings.size for each in plan.variants}
    lines = data_words(plan.datasets)
    for weights in plan.initial_weights:
        size = str(sizes[weights])
        lines.append(weights_words(weights.name, size, weights.fingerprint, weights.ignored))
    lines += planned_words(plan.variants)
    return "\n".join([*lines, *([_OWN_VOCABULARIES] if len(plan.datasets) > 1 else [])])


def time_words(
    trials: Sequence[int], seconds: Sequence[float | None], processes: int, which: str, what: str
) -> str:
    """``12 trials left, 2 at a time: about 3 minutes of training here``, for the trials of each variant.

    seconds: of one of them, None where unknown; which: says which trials; what: of what the time is.
    """
    number, lasts = sum(trials), duration(trials, seconds, processes)
    if lasts is None:
        return f"{number} trials {which}; how long they take could not be measured"
    return f"{number} trials {which}, {min(number, processes)} at a time: {_about(lasts)} of {what} here"


def _about(seconds: float) -> str:
    """A duration as a person says it."""
    minutes, hours = round(seconds / 60), seconds / 3600
    if seconds < 60:
        return "under a minute"
    if minutes < 2:
        return "about a minute"
    return f"about {minutes} minutes" if minutes < 100 else f"about {hours:,.1f} hours"
