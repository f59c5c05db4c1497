"""What a planned study could detect, as a person reads it on a terminal."""

import math
from collections import Counter
from collections.abc import Sequence

from trimtab.plan.power import Detectable
from trimtab.report.scale import Scale
from trimtab.report.tables import percent
from trimtab.report.terminal import table_text
from trimtab.statistics.power import DISAGREEMENT, LASTING, SEED_DEVIATION


def power_words(contrasts: Sequence[Detectable], seeds: int, margin: float, scale: Scale) -> list[str]:
    """The smallest differences that the contrasts could show; none where no contrast is tested.

    seeds: the planned ones; margin: in the score's units; scale: of the score. What is assumed of a test set
    is one line, as it is the same for contrasts that are paired alike; what trials tell is a table.
    """
    if not contrasts:
        return []
    sets = len({one.test for one in contrasts})
    of_sets = f",\nover {sets} test sets" if sets > 1 else ""
    planned = f"{seeds} {'seed' if seeds == 1 else 'seeds'}"
    head = (
        f"With {planned}, each contrast tested has 80 % power (at Holm's strictest level{of_sets})\n"
        f"from this difference on, in {_unit(scale)}; to detect one as large as the\n"
        f"margin, {scale.amount(margin)}, it would need this many seeds:"
    )
    known = [one for one in contrasts if one.known]
    parts = [head, _table(known, scale), _source(known)] if known else []
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
    measured = [one for one in contrasts if one.measured]
    rows = [_row(one, f"{one.name} against {one.baseline}", scale) for one in measured]
    of_test = Counter(one.test for one in contrasts)
    # One for all that are assumed alike; str, as nan is not equal to itself.
    assumed = {(one.test, str(one.smallest), one.seeds): one for one in contrasts if not one.measured}
    counts = Counter((one.test, str(one.smallest), one.seeds) for one in contrasts if not one.measured)
    for alike, one in assumed.items():
        whole = counts[alike] == of_test[one.test]
        rows.append(_row(one, "each" if whole else f"{counts[alike]} without trials to go by", scale))
    return table_text([list(row.values()) for row in rows], list(rows[0]))


def _row(one: Detectable, what: str, scale: Scale) -> dict[str, str]:
    return {
        "test set": one.test,
        "contrast": what,
        "smallest difference": _smallest(one.smallest, scale),
        "seeds for the margin": "none up to 1,000" if one.seeds is None else f"{one.seeds:,}",
        "from": f"{one.measured} finished seeds" if one.measured else "assumed",
    }


def _smallest(smallest: float, scale: Scale) -> str:
    if math.isnan(smallest):
        return "none: one seed or one example"
    # No two means of shares lie farther apart than 1.
    return "none" if scale.name == "accuracy" and smallest > 1 else scale.level(smallest)


def _source(contrasts: Sequence[Detectable]) -> str:
    if all(one.measured for one in contrasts):
        return "From the variances of the ledger's own trials."
    return (
        f"Assumed, until trials are finished: a standard deviation over seeds of {percent(SEED_DEVIATION)} "
        f"points; two models disagree on {percent(DISAGREEMENT, 0)} % of the examples, "
        f"{percent(LASTING, 0)} % of it systematically."
    )
