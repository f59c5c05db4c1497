"""Single cells of predictions: names, seeds and numbers, each checked where it stands."""

import math
import re
from typing import Any

from trimtab.config import InputError
from trimtab.data.table import label_text

_LARGEST = 1e100


def text_of(value: Any, column: str, where: str) -> str:
    """A name or id as text, numbers in digits; InputError where there is none."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        raise InputError(f"{where}: nothing in column {column!r}; fill it in, or take the row out")
    text = label_text(value)
    if isinstance(text, float):
        return repr(text)
    if not isinstance(text, str):
        raise InputError(f"{where}: column {column!r} holds {value!r}; write a text or a number")
    return text


def whole(value: Any, where: str) -> int:
    """A seed; InputError where it is no whole number."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value.strip()):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise InputError(f"{where}: seed {value!r} is not a whole number; number the runs of a variant")
    return int(value)


def finite(value: Any, column: str, where: str, number: int) -> float:
    """A number, booleans as 0 and 1; InputError where it is none, nan, infinite or beyond 1e100."""
    found = value if type(value) is float else _as_float(value)
    if found is not None and -_LARGEST < found < _LARGEST:
        return found
    what = (
        f"nothing in column {column!r}" if value in (None, "") else f"{column} {value!r} is no finite number"
    )
    mend = "give each example one, or take it out of every run"
    raise InputError(f"{where}:{number}: {what}; {mend}")


def _as_float(value: Any) -> float | None:
    kind = type(value)
    if kind is int or kind is bool:
        return float(value)
    if kind is not str:
        return None
    try:
        return float(value)
    except ValueError:
        return {"true": 1.0, "false": 0.0}.get(value.lower())
