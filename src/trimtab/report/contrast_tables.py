"""Tables of contrasts: those declared, those on the rows cut differently, those of mismatched models."""

import math
from collections.abc import Callable

from trimtab.analysis.analysis import Row, TestSet
from trimtab.analysis.cross import Cross
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import (
    Column,
    Table,
    interval_cell,
    p_value,
    percent,
    share_cell,
    text_cell,
)

_NAMED = 4


def _difference(scale: Scale) -> list[Column]:
    return [
        Column(f"difference{scale.difference_end}", "delta", lambda row: scale.difference(row["delta"])),
        Column("interval", "ci_low ci_high se df", interval_cell(scale.difference)),
        Column("adjusted p", "p p_adjusted", lambda row: p_value(row["p_adjusted"])),
        Column("verdict", "verdict p_equivalence paired question", text_cell("verdict")),
    ]


def contrast_table(test: TestSet) -> Table:
    """Each declared contrast: the difference first, then how sure it is, then the verdict."""
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("against", "baseline", text_cell("baseline")),
        *_difference(scale_of(test)),
        Column("rows cut differently %", "affected_share", share_cell("affected_share", 1)),
    ]
    if any(row["verdict"] == "inconclusive" for row in test.contrasts):
        columns.append(Column("more seeds to settle", "more_seeds", _more_seeds))
    if len({tuple(row["seeds"]) for row in test.contrasts}) > 1:
        columns.append(Column("seeds", "seeds", lambda row: " ".join(map(str, row["seeds"]))))
    return Table(f"contrasts-{test.name}", columns, test.contrasts)


def _more_seeds(row: Row) -> str:
    more = row["more_seeds"]
    if more is None:
        return ""
    return "unknown" if math.isnan(more) else "none up to 1,000" if math.isinf(more) else f"{more:,}"


def affected_table(test: TestSet) -> Table:
    """Each contrast on the rows that its two variants cut differently."""
    scale = scale_of(test)
    columns = [
        Column("variant", "name", text_cell("name")),
        Column("against", "baseline", text_cell("baseline")),
        Column(
            "rows cut differently",
            "pairs share",
            lambda row: f"{row['pairs']:,} ({percent(row['share'], 1)} %)",
        ),
        Column(f"{scale.head} on those", "mean", lambda row: scale.level(row["mean"])),
        Column("of the other", "baseline_mean", lambda row: scale.level(row["baseline_mean"])),
        *_difference(scale),
    ]
    return Table(f"affected-{test.name}", columns, test.affected)


def is_named(cross: Cross) -> bool:
    """Whether the matrix heads its columns by name; by number where names would make it too wide."""
    return len(cross.inputs) <= _NAMED


def matrix_table(test: TestSet, cross: Cross) -> Table:
    """The score of each model on each of the inputs, in brackets on its own."""
    columns = [Column("trained with", "name", text_cell("name"))]
    if not is_named(cross):
        columns.append(Column("own", "own_number", lambda row: str(row["own"] + 1)))
    for number, names in enumerate(cross.inputs):
        head = names[0] if is_named(cross) else str(number + 1)
        columns.append(Column(head, f"inputs_{number + 1}", _cell(number, scale_of(test))))
    rows = [
        row
        | {"own_number": row["own"] + 1}
        | {f"inputs_{number + 1}": mean for number, mean in enumerate(row["means"])}
        for row in cross.rows
    ]
    return Table(f"cross-{test.name}", columns, rows)


def _cell(number: int, scale: Scale) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        shown = scale.level(row["means"][number])
        return f"[{shown}]" if row["own"] == number else shown

    return cell


def mismatch_table(test: TestSet, cross: Cross) -> Table:
    """Each model on other inputs than its own: against itself on its own, and the model trained for them."""
    scale = scale_of(test)
    columns = [
        Column("trained with", "name", text_cell("name")),
        Column("evaluated with", "evaluated_with", text_cell("evaluated_with")),
        Column(scale.head, "mean", lambda row: scale.level(row["mean"])),
        *_short_difference(scale, "to itself on its own", ""),
        *_short_difference(scale, "to the model trained for these", "matched_"),
    ]
    return Table(f"mismatches-{test.name}", columns, cross.mismatches)


def _short_difference(scale: Scale, head: str, prefix: str) -> list[Column]:
    """A difference with its interval in one cell, and its verdict with the adjusted p."""
    keys = " ".join(f"{prefix}{key}" for key in ("delta", "ci_low", "ci_high", "se", "df"))
    keys += " matched_name" if prefix else ""

    def cell(row: Row) -> str:
        if math.isnan(row[f"{prefix}delta"]):
            return ""
        interval = {key: row[f"{prefix}{key}"] for key in ("ci_low", "ci_high", "se")}
        return f"{scale.difference(row[f'{prefix}delta'])} ({interval_cell(scale.difference)(interval)})"

    def verdict(row: Row) -> str:
        p = p_value(row[f"{prefix}p_adjusted"])
        return f"{row[f'{prefix}verdict']} ({p})" if p else row[f"{prefix}verdict"]

    return [
        Column(f"{head}{scale.difference_end}", keys, cell),
        Column(
            "verdict (adjusted p)",
            f"{prefix}verdict {prefix}p {prefix}p_adjusted {prefix}p_equivalence",
            verdict,
        ),
    ]
