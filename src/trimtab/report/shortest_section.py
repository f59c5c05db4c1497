"""What a report says of max_len: which length suffices, and the tests that this rests on."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.answer import Savings
from trimtab.analysis.shortest import LengthRow, LengthSeries
from trimtab.report.blocks import Block, Section, bullets
from trimtab.report.output import Output
from trimtab.report.scale import Scale, scale_of
from trimtab.report.shortest_words import shortest_words
from trimtab.report.tables import (
    Column,
    Table,
    interval_words,
    number_column,
    p_value,
    share_column,
    text_column,
)
from trimtab.statistics import Contrast
from trimtab.study.compare_section import Compare


def shortest_section(test: SetAnalysis, analysis: Analysis, output: Output) -> Section:
    """Which max_len suffices; without blocks where max_len is no axis."""
    title, settings = "Which max_len suffices", analysis.study.compare
    if not test.shortest:
        return Section("max-len", title)
    blocks: list[Block] = [bullets(shortest_words(test, analysis.study))]
    if any(series.rows for series in test.shortest):
        blocks += [output.table(shortest_table(test, settings)), _meaning(test, settings)]
    return Section("max-len", title, blocks, test.name)


@dataclass(frozen=True)
class _Row:
    series: LengthSeries
    row: LengthRow


def shortest_table(test: SetAnalysis, settings: Compare) -> Table[_Row]:
    """Each length against the longest of its series; the margin is named wherever an interval is."""
    scale = scale_of(test)
    columns: list[Column[_Row]] = []
    if len(test.shortest) > 1:
        columns.append(text_column("series", "series", lambda row: row.series.series))
    columns += [
        number_column("max_len", "max_len", lambda row: row.row.variant.max_len, "d"),
        text_column("against", "longest", _reference),
        *_difference_columns(scale, settings),
        Column("verdict", _verdict, {"verdict": lambda row: row.row.verdict}),
    ]
    if any(row.inherits for series in test.shortest for row in series.rows):
        columns.append(
            text_column(
                "same inputs as", "same_as", lambda row: row.row.inherits and row.row.inherits.max_len
            )
        )
    columns += [
        share_column("tokens %", "tokens", _cost(lambda cost: cost.tokens)),
        share_column("time %", "seconds", _cost(lambda cost: cost.seconds)),
        share_column("memory %", "peak_bytes", _cost(lambda cost: cost.peak_bytes)),
    ]
    rows = [_Row(series, row) for series in test.shortest for row in series.rows]
    return Table(f"max-len-{test.name}", columns, rows)


def _difference_columns(scale: Scale, settings: Compare) -> list[Column[_Row]]:
    """The difference, its interval and both p-values; nothing for the longest and what has its inputs."""

    def known(row: _Row, value: Callable[[Contrast], float]) -> float:
        return math.nan if row.row.contrast is None else value(row.row.contrast)

    return [
        Column(
            f"difference{scale.difference_end}",
            lambda row: scale.difference(known(row, lambda c: c.delta)),
            {"delta": lambda row: known(row, lambda c: c.delta)},
        ),
        Column(
            "interval",
            lambda row: interval_words(scale.difference, row.row.contrast) if row.row.contrast else "",
            {
                "ci_low": lambda row: known(row, lambda c: c.ci_low),
                "ci_high": lambda row: known(row, lambda c: c.ci_high),
                "se": lambda row: known(row, lambda c: c.se),
                "df": lambda row: known(row, lambda c: c.df),
                "margin": lambda row: settings.margin,
            },
        ),
        Column(
            f"p of losing {scale.amount(settings.margin)}",
            lambda row: p_value(row.row.p_not_inferior),
            {"p_not_inferior": lambda row: row.row.p_not_inferior},
        ),
        Column(
            "p of losing nothing",
            lambda row: p_value(row.row.p_worse),
            {"p_worse": lambda row: row.row.p_worse, "alpha": lambda row: row.series.alpha},
        ),
    ]


def _reference(row: _Row) -> int | None:
    return None if row.row.is_longest else row.series.longest.max_len


def _cost(share: Callable[[Savings], float]) -> Callable[[_Row], float | None]:
    return lambda row: None if row.row.cost is None else share(row.row.cost)


def _verdict(row: _Row) -> str:
    both = row.row.suffices and row.row.worse
    return "suffices, yet worse" if both else row.row.verdict


def _meaning(test: SetAnalysis, settings: Compare) -> str:
    """What the two sequences of tests are, and what each errs in."""
    margin = scale_of(test).amount(settings.margin)
    level = f"{next(series.alpha for series in test.shortest if series.rows):.3g}"
    looks = ", and p and intervals valid at every planned look" if settings.looks else ""
    share = "" if float(level) == settings.alpha else f" ({settings.alpha:g} over all series and test sets)"
    return (
        f"Suffices: shown to lose less than {margin} (one-sided t tests from the longest length downward, "
        "which stop at the first that fails). Worse: shown to lose something (from the shortest upward, "
        "likewise). p is unadjusted, as the order is fixed; each of the two errs with probability "
        f"{level} at most{share}. Open: neither is shown. Intervals are unadjusted, at "
        f"{100 * (1 - settings.alpha):g} %{looks}. This compares lengths of a series alone, in a fixed "
        "order, so a length may suffice while no variant of all is recommended. Tokens a row, training time "
        "and peak memory are shares of the longest length's."
    )
