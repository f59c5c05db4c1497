"""How the contrasts of a test set came out, in a few sentences that a person can quote."""

from collections import Counter

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.answer_words import interval
from trimtab.report.cross_section import costliest
from trimtab.report.escaping import as_markdown
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import percent, verdict_p

_SHOWN = ("better", "worse", "equivalent")


def summary(test: SetAnalysis) -> list[str]:
    """Who is better or worse than whom, and how many contrasts came out how."""
    return _contrast_lines(test) + _lost_seeds(test) + costliest(test)


def _lost_seeds(test: SetAnalysis) -> list[str]:
    """Whose contrasts rest on fewer seeds than were tried, or on models that learned nothing."""
    compared = {one.number: one for row in test.contrasts for one in (row.variant, row.baseline)}
    lines = []
    for number, variant in compared.items():
        count = test.seed_counts[number]
        if not count.lost:
            continue
        parts = [
            f"{many} {what}"
            for many, what in (
                (count.diverged, "diverged"),
                (count.failed - count.diverged, "failed"),
                (count.collapsed, "collapsed"),
            )
            if many
        ]
        words = (
            f"{as_markdown(variant.name)}: of {count.tried} seeds {' and '.join(parts)} (up to "
            f"{percent(count.most, 0)} % of all seeds may)"
        )
        withheld = sum(
            row.withheld is not None
            for row in test.contrasts
            if number in (row.variant.number, row.baseline.number)
        )
        if count.diverged:
            words += (
                "; no verdict is given on a contrast with it, as without the seeds that diverged it would "
                f"look better than it is ({withheld} withheld)"
            )
        elif count.failed:
            words += "; its contrasts rest on the others"
        lines.append(words + ".")
    return lines


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
        return [f"Best mean: {as_markdown(best.variant.name)}, {mean}. {why}"]
    lines = [_sentence(row, scale) for row in test.contrasts if row.contrast.verdict in _SHOWN]
    counts = Counter(row.contrast.verdict for row in test.contrasts)
    order = ("better", "worse", "equivalent", "inconclusive", "identical")
    lines.append("Of all contrasts: " + ", ".join(f"{counts[v]} {v}" for v in order if counts[v]) + ".")
    return lines


def is_early(row: ContrastRow) -> bool:
    """Whether a contrast stopped at a look before the last because its difference was large."""
    return row.course is not None and row.course.is_exaggerated


def _sentence(row: ContrastRow, scale: Scale) -> str:
    contrast = row.contrast
    if contrast.verdict == "equivalent":
        return (
            f"**{as_markdown(row.variant.name)}** is equivalent to {as_markdown(row.baseline.name)}: "
            f"{scale.difference_with_unit(contrast.delta)} {interval(contrast, scale)}; "
            f"{verdict_p(contrast)}."
        )
    early = "; stopped early, so the difference is likely exaggerated" if is_early(row) else ""
    return (
        f"**{as_markdown(row.variant.name)}** is {contrast.verdict} than {as_markdown(row.baseline.name)} by "
        f"{scale.amount(contrast.delta)} {interval(contrast, scale)}; {verdict_p(contrast)}{early}."
    )
