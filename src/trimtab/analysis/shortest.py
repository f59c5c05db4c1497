"""The shortest max_len that suffices: of variants equal in all else, against the longest. Free of torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from trimtab.analysis.alike import but_for
from trimtab.analysis.answer import Savings, cost_beside
from trimtab.analysis.comparison import Compared, Comparison
from trimtab.analysis.guessing import one_beats_guessing
from trimtab.analysis.means import MeanRow
from trimtab.analysis.throughput import ThroughputRow
from trimtab.ledger.records import VariantRecord
from trimtab.statistics import Contrast, fixed_sequence, sequential_p
from trimtab.study.compared import ComparedStudy

Refusal = Literal["unfinished", "one seed", "guessing"]
Verdict = Literal["longest", "suffices", "worse", "open"]


@dataclass(frozen=True)
class LengthRow:
    """A length of a series against the longest one.

    seeds: that both have finished; contrast: unadjusted, None for the longest, one with its inputs, and where
    the two share no seed. p_not_inferior: one-sided, of losing the margin or more; p_worse: of losing
    nothing; nan where there is no such test. suffices, worse: what the two sequences of tests show; a length
    may be both, worse by less than the margin. inherits: the longer length with the same inputs whose verdict
    it has. cost: beside the longest, None for that, for one that shares its trials, and without a trial.
    """

    series: str
    variant: VariantRecord
    seeds: list[int]
    contrast: Contrast | None
    p_not_inferior: float
    p_worse: float
    suffices: bool
    worse: bool
    inherits: VariantRecord | None
    cost: Savings | None
    is_longest: bool = False

    @property
    def verdict(self) -> Verdict:
        """What is shown of the length, or that nothing is: ``open``."""
        if self.is_longest:
            return "longest"
        return "suffices" if self.suffices else "worse" if self.worse else "open"


@dataclass(frozen=True)
class LengthSeries:
    """Variants that are equal but for max_len. rows: by rising length, the longest last; none where refused.

    alpha: the level of each of the two sequences of tests: the study's, divided by the number of series and
    test sets. refused: why nothing can be said, None where something can.
    """

    series: str
    longest: VariantRecord
    rows: list[LengthRow]
    alpha: float
    refused: Refusal | None = None

    @property
    def shortest(self) -> LengthRow:
        """The shortest length that suffices: the longest where none else is shown to."""
        return next(row for row in self.rows if row.suffices or row.is_longest)


def shortest_lengths(
    comparison: Comparison,
    means: Sequence[MeanRow],
    speeds: Sequence[ThroughputRow],
    prior: float | None,
) -> list[LengthSeries]:
    """For each series, which lengths lose less than the margin against the longest, and which are worse.

    Lengths L_1 < ... < L_m, reference L_m, fixed by the study. From the longest downward each is tested for
    being not inferior, unadjusted, until one fails: a fixed sequence, in which the level of all is that of
    each. Apart from that, from the shortest upward, whether it is worse at all, likewise. Each sequence errs
    with probability ``alpha`` at most over all series and test sets. Lengths with the inputs of a longer one
    inherit its verdict. A length with a seed that diverged is open, as is all that is compared with such a
    one. prior: what the label-prior baseline scores; a series whose longest length is not shown to beat it is
    refused, as all may guess alike. Empty where max_len is no axis.
    """
    study = comparison.study
    groups = _series(study)
    tested = sum(len({one.same_as for one in lengths}) > 1 for lengths in groups.values())
    alpha = study.compare.alpha / max(1, tested * len(study.tests))
    mean = {row.variant.number: row for row in means}
    speed = {row.variant.number: row for row in speeds}
    return [
        _judged(comparison, lengths, alpha, _refusal(mean.get(lengths[-1].number), prior, alpha), speed)
        for lengths in groups.values()
    ]


def _series(study: ComparedStudy) -> dict[str, list[VariantRecord]]:
    """The variants of each series of two lengths or more, by rising length."""
    found: dict[str, list[VariantRecord]] = {}
    for variant in study.variants:
        if isinstance(variant, VariantRecord) and "max_len" in variant.coordinates:
            found.setdefault(but_for(variant, "max_len"), []).append(variant)
    return {
        key: sorted(lengths, key=lambda one: one.max_len) for key, lengths in found.items() if lengths[1:]
    }


def _refusal(longest: MeanRow | None, prior: float | None, alpha: float) -> Refusal | None:
    if longest is None:
        return "unfinished"
    if len(longest.seeds) < 2:
        return "one seed"
    return "guessing" if one_beats_guessing(longest, prior, alpha) is False else None


def _judged(
    comparison: Comparison,
    lengths: Sequence[VariantRecord],
    alpha: float,
    refused: Refusal | None,
    speeds: Mapping[int, ThroughputRow],
) -> LengthSeries:
    longest = lengths[-1]
    if refused is not None:
        return LengthSeries(longest.series, longest, [], alpha, refused)
    # The longest of those with the same inputs stands for them; dict keeps the last of each.
    standing = {one.same_as: one for one in lengths}
    own = [one for one in lengths if standing[one.same_as] is one and one is not longest]
    found = {one.variant.number: one for one in comparison.of([comparison.pair(one, longest) for one in own])}
    # A mean without the seeds that diverged flatters its variant: nothing is claimed of such a comparison.
    trusted = [not {one.number, longest.number} & comparison.unstable for one in own]
    compared = [found.get(one.number) for one in own]
    p = np.array([[_p_not_inferior(comparison, one), _p_worse(one)] for one in compared]).reshape(-1, 2)
    p[~np.array(trusted, bool)] = math.nan
    suffices = fixed_sequence(p[::-1, 0], alpha)[::-1]
    worse = fixed_sequence(p[:, 1], alpha)
    place = {one.same_as: number for number, one in enumerate(own)}
    rows = []
    for one in lengths:
        inherits = None if standing[one.same_as] is one else standing[one.same_as]
        if one.same_as not in place:  # the longest, or what has its inputs
            rows.append(_as_the_longest(comparison, one, longest, inherits))
            continue
        at = place[one.same_as]
        of, own_speed = compared[at], speeds.get(one.number)
        rows.append(
            LengthRow(
                series=longest.series,
                variant=one,
                seeds=of.seeds if of else [],
                contrast=of.contrast if of else None,
                p_not_inferior=float(p[at, 0]),
                p_worse=float(p[at, 1]),
                suffices=bool(suffices[at]),
                worse=bool(worse[at]),
                inherits=inherits,
                cost=cost_beside(own_speed, speeds[longest.number]) if own_speed else None,
            )
        )
    return LengthSeries(longest.series, longest, rows, alpha)


def _as_the_longest(
    comparison: Comparison, one: VariantRecord, longest: VariantRecord, inherits: VariantRecord | None
) -> LengthRow:
    return LengthRow(
        series=longest.series,
        variant=one,
        seeds=comparison.scores.seeds(longest),
        contrast=None,
        p_not_inferior=math.nan,
        p_worse=math.nan,
        suffices=True,
        worse=False,
        inherits=inherits,
        cost=None,
        is_longest=one is longest,
    )


def _p_not_inferior(comparison: Comparison, compared: Compared | None) -> float:
    """1 or nan, which reject nothing, where too little has finished or varies."""
    return math.nan if compared is None else comparison.p_not_inferior(compared.contrast)


def _p_worse(compared: Compared | None) -> float:
    """One-sided p of a difference under 0; nan where nothing is known of chance."""
    if compared is None or not compared.contrast.se > 0:
        return math.nan
    return sequential_p(compared.contrast, _p_worse_at_one_look)


def _p_worse_at_one_look(contrast: Contrast) -> float:
    return float(special.stdtr(contrast.df, contrast.delta / contrast.se)) if contrast.se > 0 else math.nan
