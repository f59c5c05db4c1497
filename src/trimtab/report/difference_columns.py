"""The columns that every table of contrasts has: the difference, how sure it is, the verdict."""

from collections.abc import Callable
from typing import TypeVar

from trimtab.report.scale import Scale
from trimtab.report.tables import Column, interval_column, p_value
from trimtab.statistics import Contrast

RowT = TypeVar("RowT")


def difference_columns(scale: Scale, contrast: Callable[[RowT], Contrast]) -> list[Column[RowT]]:
    """A difference, its interval, its p and its verdict."""
    return [
        Column(
            f"difference{scale.difference_end}",
            lambda row: scale.difference(contrast(row).delta),
            {"delta": lambda row: contrast(row).delta},
        ),
        interval_column(scale.difference, contrast),
        Column(
            "adjusted p",
            lambda row: p_value(contrast(row).p_adjusted),
            {"p": lambda row: contrast(row).p, "p_adjusted": lambda row: contrast(row).p_adjusted},
        ),
        Column(
            "verdict",
            lambda row: contrast(row).verdict,
            {
                "verdict": lambda row: contrast(row).verdict,
                "p_equivalence": lambda row: contrast(row).p_equivalence,
                "paired": lambda row: contrast(row).paired,
                "question": lambda row: contrast(row).question,
            },
        ),
    ]
