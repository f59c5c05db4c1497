"""What a model is trained to give for a row: a class, a score, or how relevant a text is to its query.

Free of torch.
"""

import math
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError

# classes: one of several labels. score: any number. relevance: a grade, a whole number from 0 (not relevant)
# on, of a row that belongs to a query.
Target = Literal["classes", "score", "relevance"]
TARGETS: tuple[Target, ...] = get_args(Target)

Labels = NDArray[np.int64] | NDArray[np.float64]  # numbers of classes, or the numbers themselves

_LARGEST_GRADE = 100  # a larger one is more likely an identifier in the wrong column
_LARGEST_SCORE = 1e6  # its square must not lose the others' in single precision


def number_of(label: Any, where: str, target: Target) -> float:
    """A label that is a number; InputError where it is none, or no grade where the target is relevance."""
    try:
        number = float(label)
    except (TypeError, ValueError):
        number = math.nan
    if target == "relevance":
        if not (0 <= number <= _LARGEST_GRADE and number.is_integer()):
            raise InputError(
                f"{where}: relevance {label!r} is not a grade; give 0 for a text that is not relevant, and 1 "
                f"or a higher whole number (up to {_LARGEST_GRADE}) for one that is"
            )
    elif not abs(number) <= _LARGEST_SCORE:
        raise InputError(f"{where}: score {label!r} is not a number up to a million; correct the row")
    return number


def target_of(labels: Labels, queries: NDArray[np.int64] | None) -> Target:
    """What labels are: whole numbers stand for classes, and others are relevance where rows have queries."""
    if labels.dtype.kind in "iu":
        return "classes"
    return "score" if queries is None else "relevance"


def outputs_of(target: Target, label_names: tuple[str, ...]) -> int:
    """How many numbers a model gives for a row: one for each class, else one."""
    return len(label_names) if target == "classes" else 1


def as_words(label: float, label_names: tuple[str, ...]) -> str:
    """A label as a person reads it: the name of a class, else the number, which has none."""
    return label_names[int(label)] if label_names else f"{label:g}"
