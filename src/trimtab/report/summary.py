"""What came out, in a few sentences that a person can quote."""

import math
from collections import Counter
from collections.abc import Sequence

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.recommendation import Candidate, Recommendation
from trimtab.report.cross_section import costliest
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import p_value
from trimtab.statistics import Contrast
from trimtab.study.definition import Compare


def recommendations(tests: Sequence[SetAnalysis], settings: Compare) -> list[str]:
    """One sentence per test set on which there is something to choose."""
    lines = [(test, test.recommendation) for test in tests if test.recommendation is not None]
    named = len(tests) > 1
    return [
        (f"{test.name}: " if named else "") + _recommendation(what, settings, scale_of(test))
        for test, what in lines
    ]


def summary(test: SetAnalysis) -> list[str]:
    """Who is better or worse than whom, and how many contrasts came out how."""
    return _contrast_lines(test) + costliest(test)


def _recommendation(what: Recommendation, settings: Compare, scale: Scale) -> str:
    name = what.candidate.variant.name
    if what.fewest_seeds == 1:
        return (
            f"No variant can be recommended: what is known of {name} rests on one seed, which permits no "
            "claim about strategies."
        )
    margin = f"less than {scale.amount(settings.margin)} worse than every other variant"
    if what.compared < what.asked:
        margin += f" ({what.compared} of {what.asked} have finished a trial)"
    if not what.named:
        return f"No variant can be recommended yet: none is shown to be {margin}; {_nearest(what, scale)}."
    alike = "".join(f" = {variant.name}" for variant in what.candidate.alike)
    best = "; it has the best mean" if what.candidate is what.best else ""
    exploratory = "; exploratory, two seeds" if what.fewest_seeds == 2 else ""
    return (
        f"Recommended: **{name}**{alike} ({_price(what.candidate, scale)}), the cheapest shown to be "
        f"{margin}: {_hardest(what, scale)}{best}; adjusted p {p_value(what.p)}{exploratory}."
    )


def _nearest(what: Recommendation, scale: Scale) -> str:
    if what.hardest is None:
        return "some variants share no finished seed"
    return f"closest is {what.candidate.variant.name}, {_hardest(what, scale)}"


def _hardest(what: Recommendation, scale: Scale) -> str:
    """The difference in which the candidate comes off worst."""
    assert what.hardest is not None
    contrast, other = what.hardest.contrast, what.hardest.baseline
    interval = _interval(contrast, scale)
    if math.isnan(contrast.ci_low):
        interval = "(no interval: too little varies)"
    best = ""
    if other.number == what.best.variant.number:
        best = f", the best mean ({_price(what.best, scale)})"
    difference = scale.difference_with_unit(contrast.delta)
    return f"in the hardest comparison {difference} {interval} against {other.name}{best}"


def _interval(contrast: Contrast, scale: Scale) -> str:
    return f"({scale.difference(contrast.ci_low)} to {scale.difference(contrast.ci_high)})"


def _price(candidate: Candidate, scale: Scale) -> str:
    return f"{scale.level_with_unit(candidate.mean)}, {candidate.examples_per_second:,.0f} examples/s"


def _contrast_lines(test: SetAnalysis) -> list[str]:
    scale = scale_of(test)
    if not test.contrasts:
        best = max(test.means, key=lambda row: row.estimate.mean)
        mean = scale.level_with_unit(best.estimate.mean)
        why = (
            "No declared contrast has a seed that both of its variants have finished."
            if test.uncompared
            else "The study declares no contrast."
        )
        return [f"Best mean: {best.variant.name}, {mean}. {why}"]
    lines = [_sentence(row, scale) for row in test.contrasts if row.contrast.verdict in ("better", "worse")]
    counts = Counter(row.contrast.verdict for row in test.contrasts)
    order = ("better", "worse", "equivalent", "inconclusive", "identical")
    lines.append("Of all contrasts: " + ", ".join(f"{counts[v]} {v}" for v in order if counts[v]) + ".")
    return lines


def _sentence(row: ContrastRow, scale: Scale) -> str:
    contrast = row.contrast
    return (
        f"**{row.variant.name}** is {contrast.verdict} than {row.baseline.name} by "
        f"{scale.amount(contrast.delta)} {_interval(contrast, scale)}."
    )
