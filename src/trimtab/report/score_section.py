"""What a report says of one test set first: the score of each variant."""

import math
from collections.abc import Callable
from functools import partial

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.means import MeanRow
from trimtab.analysis.seed_counts import SeedCount
from trimtab.ledger.records import VariantRecord
from trimtab.report.blocks import Block, ChartBlock, Section
from trimtab.report.drawing import COLUMN
from trimtab.report.output import Output
from trimtab.report.scale import scale_of
from trimtab.report.score_figure import score_figure
from trimtab.report.seed_figure import seed_figure
from trimtab.report.tables import (
    Column,
    Table,
    interval_column,
    p_value,
    percent,
    share_column,
    text_column,
)
from trimtab.statistics import score_or_given


def score_section(test: SetAnalysis, output: Output) -> Section:
    """The score of each variant, and what scores are to be measured by."""
    scale = scale_of(test)
    output.figure(seed_figure(test), f"seeds-{test.name}", f"Each seed's {scale.name}")
    column = partial(score_figure, test, width=COLUMN)
    figure = output.figure(
        score_figure(test), f"{test.score}-{test.name}", f"{scale.title} of each variant", column
    )
    chart = ChartBlock("scores", f"{scale.title} of each variant on {test.name} against what it costs")
    blocks: list[Block] = [
        chart if _is_of_study(test) else figure,
        output.table(score_table(test)),
        _lost_words(test),
        _best(test),
        _ceiling(test),
        _prior_baseline(test),
    ]
    return Section("scores", f"{scale.title} on {test.name}", blocks, test.name)


def _is_of_study(test: SetAnalysis) -> bool:
    """Whether more than predictions is known: a ledger's costs, inputs and failures."""
    return any(isinstance(row.variant, VariantRecord) for row in test.means)


def _lost_words(test: SetAnalysis) -> str:
    """What failed and collapsed seeds are, where the table counts them."""
    if not test.seed_counts:
        return ""
    what = (
        "Failed seeds gave no model, collapsed ones a model that is no better on validation than its label "
        "prior"
    )
    if not _is_of_study(test):
        what = "Collapsed seeds say one class for every example"
    elif not _has_classes(test):
        what = "Failed seeds gave no model, collapsed ones a model with one output for every row"
    return f"{what}; 'up to' is the end of Clopper and Pearson's 95 % interval of their share."


def _has_classes(test: SetAnalysis) -> bool:
    return score_or_given(test.score).target == "classes"


def score_table(test: SetAnalysis) -> Table[MeanRow]:
    """The score of each variant with its interval, and its ceiling where one is known."""
    scale = scale_of(test)
    columns: list[Column[MeanRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        Column(
            scale.head, lambda row: scale.level(row.estimate.mean), {"mean": lambda row: row.estimate.mean}
        ),
        interval_column(scale.level, lambda row: row.estimate),
    ]
    if not all(math.isnan(behind) for behind in test.behind_best.values()):
        columns.append(_behind_best(test))
    if any(row.ceiling is not None for row in test.means):
        columns += [
            share_column("ceiling %", "ceiling", lambda row: row.ceiling, 2),
            Column("above its ceiling?", _above, {"p_above_ceiling": lambda row: row.p_above_ceiling}),
        ]
    columns += [
        Column(
            "each seed",
            _each_seed(test),
            {"seeds": lambda row: row.seeds, "by_seed": lambda row: row.by_seed},
        ),
    ]
    if test.seed_counts:
        columns.append(_lost_column(test))
    if _is_of_study(test):
        same: Column[MeanRow] = text_column(
            "same inputs as", "same_as", lambda row: row.same_as.name if row.same_as else None
        )
        columns.append(same)
    return Table(f"{test.score}-{test.name}", columns, test.means)


def _lost_column(test: SetAnalysis) -> Column[MeanRow]:
    """How many seeds gave no model, or one that learned nothing."""
    return Column(
        "seeds failed or collapsed" if _is_of_study(test) else "seeds collapsed",
        lambda row: _lost(test.seed_counts[row.variant.number]),
        {
            "seeds_tried": lambda row: test.seed_counts[row.variant.number].tried,
            "seeds_failed": lambda row: test.seed_counts[row.variant.number].failed,
            "seeds_collapsed": lambda row: test.seed_counts[row.variant.number].collapsed,
            "most_lost": lambda row: test.seed_counts[row.variant.number].most,
        },
    )


def _behind_best(test: SetAnalysis) -> Column[MeanRow]:
    """What each variant is at most worse than the best, whichever that is."""
    scale = scale_of(test)

    def behind(row: MeanRow) -> float:
        return test.behind_best.get(row.variant.number, math.nan)

    return Column(
        f"at most worse than the best{scale.difference_end}",
        lambda row: scale.level(behind(row)),
        {"behind_best": behind},
    )


def _each_seed(test: SetAnalysis) -> Callable[[MeanRow], str]:
    """The mean of each seed, and a dash for one that only other variants have finished."""
    every, show = sorted({seed for row in test.means for seed in row.seeds}), scale_of(test).level

    def cell(row: MeanRow) -> str:
        found = dict(zip(row.seeds, row.by_seed, strict=True))
        return " ".join(show(found[seed]) if seed in found else "-" for seed in every)

    return cell


def _lost(count: SeedCount) -> str:
    return f"{count.lost} of {count.tried}: up to {percent(count.most, 0)} %"


def _above(row: MeanRow) -> str:
    p = row.p_above_ceiling
    if p is None or math.isnan(p):
        return ""
    return f"YES (p {p_value(p)})" if p < 0.01 else "no"


def _best(test: SetAnalysis) -> str:
    if all(math.isnan(behind) for behind in test.behind_best.values()):
        return ""
    return (
        "The best variant is not known; what each is at most worse than it holds for all variants at once, "
        f"at {100 * (1 - test.alpha):g} % (multiple comparisons with the best, Bonferroni over the variants)."
    )


def _ceiling(test: SetAnalysis) -> str:
    if all(row.ceiling is None for row in test.means):
        return ""
    return (
        f"The ceiling is the best {scale_of(test).name} that the truncated inputs permit on "
        "average. A mean is called above it where a one-sided test, unadjusted, gives p < 0.01."
    )


def _prior_baseline(test: SetAnalysis) -> str:
    """What a model scores that ignores the text, and whether any variant is shown to do better."""
    if test.prior_baseline is None:
        return ""
    words = f"Label-prior baseline (ignores the text): {scale_of(test).level_with_unit(test.prior_baseline)}."
    if test.learned is False:
        return f"{words} **No variant is shown to do better (one-sided t tests, Holm over the variants).**"
    return words
