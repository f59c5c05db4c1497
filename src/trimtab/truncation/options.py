"""Options of a strategy, derived from its function's signature."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError, nearest


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest value a number may take, both included."""

    low: float
    high: float


Share = Annotated[float, Bounds(0, 1)]
Count = Annotated[int, Bounds(0, 2**31 - 1)]


@dataclass(frozen=True)
class SplitName:
    """Marks an option whose value is another split, with options of its own: ``ratio(minimum=2)``."""


def rounded_share(share: float, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """floor(share * number + 1/2) of each number (rows,) below a million, the share as an exact decimal.

    In double precision 0.29 * 50 is slightly less than 14.5; adding 1e-9 corrects that.
    """
    return np.floor(share * numbers + (0.5 + 1e-9)).astype(np.int64)


@dataclass(frozen=True)
class Option:
    """One option of a strategy: its name, its default and the values it accepts.

    With None as its default it also accepts ``none``. is_split: its value is another split's spec string,
    which the registry reads.
    """

    name: str
    default: Any
    kind: type
    choices: tuple[str, ...] = ()
    bounds: Bounds | None = None
    is_split: bool = False

    def __str__(self) -> str:
        """``tie=bert|hf_fast|tf_text``, the default first, or ``head=0.25``."""
        others = [choice for choice in self.choices if choice != self.default]
        default = "none" if self.default is None else self.default
        return "|".join([f"{self.name}={default}", *others])

    def read(self, value: Any) -> Any:
        """``value`` as the function expects it; InputError where it has another type or is out of bounds."""
        if self.choices:
            if value in self.choices:
                return value
            raise InputError(f"{self.name} cannot be {value!r}; {nearest(str(value), self.choices)}")
        if self.default is None and value in (None, "none"):
            return None
        if self.is_split and not isinstance(value, str):
            raise InputError(f"{self.name} must be a split such as {self.default}, not {value!r}")
        if self.kind is str:
            return str(value)
        number = _number(value, self.kind)
        if number is None or (self.bounds and not self.bounds.low <= number <= self.bounds.high):
            raise InputError(f"{self.name} must be {self._wanted()}, not {value!r}")
        return number

    def _wanted(self) -> str:
        wanted = {bool: "true or false", int: "a whole number"}.get(self.kind, "a number")
        wanted += f" from {self.bounds.low} to {self.bounds.high}" if self.bounds else ""
        return f"{wanted}, or none" if self.default is None else wanted


def _number(value: Any, kind: type) -> Any:
    # Python accepts True as 1; in a spec string that is a mistake.
    if isinstance(value, bool) or kind is bool:
        return value if isinstance(value, bool) and kind is bool else None
    if kind is int:
        return value if isinstance(value, int) else None
    # Adding 0.0 turns -0.0 into 0.0, so that equal values have equal spec strings.
    return float(value) + 0.0 if isinstance(value, int | float) else None


@cache
def options_of(function: Callable[..., Any]) -> dict[str, Option]:
    """The keyword-only parameters of ``function`` as options, in their order.

    The annotation says what an option accepts: Literal its choices, Annotated with Bounds its range, else a
    plain type; without an annotation, the type of the default. TypeError where a default is missing.
    """
    hints = get_type_hints(function, include_extras=True)
    keywords = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    return {p.name: _option(p.name, p.default, hints.get(p.name, type(p.default))) for p in keywords}


def _option(name: str, default: Any, annotation: Any) -> Option:
    if default is inspect.Parameter.empty:
        raise TypeError(f"option {name!r} of a strategy has no default")
    if get_origin(annotation) is Literal:
        return Option(name, default, str, choices=get_args(annotation))
    kind, *extras = get_args(annotation) if get_origin(annotation) is Annotated else [annotation]
    kind = next((x for x in get_args(kind) if x is not type(None)), kind)
    bounds = next((x for x in extras if isinstance(x, Bounds)), None)
    return Option(name, default, kind, bounds=bounds, is_split=any(isinstance(x, SplitName) for x in extras))


def read_options(name: str, known: dict[str, Option], given: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Every option of strategy ``name`` with its value, given or default, in the function's order.

    InputError where an option is unknown or its value is wrong.
    """
    for key in given:
        if not known:
            raise InputError(f"{name} takes no options, so not {key!r}")
        if key not in known:
            raise InputError(f"{name} has no option {key!r}; {nearest(key, known)}")
    return tuple((key, option.read(given.get(key, option.default))) for key, option in known.items())
