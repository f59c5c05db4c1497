"""Tables of the secondary analyses: all other scores, and McNemar's test of single checkpoints."""

from collections.abc import Callable

from trimtab.analysis.analysis import Row, TestSet
from trimtab.report.scale import Scale, scale_named
from trimtab.report.tables import Column, Table, p_value, text_cell
from trimtab.statistics import SCORES

_KEYS = ("mean", "ci_low", "ci_high", "se", "df")


def others_table(test: TestSet) -> Table:
    """Each variant by every other score, the interval beside the mean."""
    columns = [Column("variant", "name", text_cell("name"))]
    for name in other_scores(test):
        keys = " ".join(f"{name}_{key}" for key in _KEYS)
        columns.append(Column(scale_named(name).head, keys, _cell(name, scale_named(name))))
    columns.append(Column("seeds", "seeds", lambda row: str(len(row["seeds"]))))
    return Table(f"other-scores-{test.name}", columns, test.others)


def other_scores(test: TestSet) -> list[str]:
    """The names of the scores that the study is not judged by, but could be."""
    return [name for name in SCORES if any(f"{name}_mean" in row for row in test.others)]


def _cell(name: str, scale: Scale) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        mean, low, high = (scale.level(row[f"{name}_{key}"]) for key in ("mean", "ci_low", "ci_high"))
        return f"{mean} ({low} to {high})" if low else mean

    return cell


def checkpoint_table(test: TestSet) -> Table:
    """Two trained models each: the difference in accuracy, on what it rests, p, and what is asked."""
    accuracy = scale_named("accuracy")
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("against", "baseline", text_cell("baseline")),
        Column("difference in accuracy, points", "delta", lambda row: accuracy.difference(row["delta"])),
        Column(
            "only the one right, only the other", "won lost", lambda row: f"{row['won']:,}, {row['lost']:,}"
        ),
        Column("p", "p", lambda row: p_value(row["p"])),
        Column("question", "question", text_cell("question")),
    ]
    return Table(f"checkpoints-{test.name}", columns, test.checkpoints)
