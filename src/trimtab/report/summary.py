"""What came out, in a few sentences that a person can quote."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from trimtab.report.secondary import costliest
from trimtab.report.tables import p_value, percent, points
from trimtab.study.analysis import TestSet
from trimtab.study.recommendation import Recommendation

Row = dict[str, Any]


def recommendations(tests: Sequence[TestSet], settings: Row) -> list[str]:
    """A sentence a test set on which there is something to choose; settings: [compare]."""
    lines = [(test.name, test.recommendation) for test in tests if test.recommendation is not None]
    named = len(tests) > 1
    return [(f"{name}: " if named else "") + _recommendation(what, settings) for name, what in lines]


def summary(test: TestSet) -> list[str]:
    """Who is better or worse than whom, and how many contrasts came out how."""
    return _contrast_lines(test) + costliest(test)


def _recommendation(what: Recommendation, settings: Row) -> str:
    if what.fewest_seeds == 1:
        return "No variant can be recommended: one seed permits no claim about strategies."
    margin = f"less than {points(settings['margin'])[1:]} points worse than every other variant"
    if not what.named:
        return f"No variant can be recommended yet: none is shown to be {margin}; {_nearest(what)}."
    alike = "".join(f" = {name}" for name in what.candidate["alike"])
    best = "; it has the best mean" if what.candidate["name"] == what.best["name"] else ""
    exploratory = "; exploratory, two seeds" if what.fewest_seeds == 2 else ""
    return (
        f"Recommended: **{what.candidate['name']}**{alike} ({_price(what.candidate)}), the cheapest shown "
        f"to be {margin}: {_hardest(what)}{best}; adjusted p {p_value(what.p)}{exploratory}."
    )


def _nearest(what: Recommendation) -> str:
    if what.hardest is None:
        return "some variants share no finished seed"
    return (
        f"nearest comes {what.candidate['name']}, {_hardest(what)}; more seeds would narrow these intervals"
    )


def _hardest(what: Recommendation) -> str:
    """The difference in which the candidate comes off worst."""
    row = what.hardest
    assert row is not None
    interval = f"{points(row['delta'])} points ({points(row['ci_low'])} to {points(row['ci_high'])})"
    best = f", the best mean ({_price(what.best)})" if row["name"] == what.best["name"] else ""
    return f"at the worst {interval} against {row['name']}{best}"


def _price(row: Row) -> str:
    return f"{percent(row['mean'])} %, {row['examples_per_second']:,.0f} examples/s"


def _contrast_lines(test: TestSet) -> list[str]:
    if not test.contrasts:
        best = max(test.means, key=lambda row: row["mean"])
        return [f"Best mean: {best['name']}, {percent(best['mean'])} %. The study declares no contrast."]
    lines = [_sentence(row) for row in test.contrasts if row["verdict"] in ("better", "worse")]
    counts = Counter(row["verdict"] for row in test.contrasts)
    order = ("better", "worse", "equivalent", "inconclusive", "identical")
    lines.append("Of all contrasts: " + ", ".join(f"{counts[v]} {v}" for v in order if counts[v]) + ".")
    return lines


def _sentence(row: Row) -> str:
    return (
        f"**{row['name']}** is {row['verdict']} than {row['baseline']} by "
        f"{points(abs(row['delta']))[1:]} points ({points(row['ci_low'])} to {points(row['ci_high'])})."
    )
