"""What a report declares secondary: contrasts on rows cut differently, other scores, single checkpoints."""

from collections.abc import Sequence

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.secondary import AffectedRow, CheckpointRow, OtherScoresRow
from trimtab.report.blocks import Block, Section
from trimtab.report.difference_columns import difference_columns
from trimtab.report.output import Output
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.tables import Column, Table, p_value, percent, text_column
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.definition import Compare


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
            "rows cut differently",
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
    """Every score that the study is not judged by, without contrasts."""
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


def checkpoint_section(test: SetAnalysis, output: Output) -> Section:
    """McNemar's test of a study of one seed; without blocks where there is none."""
    title = "The checkpoints of one seed"
    if not test.checkpoints:
        return Section("checkpoints", title)
    words = (
        "The study has one seed, which permits no claim about strategies. What can be asked is whether two "
        "trained models, as they are, differ in accuracy: McNemar's exact test, two-sided, p not adjusted. "
        "It treats examples as independent, whether or not they form clusters. Another seed may give another "
        "answer."
    )
    return Section("checkpoints", title, [words, output.table(checkpoint_table(test))], test.name)


def checkpoint_table(test: SetAnalysis) -> Table[CheckpointRow]:
    """Two trained models each: the difference in accuracy, on what it rests, p, and what is asked."""
    accuracy = scale_named("accuracy")
    columns: list[Column[CheckpointRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("against", "baseline", lambda row: row.baseline.name),
        Column(
            "difference in accuracy, points",
            lambda row: accuracy.difference(row.test.estimate),
            {"delta": lambda row: row.test.estimate},
        ),
        Column(
            "only the one right, only the other",
            lambda row: f"{row.test.won:,}, {row.test.lost:,}",
            {"won": lambda row: row.test.won, "lost": lambda row: row.test.lost},
        ),
        Column("p", lambda row: p_value(row.test.p), {"p": lambda row: row.test.p}),
        text_column("question", "question", lambda row: row.test.question),
    ]
    return Table(f"checkpoints-{test.name}", columns, test.checkpoints)
