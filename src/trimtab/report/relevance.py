"""Which variants and contrasts a figure or table shows where there are more than can be read."""

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.means import MeanRow
from trimtab.study.compared import ComparedVariant

MOST = 40  # rows that fill a page


def recommended(test: SetAnalysis) -> ComparedVariant | None:
    """The variant that is recommended on a test set, None where none is."""
    found = test.recommendation
    return found.candidate.variant if found is not None and found.named else None


def relevant_means(test: SetAnalysis, most: int = MOST) -> tuple[list[MeanRow], str]:
    """At most so many variants, and which they are, in words; all where they are no more.

    The recommended one and baselines come before others, then the best means; in the study's order.
    """
    if len(test.means) <= most:
        return test.means, ""
    chosen = recommended(test)
    first = {row.baseline.number for row in test.contrasts} | ({chosen.number} if chosen else set())
    ranked = sorted(test.means, key=lambda row: (row.variant.number not in first, -row.estimate.mean))
    kept = {row.variant.number for row in ranked[:most]}
    which = "the recommended one, baselines and the best means" if chosen else "baselines and the best means"
    words = f"{most} of {len(test.means)} variants: {which}"
    return [row for row in test.means if row.variant.number in kept], words


def relevant_contrasts(test: SetAnalysis, most: int = MOST) -> tuple[list[ContrastRow], str]:
    """At most so many contrasts, and which they are, in words: those with the lowest p, in their order."""
    if len(test.contrasts) <= most:
        return test.contrasts, ""
    numbers = range(len(test.contrasts))
    ranked = sorted(numbers, key=lambda number: _rank(test.contrasts[number]))
    words = f"{most} of {len(test.contrasts)} contrasts: those with the lowest p"
    return [test.contrasts[number] for number in sorted(ranked[:most])], words


def _rank(row: ContrastRow) -> tuple[bool, float]:
    p = row.contrast.p
    return p != p, p  # nan, of what was not tested, last
