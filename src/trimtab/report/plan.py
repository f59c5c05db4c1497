"""A plan as a person reads it on a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from trimtab.ledger.ledger import Ledger
from trimtab.plan.cost import duration
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.plan.power import detectable
from trimtab.report.audit import data_words
from trimtab.report.implementation_words import planned_words
from trimtab.report.power import power_words
from trimtab.report.provenance_section import weights_words
from trimtab.report.scale import scale_named
from trimtab.report.tables import percent
from trimtab.study.grid import place_words


@dataclass(frozen=True)
class _Counts:
    """Trials of a variant, those that several share with the first of them; evaluations: cross ones missing.

    again: finished trials that are trained again for their weights.
    """

    done: int = 0
    missing: int = 0
    again: int = 0
    evaluations: int = 0

    def __add__(self, other: "_Counts") -> "_Counts":
        return _Counts(
            self.done + other.done,
            self.missing + other.missing,
            self.again + other.again,
            self.evaluations + other.evaluations,
        )


def plan_text(plan: Plan, ledger: Ledger, seconds: Sequence[float | None], processes: int) -> str:
    """What would run: one row per variant, what is missing of it, and how long all that would take.

    seconds: of one trial of each variant, None where unknown; processes: trials at a time.
    """
    counts = _counts(plan, ledger)
    rows = [_row(plan, variant, counts[variant.number], seconds[variant.number]) for variant in plan.variants]
    whole, study = sum(counts, _Counts()), plan.study
    parts = [study.question, _data_words(plan), tabulate(rows, headers="keys", disable_numparse=True)]
    parts += [f"excluded: {place_words(place)}: {because}" for place, because in study.excluded]
    parts.append(_contrast_words(plan))
    found, scale = detectable(plan, ledger), scale_named(study.compare.score)
    parts += power_words(found, len(study.seeds), study.compare.margin, scale)
    if study.compare.cross:
        parts.append(_cross_words(whole))
    elif whole.again:
        parts.append(f"{whole.again} finished trials are trained again, as their weights were not kept.")
    left = [each.missing + each.again for each in counts]
    if sum(left) or not whole.evaluations:
        parts.append(_time_words(left, seconds, processes))
    return "\n\n".join(parts)


def _counts(plan: Plan, ledger: Ledger) -> list[_Counts]:
    counts = [_Counts() for _ in plan.variants]
    for wanted in plan.trials(ledger.runtime):
        trial, variant = ledger.trial(wanted.key), wanted.variant
        done = trial.result is not None
        counts[variant.number] += _Counts(
            done=int(done),
            missing=int(not done),
            again=int(plan.needs_weights_again(variant, trial)),
            evaluations=len(plan.missing_evaluations(variant, trial)),
        )
    return counts


def _cross_words(counts: _Counts) -> str:
    words = f"{counts.evaluations} cross evaluations are left"
    if counts.again:
        words += (
            f"; for them {counts.again} finished trials are trained again, as their weights were not kept"
        )
    return f"{words}."


def _row(plan: Plan, variant: PlannedVariant, counts: _Counts, seconds: float | None) -> dict[str, str]:
    row = {"variant": variant.name}
    for test in plan.dataset.tests:
        inputs = variant.inputs[test]
        row[f"cut of {test} %"] = percent(inputs.audit.cut, 1)
        if inputs.ceiling is not None and plan.study.compare.score == "accuracy":
            row[f"ceiling of {test} %"] = percent(inputs.ceiling, 1)
    row["tokens per row"] = f"{variant.inputs['train'].tokens:.1f}"
    if not variant.is_first:
        return row | {"trials": "", "s per trial": "", "same inputs as": plan.variants[variant.same_as].name}
    time = "" if seconds is None else f"{seconds:,.1f}"
    left = f"{counts.missing} left, {counts.done} done"
    return row | {"trials": left, "s per trial": time, "same inputs as": ""}


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


def _contrast_words(plan: Plan) -> str:
    declared, tested = len(plan.contrasts), len(plan.tested)
    words = f"{declared} contrast{'' if declared == 1 else 's'}, {tested} of them tested"
    words += "." if tested == declared else "; the others' inputs are identical."
    if hardly := _hardly_differing(plan):
        words += (
            f"\nHardly any difference can be expected, as under 1 % of rows are cut: {'; '.join(hardly)}."
        )
    return words


def _hardly_differing(plan: Plan) -> list[str]:
    """The contrasts tested of variants that differ in their cut alone, where neither cuts much."""
    words = []
    for contrast in plan.tested:
        pair = plan.variants[contrast.variant], plan.variants[contrast.baseline]
        one, other = (variant.cell.coordinates.items() for variant in pair)
        cut_alone = {key for key, _ in one ^ other} <= {"truncation", "max_len"}
        if cut_alone and all(variant.inputs.hardly_cut for variant in pair):
            words.append(f"{pair[0].name} against {pair[1].name}")
    return words


def _time_words(left: Sequence[int], seconds: Sequence[float | None], processes: int) -> str:
    """How long training takes, for the trials left of each variant."""
    return (
        time_words(left, seconds, processes, "left", "training") if sum(left) else "no trials are left to run"
    )


def time_words(
    trials: Sequence[int], seconds: Sequence[float | None], processes: int, which: str, what: str
) -> str:
    """``12 trials left, 2 at a time: about 3 minutes of training here``, for the trials of each variant.

    seconds: of one of them, None where unknown; which: says which trials; what: of what the time is.
    """
    number, lasts = sum(trials), duration(trials, seconds, processes)
    if lasts is None:
        return f"{number} trials {which}; how long they take could not be measured"
    time = "under a minute" if lasts < 60 else f"about {lasts / 60:,.0f} minutes"
    return f"{number} trials {which}, {min(number, processes)} at a time: {time} of {what} here"
