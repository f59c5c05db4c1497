"""What a report says of single checkpoints, where there is one seed."""

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.secondary import CheckpointRow
from trimtab.ledger.records import StudyRecord
from trimtab.report.blocks import Section
from trimtab.report.output import Output
from trimtab.report.scale import Scale, scale_named, scale_of
from trimtab.report.tables import Column, Table, interval_words, p_value, text_column
from trimtab.statistics import PairedTest
from trimtab.study.compared import ComparedStudy


def checkpoint_section(test: SetAnalysis, study: ComparedStudy, output: Output) -> Section:
    """The test of single checkpoints, of a study of one seed; without blocks where there is none."""
    title = "The checkpoints of one seed"
    if not test.checkpoints:
        return Section("checkpoints", title)
    words, scale = checkpoint_words(test, study)
    return Section("checkpoints", title, [words, output.table(checkpoint_table(test, scale))], test.name)


def checkpoint_words(test: SetAnalysis, study: ComparedStudy) -> tuple[str, Scale]:
    """What the test of single checkpoints asks and what it is, and the scale of its differences."""
    what = ("The study has one seed", "strategies")
    if not isinstance(study, StudyRecord):
        what = ("There is one seed", "methods, only about these checkpoints")
    scale, how = _checkpoint_scale(test, study), "McNemar's exact test, two-sided, p not adjusted"
    treats = "It treats examples as independent, whether or not they form clusters."
    if any(isinstance(row.test, PairedTest) for row in test.checkpoints):
        how = "a paired t test over examples, two-sided, p not adjusted"
        treats = "It takes the clusters of examples into account, where there are any."
    return (
        f"{what[0]}, which permits no claim about {what[1]}. What can be asked is whether two "
        f"trained models, as they are, differ in {scale.name}: {how}. {treats} Another seed may give another "
        "answer."
    ), scale


def _checkpoint_scale(test: SetAnalysis, study: ComparedStudy) -> Scale:
    """That of accuracy, or of scores that were given instead of classes."""
    return scale_named("accuracy") if study.labels else scale_of(test)


def checkpoint_table(test: SetAnalysis, scale: Scale) -> Table[CheckpointRow]:
    """Two trained models each: the difference in accuracy, on what it rests, p, and what is asked."""
    is_paired = any(isinstance(row.test, PairedTest) for row in test.checkpoints)
    columns: list[Column[CheckpointRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("against", "baseline", lambda row: row.baseline.name),
        Column(
            f"difference in {scale.name}{scale.difference_end}",
            lambda row: scale.difference(row.test.estimate),
            {"delta": lambda row: row.test.estimate},
        ),
        *([_checkpoint_interval(scale)] if is_paired else []),
        Column(
            "higher for the one, for the other" if is_paired else "only the one right, only the other",
            lambda row: f"{row.test.won:,}, {row.test.lost:,}",
            {"won": lambda row: row.test.won, "lost": lambda row: row.test.lost},
        ),
        Column("p", lambda row: p_value(row.test.p), {"p": lambda row: row.test.p}),
        text_column("question", "question", lambda row: row.test.question),
    ]
    return Table(f"checkpoints-{test.name}", columns, test.checkpoints)


def _checkpoint_interval(scale: Scale) -> Column[CheckpointRow]:
    """The interval of a paired t test over examples; McNemar's test has none."""

    def cell(row: CheckpointRow) -> str:
        return interval_words(scale.difference, row.test) if isinstance(row.test, PairedTest) else ""

    return Column(
        "interval",
        cell,
        {
            "ci_low": lambda row: getattr(row.test, "ci_low", None),
            "ci_high": lambda row: getattr(row.test, "ci_high", None),
        },
    )
