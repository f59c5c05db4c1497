"""The chances that more seeds settle open contrasts, as columns of a table and as sentences."""

from collections.abc import Sequence

from trimtab.analysis.chances import asked
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.escaping import as_markdown
from trimtab.report.scale import Scale
from trimtab.report.tables import Column, percent

LOOKED_BEFORE = "A study that is looked at before and after more seeds errs more often than its level says."


def seeds_asked(rows: Sequence[ContrastRow]) -> int | None:
    """The seeds by which the chances of these rows are told, None where no chance is known."""
    return asked([(len(row.seeds), row.chances) for row in rows if row.chances])


def chance_columns(rows: Sequence[ContrastRow], scale: Scale) -> list[Column[ContrastRow]]:
    """Of open contrasts: the chance by a number of seeds, and the seeds that have one of 80 %, or the floor.

    None where nothing is open; raw: the number, the chance from 0 to 1, the seeds, the floor.
    """
    if not any(row.chances for row in rows):
        return []
    by = seeds_asked(rows)

    def chance(row: ContrastRow) -> float | None:
        return row.chances.at(by) if row.chances and by and row.chances.by else None

    def seeds(row: ContrastRow) -> str:
        if not row.chances:
            return ""
        if not row.chances.by:
            return "unknown"
        if row.chances.enough:
            return f"{row.chances.enough}"
        floor = f" (floor {scale.level(row.chances.floor)})" if row.chances.floor > 0 else ""
        return f"over {row.chances.by[-1][0]}{floor}"

    head = f"chance by {by} seeds %" if by else "chance of settling %"
    return [
        Column(
            head,
            lambda row: "" if (found := chance(row)) is None else percent(found, 0),
            {"chance": chance, "chance_seeds": lambda row: by if row.chances else None},
        ),
        Column(
            "seeds to settle",
            seeds,
            {
                "seeds_to_settle": lambda row: row.chances.enough if row.chances else None,
                "floor": lambda row: row.chances.floor if row.chances else None,
            },
        ),
    ]


def chance_meaning(rows: Sequence[ContrastRow]) -> str:
    """What the columns mean; nothing where no chance is known."""
    by = seeds_asked(rows)
    if by is None:
        return ""
    return (
        f" The chance by {by} seeds is that of a verdict, better, worse or equivalent, with so many in all, "
        "averaged over what the truth may be. Seeds to settle: the fewest, in all, with a chance of 80 %. "
        "Floor: the smallest true difference that these test rows can show with 80 % power, however many "
        "seeds."
    )


def settle_words(row: ContrastRow, rows: Sequence[ContrastRow], scale: Scale) -> str:
    """What more seeds would do for an open contrast whose chances are known; rows: all of its table."""
    assert row.chances
    names = f"{as_markdown(row.variant.name)} against {as_markdown(row.baseline.name)}"
    enough = row.chances.enough
    if enough:
        chance = percent(row.chances.at(enough), 0)
        return f"With {enough} seeds in all, {names} is settled with a chance of {chance} %. {LOOKED_BEFORE}"
    by = seeds_asked(rows) or row.chances.by[-1][0]
    words = (
        f"No number of seeds up to {row.chances.by[-1][0]} would settle a comparison with a chance of 80 %: "
        f"by {by} in all, {names} is settled with one of {percent(row.chances.at(by), 0)} %."
    )
    if row.chances.floor > 0:
        words += (
            " However many seeds, these test rows show differences from "
            f"{scale.amount(row.chances.floor)} on (80 % power)."
        )
    return f"{words} More test rows or a larger margin would help."
