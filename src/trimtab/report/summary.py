"""What came out, in a few sentences that a person can quote."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from trimtab.analysis.analysis import TestSet
from trimtab.analysis.recommendation import Recommendation
from trimtab.report.scale import Scale, scale_of
from trimtab.report.secondary import costliest
from trimtab.report.tables import p_value

Row = dict[str, Any]


def recommendations(tests: Sequence[TestSet], settings: Row) -> list[str]:
    """A sentence a test set on which there is something to choose; settings: [compare]."""
    lines = [(test, test.recommendation) for test in tests if test.recommendation is not None]
    named = len(tests) > 1
    return [
        (f"{test.name}: " if named else "") + _recommendation(what, settings, scale_of(test))
        for test, what in lines
    ]


def summary(test: TestSet) -> list[str]:
    """Who is better or worse than whom, and how many contrasts came out how."""
    return _contrast_lines(test) + costliest(test)


def _recommendation(what: Recommendation, settings: Row, scale: Scale) -> str:
    if what.fewest_seeds == 1:
        return (
            f"No variant can be recommended: what is known of {what.candidate['name']} stands on one seed, "
            "which permits no claim about strategies."
        )
    margin = f"less than {scale.amount(settings['margin'])} worse than every other variant"
    if what.compared < what.asked:
        margin += f" ({what.compared} of {what.asked} have finished a trial)"
    if not what.named:
        return f"No variant can be recommended yet: none is shown to be {margin}; {_nearest(what, scale)}."
    alike = "".join(f" = {name}" for name in what.candidate["alike"])
    best = "; it has the best mean" if what.candidate["name"] == what.best["name"] else ""
    exploratory = "; exploratory, two seeds" if what.fewest_seeds == 2 else ""
    price = _price(what.candidate, scale)
    return (
        f"Recommended: **{what.candidate['name']}**{alike} ({price}), the cheapest shown to be "
        f"{margin}: {_hardest(what, scale)}{best}; adjusted p {p_value(what.p)}{exploratory}."
    )


def _nearest(what: Recommendation, scale: Scale) -> str:
    if what.hardest is None:
        return "some variants share no finished seed"
    return f"nearest comes {what.candidate['name']}, {_hardest(what, scale)}"


def _hardest(what: Recommendation, scale: Scale) -> str:
    """The difference in which the candidate comes off worst."""
    row = what.hardest
    assert row is not None
    interval = f"{scale.difference_with_unit(row['delta'])} {_interval(row, scale)}"
    if math.isnan(row["ci_low"]):
        interval = f"{scale.difference_with_unit(row['delta'])} (no interval: too little varies)"
    best = f", the best mean ({_price(what.best, scale)})" if row["name"] == what.best["name"] else ""
    return f"in the hardest comparison {interval} against {row['name']}{best}"


def _interval(row: Row, scale: Scale) -> str:
    return f"({scale.difference(row['ci_low'])} to {scale.difference(row['ci_high'])})"


def _price(row: Row, scale: Scale) -> str:
    return f"{scale.level_with_unit(row['mean'])}, {row['examples_per_second']:,.0f} examples/s"


def _contrast_lines(test: TestSet) -> list[str]:
    scale = scale_of(test)
    if not test.contrasts:
        best = max(test.means, key=lambda row: row["mean"])
        mean = scale.level_with_unit(best["mean"])
        return [f"Best mean: {best['name']}, {mean}. The study declares no contrast."]
    lines = [_sentence(row, scale) for row in test.contrasts if row["verdict"] in ("better", "worse")]
    counts = Counter(row["verdict"] for row in test.contrasts)
    order = ("better", "worse", "equivalent", "inconclusive", "identical")
    lines.append("Of all contrasts: " + ", ".join(f"{counts[v]} {v}" for v in order if counts[v]) + ".")
    return lines


def _sentence(row: Row, scale: Scale) -> str:
    return (
        f"**{row['name']}** is {row['verdict']} than {row['baseline']} by "
        f"{scale.amount(row['delta'])} {_interval(row, scale)}."
    )
