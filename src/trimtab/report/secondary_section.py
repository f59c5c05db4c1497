"""What a report declares secondary: contrasts on rows cut differently, and other scores."""

from collections.abc import Sequence

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.secondary import AffectedRow, OtherScoresRow
from trimtab.report.blocks import Block, Section
from trimtab.report.difference_columns import difference_columns
from trimtab.report.output import Output
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.tables import Column, Table, percent, text_column
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.compare_section import Compare


def affected_section(test: SetAnalysis, settings: Compare, output: Output) -> Section:
    """Contrasts on the rows that their two variants cut differently; without blocks where there are none."""
    title = "On the rows that are cut differently"
    if not test.affected:
        return Section("affected", title)
    words = (
        "Each contrast again, on only those rows of the test set that its two variants cut differently; "
        "contrasts without any such row are left out. Secondary: retrained models differ on the other rows "
        f"too, so the contrasts on the whole test set decide. {family_words(settings)}"
    )
    return Section("affected", title, [words, output.table(affected_table(test))], test.name, folded=True)


def family_words(settings: Compare) -> str:
    """How p is adjusted in a table that is a family of its own."""
    correction = CORRECTIONS[settings.correction].words
    return (
        f"p is adjusted by {correction} over this table alone, apart from the declared contrasts; "
        "intervals are unadjusted."
    )


def affected_table(test: SetAnalysis) -> Table[AffectedRow]:
    """Each contrast on the rows that its two variants cut differently."""
    scale = scale_of(test)
    columns: list[Column[AffectedRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("against", "baseline", lambda row: row.baseline.name),
        Column(
            f"{test.cut_units} cut differently",
            lambda row: f"{row.pairs:,} ({percent(row.share, 1)} %)",
            {"pairs": lambda row: row.pairs, "share": lambda row: row.share},
        ),
        Column(f"{scale.head} on those", lambda row: scale.level(row.mean), {"mean": lambda row: row.mean}),
        Column(
            "of the other",
            lambda row: scale.level(row.baseline_mean),
            {"baseline_mean": lambda row: row.baseline_mean},
        ),
        *difference_columns(scale, lambda row: row.contrast),
    ]
    return Table(f"affected-{test.name}", columns, test.affected)


def others_section(test: SetAnalysis, settings: Compare, output: Output) -> Section:
    """Every score that the study is not judged by, without contrasts; no blocks where there is none."""
    if not _other_scores(test.others):
        return Section("others", "Other scores", folded=True)
    level = f"{100 * (1 - settings.alpha):g} %"
    about = notes([scale_named(name) for name in _other_scores(test.others)])
    words = f"Secondary, of the same predictions: means with {level} intervals; no contrast is tested."
    blocks: list[Block] = [f"{words} {about}", output.table(others_table(test))]
    return Section("others", "Other scores", blocks, test.name, folded=True)


def others_table(test: SetAnalysis) -> Table[OtherScoresRow]:
    """Each variant by every other score, the interval beside the mean."""
    columns: list[Column[OtherScoresRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        *(_other_score(name) for name in _other_scores(test.others)),
        Column("seeds", lambda row: str(len(row.seeds)), {"seeds": lambda row: row.seeds}),
    ]
    return Table(f"other-scores-{test.name}", columns, test.others)


def _other_scores(rows: Sequence[OtherScoresRow]) -> list[str]:
    """The names of the scores that the study is not judged by, but could be."""
    return list(dict.fromkeys(name for row in rows for name in row.estimates))


def _other_score(name: str) -> Column[OtherScoresRow]:
    scale = scale_named(name)

    def cell(row: OtherScoresRow) -> str:
        estimate = row.estimates[name]
        mean, low, high = map(scale.level, (estimate.mean, estimate.ci_low, estimate.ci_high))
        return f"{mean} ({low} to {high})" if low else mean

    return Column(
        scale.head,
        cell,
        {
            f"{name}_mean": lambda row: row.estimates[name].mean,
            f"{name}_ci_low": lambda row: row.estimates[name].ci_low,
            f"{name}_ci_high": lambda row: row.estimates[name].ci_high,
            f"{name}_se": lambda row: row.estimates[name].se,
            f"{name}_df": lambda row: row.estimates[name].df,
        },
    )
