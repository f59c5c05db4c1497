"""The columns that every table of contrasts has: the difference, how sure it is, the verdict."""

from collections.abc import Callable
from typing import TypeVar

from trimtab.report.scale import Scale
from trimtab.report.tables import Column, interval_column, p_value
from trimtab.statistics import Contrast

RowT = TypeVar("RowT")

# Heads, both of adjusted p: that of the test of no difference, and that of the two one-sided tests.
P_DIFFERENCE, P_EQUIVALENCE = "p of a difference", "p of equivalence"


def difference_columns(scale: Scale, contrast: Callable[[RowT], Contrast]) -> list[Column[RowT]]:
    """A difference, its interval, the adjusted p of a difference and of equivalence, and the verdict."""
    return [
        Column(
            f"difference{scale.difference_end}",
            lambda row: scale.difference(contrast(row).delta),
            {"delta": lambda row: contrast(row).delta},
        ),
        interval_column(scale.difference, contrast),
        Column(
            P_DIFFERENCE,
            lambda row: p_value(contrast(row).p_adjusted),
            {"p": lambda row: contrast(row).p, "p_adjusted": lambda row: contrast(row).p_adjusted},
        ),
        Column(
            P_EQUIVALENCE,
            lambda row: p_value(contrast(row).p_equivalence),
            {"p_equivalence": lambda row: contrast(row).p_equivalence},
        ),
        Column(
            "verdict",
            lambda row: contrast(row).verdict,
            {
                "verdict": lambda row: contrast(row).verdict,
                "paired": lambda row: contrast(row).paired,
                "question": lambda row: contrast(row).question,
            },
        ),
    ]
