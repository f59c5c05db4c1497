"""The mean score of each variant, with its interval and its ceiling. Free of torch."""

import math
from dataclasses import dataclass, replace

from numpy.typing import NDArray
from scipy import stats

from trimtab.analysis.scores import ScoredLogits
from trimtab.ledger.records import VariantRecord
from trimtab.statistics import SCORES, IntervalEstimate, Score, mean_interval
from trimtab.study.compared import ComparedStudy, ComparedVariant


@dataclass(frozen=True)
class MeanRow:
    """What a variant scores on a test set, on all seeds that it has finished.

    by_seed: the mean of each of ``seeds``; ceiling: the best that the truncated inputs permit by this score,
    None where it is unknown; p_above_ceiling: one-sided, nan where one
    seed or no variation permits no test; same_as: the earlier variant with the same inputs and trials.
    """

    variant: ComparedVariant
    estimate: IntervalEstimate
    seeds: list[int]
    by_seed: list[float]
    ceiling: float | None
    p_above_ceiling: float | None
    same_as: ComparedVariant | None


def mean_rows(
    study: ComparedStudy, test: str, scores: ScoredLogits, clusters: NDArray | None
) -> list[MeanRow]:
    """One row per variant that has a finished trial, in the study's order; clusters: (examples,) or None."""
    return [_mean_row(study, test, scores, clusters, variant) for variant in scores.variants]


def _mean_row(
    study: ComparedStudy, test: str, scores: ScoredLogits, clusters: NDArray | None, variant: ComparedVariant
) -> MeanRow:
    table = scores.on(variant)
    estimate = shown_interval(
        scores.score, mean_interval(table, clusters, study.compare.alpha), table.shape[1]
    )
    ceiling = None
    if isinstance(variant, VariantRecord):
        # By the score's name: the study's own, or another of a reader's choice.
        name = next((name for name, score in SCORES.items() if score is scores.score), "")
        ceiling = variant.ceiling(test, name)
    return MeanRow(
        variant=variant,
        estimate=estimate,
        seeds=scores.seeds(variant),
        by_seed=table.mean(axis=1).tolist(),
        ceiling=ceiling,
        p_above_ceiling=None if ceiling is None else p_above(estimate, ceiling),
        same_as=None if variant.is_first else study.variants[variant.same_as],
    )


def shown_interval(score: Score, estimate: IntervalEstimate, n_examples: int) -> IntervalEstimate:
    """The estimate as it is, or with ends of nan where its interval would not cover (Score.interval_rows)."""
    if score.has_interval(n_examples):
        return estimate
    return replace(estimate, ci_low=math.nan, ci_high=math.nan)


def p_above(estimate: IntervalEstimate, bound: float) -> float:
    """One-sided p of a mean above ``bound``; nan where one seed or no variation permits none."""
    if not estimate.se > 0:
        return math.nan
    return float(stats.t.sf((estimate.mean - bound) / estimate.se, estimate.df))
