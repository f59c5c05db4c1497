"""A plan as a person reads it on a terminal."""

from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from trimtab.ledger.ledger import Ledger
from trimtab.plan.cost import duration, precision_of
from trimtab.plan.cross import lacks_weights, unanswered
from trimtab.plan.plan import Plan
from trimtab.plan.power import detectable
from trimtab.report.audit import data_words, weights_words
from trimtab.report.power import power_words
from trimtab.report.scale import scale_named
from trimtab.report.tables import percent
from trimtab.study.grid import place_words


def plan_text(plan: Plan, ledger: Ledger, seconds: list[float | None], processes: int) -> str:
    """What would run: a line a variant, what is left of it, and how long all that would take.

    seconds: of one trial of each variant, None where unknown; processes: trials at a time.
    """
    counts = _left(plan, ledger)
    rows = [_row(plan, number, counts[number], seconds[number]) for number in range(len(counts))]
    again, evaluations = _cross_left(plan, ledger)
    study = plan.study
    parts = [study.question, _data_words(plan), tabulate(rows, headers="keys", disable_numparse=True)]
    parts += [f"excluded: {place_words(place)}: {because}" for place, because in study.excluded]
    parts.append(_contrast_words(plan))
    found, scale = detectable(plan, ledger), scale_named(study.compare.score)
    parts += power_words(found, len(study.seeds), study.compare.margin, scale)
    if plan.study.compare.cross:
        parts.append(_cross_words(sum(again), evaluations))
    elif sum(again):
        parts.append(f"{sum(again)} finished trials are trained again, as their weights were not kept.")
    left = [trials + more for (_, trials), more in zip(counts, again, strict=True)]
    if sum(left) or not evaluations:
        parts.append(_time_words(left, seconds, processes))
    return "\n\n".join(parts)


def _left(plan: Plan, ledger: Ledger) -> list[tuple[int, int]]:
    """Trials done and left of each variant; a trial that two share counts with the first."""
    runtime, seen = ledger.runtime, set()
    counts = []
    for number in range(len(plan.study.variants)):
        keys = [plan.key(number, seed, precision_of(plan, number, runtime)) for seed in plan.study.seeds]
        own = [key for key in keys if key not in seen]
        seen.update(keys)
        done = sum(ledger.trial(key).result is not None for key in own)
        counts.append((done, len(own) - done))
    return counts


def _cross_left(plan: Plan, ledger: Ledger) -> tuple[list[int], int]:
    """Finished trials of each variant to be trained again for their weights; evaluations left in all."""
    runtime, again, evaluations = ledger.runtime, [], 0
    for number in range(len(plan.study.variants)):
        own = plan.same_inputs(number) == number
        keys = [plan.key(number, seed, precision_of(plan, number, runtime)) for seed in plan.study.seeds]
        trials = [ledger.trial(key) for key in keys] if own else []
        again.append(sum(lacks_weights(plan, number, trial) for trial in trials))
        evaluations += sum(len(unanswered(plan, number, trial)) for trial in trials)
    return again, evaluations


def _cross_words(again: int, evaluations: int) -> str:
    words = f"{evaluations} cross evaluations are left"
    if again:
        words += f"; for them {again} finished trials are trained again, as their weights were not kept"
    return f"{words}."


def _row(plan: Plan, number: int, counts: tuple[int, int], seconds: float | None) -> dict[str, Any]:
    inputs, variants = plan.inputs[number], plan.study.variants
    same = plan.same_inputs(number)
    row: dict[str, Any] = {"variant": variants[number].name}
    for test in plan.dataset.tests:
        row[f"cut of {test} %"] = percent(inputs.audits[test].cut, 1)
        if test in inputs.ceilings and plan.study.compare.score == "accuracy":
            row[f"ceiling of {test} %"] = percent(inputs.ceilings[test], 1)
    row["tokens a row"] = f"{inputs.tokens['train']:.1f}"
    if same != number:
        return row | {"trials": "", "s a trial": "", "same inputs as": variants[same].name}
    done, left = counts
    time = "" if seconds is None else f"{seconds:,.1f}"
    return row | {"trials": f"{left} left, {done} done", "s a trial": time, "same inputs as": ""}


_OWN_VOCABULARIES = (
    "Variants that read with different vocabularies differ in more than their weights; [data] tokenizer = "
    "NAME lets those without weights read as those of NAME do."
)


def _data_words(plan: Plan) -> str:
    sizes = {variant.settings.weights: variant.settings.size for variant in plan.study.variants}
    return "\n".join(
        [
            *data_words(plan.readings),
            *(
                weights_words(start.name, str(sizes[name]), start.fingerprint, start.ignored)
                for name, start in plan.starts.items()
            ),
            *([_OWN_VOCABULARIES] if len(plan.readings) > 1 else []),
        ]
    )


def _contrast_words(plan: Plan) -> str:
    study = plan.study
    tested = sum(plan.same_inputs(c.variant) != plan.same_inputs(c.baseline) for c in study.contrasts)
    hardly = _hardly_differing(plan)
    count = f"{len(study.contrasts)} contrast{'' if len(study.contrasts) == 1 else 's'}"
    words = f"{count}, {tested} of them tested"
    words += "." if tested == len(study.contrasts) else "; the others' inputs are identical."
    if hardly:
        words += (
            f"\nHardly any difference can be expected, as under 1 % of rows are cut: {'; '.join(hardly)}."
        )
    return words


def _hardly_differing(plan: Plan) -> list[str]:
    """The contrasts tested of variants that differ in their cut alone, where neither cuts much."""
    variants, words = plan.study.variants, []
    for contrast in plan.study.contrasts:
        one, other = contrast.variant, contrast.baseline
        differing = variants[one].coordinates.items() ^ variants[other].coordinates.items()
        cut_alone = {key for key, _ in differing} <= {"truncation", "max_len"}
        same = plan.same_inputs(one) == plan.same_inputs(other)
        if cut_alone and not same and all(plan.inputs[each].hardly_cut for each in (one, other)):
            words.append(f"{variants[one].name} against {variants[other].name}")
    return words


def _time_words(left: list[int], seconds: list[float | None], processes: int) -> str:
    """How long training takes, for the trials left of each variant."""
    return time_words(left, seconds, processes, "left", "training") if sum(left) else "nothing is left to run"


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
