"""What a planned study could detect, as a person reads it on a terminal."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from trimtab.plan.power import Detectable, Reach
from trimtab.report.scale import Scale
from trimtab.report.tables import percent
from trimtab.report.terminal import table_text
from trimtab.statistics.power import DISAGREEMENT, LASTING, SEED_DEVIATION


def power_words(contrasts: Sequence[Detectable], margin: float, scale: Scale) -> list[str]:
    """The smallest differences and margins that the contrasts could show, by their number of seeds.

    None where no contrast is tested. margin: the study's, in the score's units; scale: of the score. What is
    assumed of a test set is told once, as it is the same for contrasts that are paired alike. A warning ends
    it for each test set on which the planned seeds cannot show equivalence within the margin.
    """
    if not contrasts:
        return []
    sets = len({one.test for one in contrasts})
    of_sets = f", over {sets} test sets" if sets > 1 else ""
    head = (
        f"What each contrast tested could show with 80 % power (at Holm's strictest level{of_sets}), in\n"
        f"{_unit(scale)}: the smallest difference, and the smallest margin within which\n"
        "equal variants are shown to be equivalent:"
    )
    known = [one for one in contrasts if one.known]
    parts = [head, _table(known, scale), _source(known), *_warnings(known, margin, scale)] if known else []
    unknown = {(one.name, one.baseline) for one in contrasts if not one.known}
    if unknown:
        parts.append(
            f"What {len(unknown)} of the contrasts could show by {scale.name} is not known before two of "
            "their seeds are finished."
        )
    return parts


def _unit(scale: Scale) -> str:
    return f"{scale.difference_unit} of {scale.name}" if scale.difference_unit else scale.name


def _table(contrasts: Sequence[Detectable], scale: Scale) -> str:
    rows = []
    alike = Counter(map(_alike, contrasts))
    of_test = Counter(one.test for one in contrasts)
    # One for all that are assumed alike.
    for key, one in {_alike(one): one for one in contrasts}.items():
        if one.measured:
            what = f"{one.name} against {one.baseline}"
        else:
            what = "each" if alike[key] == of_test[one.test] else f"{alike[key]} without trials to go by"
        rows += _rows(one, what, scale)
    first = contrasts[0]
    seeds = [f"{n} seed{'s' * (n > 1)}{' (planned)' * (n == first.planned)}" for n in first.by_seeds]
    return table_text(rows, ["test set", "contrast", "smallest", *seeds, "from"])


def _alike(one: Detectable) -> tuple[str, ...]:
    """What tells a row apart; str, as nan is not equal to itself."""
    return (one.test, one.name, one.baseline) if one.measured else (one.test, str(one.by_seeds))


def _rows(one: Detectable, what: str, scale: Scale) -> list[list[str]]:
    source = f"{one.measured} finished seeds" if one.measured else "assumed"
    shown: dict[str, Callable[[Reach], float]] = {
        "difference": lambda reach: reach.difference,
        "margin": lambda reach: reach.margin,
    }
    return [
        [one.test, what, name, *(_smallest(of(reach), scale) for reach in one.by_seeds.values()), source]
        for name, of in shown.items()
    ]


def _smallest(smallest: float, scale: Scale) -> str:
    # No two means of shares lie farther apart than 1.
    if math.isnan(smallest) or (scale.name == "accuracy" and smallest > 1):
        return "none"
    return scale.level(smallest)


def _warnings(contrasts: Sequence[Detectable], margin: float, scale: Scale) -> list[str]:
    """A sentence for each test set that cannot answer whether variants are equivalent, or anything."""
    if contrasts[0].planned == 1:
        return ["Warning: one seed permits no claim about strategies; plan at least three seeds."]
    best: dict[str, Detectable] = {}
    for one in contrasts:
        if one.test not in best or one.reach.margin < best[one.test].reach.margin:
            best[one.test] = one
    return [_warning(one, margin, scale) for one in best.values() if not one.reach.margin <= margin]


def _warning(one: Detectable, margin: float, scale: Scale) -> str:
    if math.isnan(one.reach.margin):
        return f"Warning: one example or cluster in {one.test} permits no claim about new examples."
    enough = [seeds for seeds, reach in one.by_seeds.items() if reach.margin <= margin]
    mend = f"{enough[0]} seeds, " if enough else ""
    return (
        f"Warning: {one.planned} seeds on {one.test} cannot show equivalence within the margin, "
        f"{scale.amount(margin)}: equal variants will mostly stay inconclusive, as the smallest margin with "
        f"80 % power is {scale.amount(one.reach.margin)}; take {mend}more test rows or a larger margin in "
        "[compare]."
    )


def _source(contrasts: Sequence[Detectable]) -> str:
    if all(one.measured for one in contrasts):
        return "From the variances of the ledger's own trials."
    return (
        f"Assumed, until trials are finished: a standard deviation over seeds of {percent(SEED_DEVIATION)} "
        f"points; two models disagree on {percent(DISAGREEMENT, 0)} % of the examples, "
        f"{percent(LASTING, 0)} % of it systematically."
    )
