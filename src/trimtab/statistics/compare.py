"""Contrasts between variants, each with an effect, its interval, a p-value and a verdict."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from trimtab.statistics import inputs
from trimtab.statistics.crossed import NO_DIFFERENCE, Clusters, IntervalEstimate, difference
from trimtab.statistics.equivalence import chance_of_equal, se_at_margin, tost
from trimtab.statistics.looks import Looks
from trimtab.statistics.multiplicity import correction_named
from trimtab.statistics.spreads import SeedSpread, seed_spreads

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Contrast:
    """One variant against its baseline; ``delta`` is variant minus baseline, in the score's units.

    ``variant`` and ``baseline`` are numbers on the first axis of the scores. The interval is unadjusted, at
    1 - alpha. ``p`` tests delta = 0, ``p_equivalence`` (adjusted) |delta| >= margin, ``p_equivalence_raw`` is
    that before its adjustment; nan where no test is possible or asked for. ``verdict`` is 'better', 'worse',
    'equivalent', 'inconclusive' or 'identical'. ``question`` says in words which question the contrast
    answers, or why it answers none. ``looks``: the planned looks at it so far, None where there are none;
    with them the interval and every p are valid at every look, and ``earlier`` has the contrast as it was at
    each look before, its interval and p those of that look alone. See ``sequential``.
    """

    variant: int
    baseline: int
    delta: float
    ci_low: float
    ci_high: float
    se: float
    df: float
    p: float
    p_adjusted: float
    verdict: str
    p_equivalence: float
    paired: bool
    question: str
    p_equivalence_raw: float = math.nan
    looks: Looks | None = None
    earlier: tuple["Contrast", ...] = ()


def compare(
    scores: ArrayLike,
    contrasts: Sequence[tuple[int, int]] | None = None,
    baseline: int = 0,
    clusters: ArrayLike | None = None,
    groups: Sequence[Hashable] | NDArray[Any] | None = None,
    identical: ArrayLike | None = None,
    paired: bool | Sequence[bool] | Bools = True,
    alpha: float = 0.05,
    margin: float = 0.005,
    correction: str = "holm",
    bounded: bool | None = None,
) -> list[Contrast]:
    """Compare variants over seeds and examples at once: one Contrast for each declared pair, in their order.

    scores: (variants, seeds, examples), any real numeric type, finite; more is better.
    contrasts: pairs (variant, baseline); by default every variant against ``baseline``.
    clusters: (examples,) int; without, each example stands alone.
    groups: (variants,) labels of those whose seed variances may be pooled (one size, one data set), for
        unpaired contrasts; without, all variants form one group. Brown-Forsythe can forbid pooling. It is
        valid only where the seeds of a group's variants are independent, as of replicas or separate ledgers.
        Variants that share seeds are correlated and carry less information about the variance than their
        number suggests: pooled, they reject 8.7 % of true nulls, so give each its own label.
    identical: (variants, variants) bool, in either order: the inputs are the same, so nothing is tested.
    paired: whether a seed means the same initialisation and data order in both; one bool, or (contrasts,).
    margin: the difference that does not matter, in the score's units.
    correction: "holm", "bh" (exploratory studies) or "none"; for p and for equivalence alike.
    bounded: whether an example's score lies between 0 and 1 by definition, so that a few examples that vary
        do not count as proof of equivalence; by default the values decide. Pass False for pseudo-values.

    One seed, or one cluster, leaves every verdict 'inconclusive'. Raises InputError where input does not fit.
    """
    array = inputs.score_array(scores)
    comparison = _Comparison(
        scores=array,
        pairs=inputs.contrast_pairs(contrasts, baseline, len(array)),
        clusters=Clusters(inputs.cluster_labels(clusters, array.shape[2]), array.shape[2]),
        alpha=inputs.level(alpha),
        bounded=bool(array.min() >= 0 and array.max() <= 1) if bounded is None else bounded,
    )
    flags = inputs.paired_flags(paired, len(comparison.pairs))
    same = inputs.identical_pairs(identical, comparison.pairs, len(array))
    labels = inputs.group_labels(groups, len(array))
    adjust = correction_named(correction)
    estimates = comparison.estimates(flags, same, labels)
    p, p_equivalence = _p_values(estimates, same, margin, comparison.effective_clusters)
    p_adjusted, raw, p_equivalence = adjust(p), p_equivalence, adjust(p_equivalence)
    return [
        Contrast(
            variant=pair[0],
            baseline=pair[1],
            delta=estimate.mean,
            ci_low=estimate.ci_low,
            ci_high=estimate.ci_high,
            se=estimate.se,
            df=estimate.df,
            p=float(p[c]),
            p_adjusted=float(p_adjusted[c]),
            verdict=_verdict(estimate.mean, p_adjusted[c], p_equivalence[c], same[c], alpha),
            p_equivalence=float(p_equivalence[c]),
            paired=flags[c],
            question=comparison.question(estimate, flags[c], same[c]),
            p_equivalence_raw=float(raw[c]),
        )
        for c, (pair, estimate) in enumerate(zip(comparison.pairs, estimates, strict=True))
    ]


def one_family(results: Sequence[Contrast], alpha: float = 0.05, correction: str = "holm") -> list[Contrast]:
    """Contrasts computed separately with correction "none", on whatever examples, adjusted as one family."""
    adjust = correction_named(correction)
    p = adjust(np.array([result.p for result in results]))
    p_equivalence = adjust(np.array([result.p_equivalence for result in results]))
    return [judged(result, float(p[c]), float(p_equivalence[c]), alpha) for c, result in enumerate(results)]


def judged(contrast: Contrast, p: float, p_equivalence: float, alpha: float) -> Contrast:
    """A contrast computed with correction "none", with the adjusted p of its family and its verdict."""
    return replace(
        contrast,
        p_adjusted=p,
        p_equivalence=p_equivalence,
        p_equivalence_raw=contrast.p_equivalence,
        verdict=_verdict(contrast.delta, p, p_equivalence, contrast.verdict == "identical", alpha),
    )


def at_margin(
    results: Sequence[Contrast],
    margin: float,
    effective_clusters: float,
    alpha: float = 0.05,
    correction: str = "holm",
) -> list[Contrast]:
    """The same contrasts, one family, judged anew by another margin: from what they hold, without any score.

    effective_clusters: of the examples, nan where scores are not bounded by 0 and 1, as ``compare`` had them.
    """
    same = [result.verdict == "identical" for result in results]
    estimates = [IntervalEstimate(r.delta, r.ci_low, r.ci_high, r.se, r.df) for r in results]
    _, p_equivalence = _p_values(estimates, same, margin, effective_clusters)
    anew = [
        # Of the latest look alone: one of an earlier look could only be smaller.
        replace(one, p_equivalence=float(one.looks.adjusted(p) if one.looks else p))
        for one, p in zip(results, p_equivalence, strict=True)
    ]
    return one_family(anew, alpha, correction)


@dataclass(frozen=True)
class _Comparison:
    scores: NDArray[Any]
    pairs: list[tuple[int, int]]
    clusters: Clusters
    alpha: float
    bounded: bool

    def estimates(
        self, paired: list[bool], same: list[bool], labels: list[Hashable]
    ) -> list[IntervalEstimate]:
        """Each contrast on all examples, one at a time: all differences at once could exceed the memory."""
        spreads: list[SeedSpread] = []
        if not all(paired):
            spreads = seed_spreads(self.scores.mean(axis=2, dtype=np.float64), labels)
        answers = []
        for (k, base), together, skip in zip(self.pairs, paired, same, strict=True):
            both = None if together or skip else (spreads[k], spreads[base])
            tables = self.scores[k], self.scores[base]
            answers.append(NO_DIFFERENCE if skip else difference(*tables, self.clusters, self.alpha, both))
        return answers

    @property
    def effective_clusters(self) -> float:
        """The effective number of clusters, or nan for scores that are not bounded by 0 and 1."""
        return self.clusters.effective if self.bounded else math.nan

    def question(self, estimate: IntervalEstimate, together: bool, skip: bool) -> str:
        """What the contrast answers, in one line, or why it answers nothing."""
        n_seeds = self.scores.shape[1]
        if skip:
            return "none: both variants get identical inputs"
        if n_seeds < 2:
            return (
                "none: one seed permits no claim about strategies, only about these two checkpoints, "
                "which is McNemar's question"
            )
        if self.clusters.sizes.size < 2:
            return "none: one example or one cluster permits no claim about new examples"
        if math.isnan(estimate.ci_low):
            return "none: the scores do not vary enough to tell a difference from chance"
        if estimate.se == 0:
            return "could they differ after all? all scores agree, on every example and with every seed"
        units = "examples" if self.clusters.labels is None else "clusters of examples"
        seeds = "the same seeds in both" if together else "independent seeds"
        exploratory = "; exploratory, two seeds" if n_seeds == 2 else ""
        return f"does the mean score differ over new seeds and new {units} ({seeds}{exploratory})?"


def _p_values(
    estimates: list[IntervalEstimate], same: list[bool], margin: float, effective_clusters: float
) -> tuple[Floats, Floats]:
    rows = np.array([(e.mean, e.ci_low, e.se, e.df) for e in estimates], dtype=np.float64).reshape(-1, 4)
    delta, low, se, df = rows.T
    testable = np.where(se > 0, se, math.nan)
    # Equal scores everywhere: no evidence of a difference; that of equivalence is the number of clusters.
    equal = (se == 0) & (low == 0)
    p = np.where(equal, 1.0, 2 * stats.t.sf(np.abs(delta / testable), df))
    p_equivalence = tost(delta, se_at_margin(delta, testable, margin, effective_clusters), df, margin)
    p_equivalence = np.where(equal, chance_of_equal(margin, effective_clusters), p_equivalence)
    return np.where(same, math.nan, p), np.where(same, math.nan, p_equivalence)


def _verdict(delta: float, p: float, p_equivalence: float, same: bool, alpha: float) -> str:
    # nan is below no level, so what could not be tested ends as inconclusive.
    if same:
        return "identical"
    if p < alpha:
        return "better" if delta > 0 else "worse"
    return "equivalent" if p_equivalence < alpha else "inconclusive"
