"""What the page's charts draw, as JSON: numbers in the units that they are shown in, and how each is written.

Everything that is judged comes from the analysis; the page's script only looks up and draws.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.means import MeanRow
from trimtab.analysis.throughput import ThroughputRow
from trimtab.analysis.views import ContrastGroup, ScoreView
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.report.look_words import stop_words
from trimtab.report.scale import Scale, scale_named, scale_of
from trimtab.report.tables import interval_words, p_value
from trimtab.statistics import Contrast
from trimtab.statistics.intervals import adjusted_interval
from trimtab.study.compared import ComparedStudy, ComparedVariant

Json = dict[str, Any]
Places = Mapping[tuple[int, int], int]  # of contrasts in their table, by variant and baseline


def chart_data(analysis: Analysis) -> Json:
    """All that the charts and selectors of a page need to know."""
    study = analysis.study
    speeds = {row.variant.number: row for row in analysis.speeds}
    series = list(dict.fromkeys(variant.series for variant in study.variants))
    return {
        "own": own_words(study),
        "level": f"{100 * (1 - study.compare.alpha):g} %",
        "looks": len(study.compare.looks),
        "variants": [
            _variant(variant, series.index(variant.series), speeds.get(variant.number))
            for variant in study.variants
        ],
        "tests": {test.name: _test(test, study.compare.alpha) for test in analysis.tests},
    }


def own_words(study: ComparedStudy) -> str:
    """What is said of what was declared, beside what a reader chooses."""
    return "the study's" if isinstance(study, StudyRecord) else "declared"


def _variant(variant: ComparedVariant, colour: int, speed: ThroughputRow | None) -> Json:
    return {
        "name": variant.name,
        "series": variant.series,
        "colour": colour,
        "maxLen": variant.max_len,
        "tokens": variant.tokens.get("train") if isinstance(variant, VariantRecord) else None,
        "seconds": speed.training_seconds if speed else None,
        "rate": f"{speed.examples_per_second:,.0f} examples/s" if speed else "",
    }


def _test(test: SetAnalysis, alpha: float) -> Json:
    what = test.recommendation
    # Groups have contrasts by baseline, tables in the study's order.
    places = {(row.variant.number, row.baseline.number): place for place, row in enumerate(test.contrasts)}
    return {
        "taken": what.candidate.variant.number if what and what.named else None,
        "views": [_view(view, alpha, places) for view in test.views],
        "lengths": _lengths(test),
    }


def _view(view: ScoreView, alpha: float, places: Places) -> Json:
    scale = scale_named(view.score)
    return {
        "score": view.score,
        "title": scale.title,
        "name": scale.name,
        "unit": scale.score.unit,
        "differenceUnit": scale.difference_unit,
        "prior": None if view.prior_baseline is None else _number(scale.shown(view.prior_baseline)),
        "priorText": "" if view.prior_baseline is None else scale.level_with_unit(view.prior_baseline),
        "means": [_mean(row, scale) for row in view.means],
        "margins": [_number(scale.shown(margin)) for margin in view.margins],
        "marginTexts": [scale.amount(margin) for margin in view.margins],
        "margin": view.margin,
        "groups": [_group(group, scale, alpha, places) for group in view.groups],
    }


def _mean(row: MeanRow, scale: Scale) -> Json:
    estimate = row.estimate
    return {
        "v": row.variant.number,
        "mean": _number(scale.shown(estimate.mean)),
        "low": _number(scale.shown(estimate.ci_low)),
        "high": _number(scale.shown(estimate.ci_high)),
        "text": scale.level_with_unit(estimate.mean),
        "interval": interval_words(scale.level, estimate),
        "seeds": [
            [seed, _number(scale.shown(mean)), scale.level(mean)]
            for seed, mean in zip(row.seeds, row.by_seed, strict=True)
        ],
        "ceiling": None if row.ceiling is None else _number(scale.shown(row.ceiling)),
        "same": None if row.same_as is None else row.same_as.number,
    }


def _group(group: ContrastGroup, scale: Scale, alpha: float, places: Places) -> Json:
    tested = group.family.tested
    return {
        "baseline": group.baseline,
        "declared": group.declared,
        "rows": [
            _contrast(row, judged, scale, adjusted_interval(row.contrast, alpha, tested))
            | {"place": places.get((row.variant.number, row.baseline.number))}
            for row, judged in zip(group.rows, group.judged, strict=True)
        ],
    }


def _contrast(
    row: ContrastRow, judged: Sequence[Contrast], scale: Scale, adjusted: tuple[float, float]
) -> Json:
    contrast, (low, high) = row.contrast, adjusted
    return {
        "v": row.variant.number,
        "b": row.baseline.number,
        "delta": _number(scale.shown(contrast.delta)),
        "low": _number(scale.shown(contrast.ci_low)),
        "high": _number(scale.shown(contrast.ci_high)),
        "adjustedLow": _number(scale.shown(low)),
        "adjustedHigh": _number(scale.shown(high)),
        "text": scale.difference(contrast.delta),
        "interval": interval_words(scale.difference, contrast),
        "p": p_value(contrast.p_adjusted),
        "seeds": len(row.seeds),
        "stopped": stop_words(row),
        "pEquivalence": [p_value(one.p_equivalence) for one in judged],
        "verdicts": [one.verdict for one in judged],
    }


def _lengths(test: SetAnalysis) -> Json | None:
    found, scale = test.by_length, scale_of(test)
    if found is None:
        return None
    return {
        "bins": [[one.low, one.high, one.rows] for one in found.bins],
        "variants": [
            {"v": one.variant.number, "means": [_number(scale.shown(mean)) for mean in one.means]}
            for one in found.variants
        ],
        "title": scale.title,
        "unit": scale.score.unit,
    }


def _number(value: float) -> float | None:
    """A number with as many digits as a chart can show; None for what JSON has no number for."""
    return float(f"{value:.7g}") if math.isfinite(value) else None
