"""The grammar of spec strings: ``split(option=value, ...)+selection/selection``, faults with their place."""

import ast
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from trimtab.config import InputError

WRITE = "write split, split+selection or split+selection/selection"
_NAME = re.compile(r"[A-Za-z_]\w*")
_SPACE = re.compile(r"\s*")
_NO_BRACKET = re.compile(r"[^()]*")


@dataclass(frozen=True)
class Spec:
    """A strategy as it is written, such as ``head_tail(head=0.25)``: its name and options."""

    name: str
    options: dict[str, Any]

    def __str__(self) -> str:
        if not self.options:
            return self.name
        inside = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}({inside})"


def read_specs(text: str) -> tuple[Spec, list[Spec]]:
    """The split and the selections, none to two, that ``text`` names; values are numbers, booleans or words.

    InputError where it is not of that form: ``text`` and a caret under the place follow its sentence.
    """
    scanner = _Scanner(text)
    split, selections = scanner.strategy(), []
    if scanner.accept("+"):
        selections.append(scanner.strategy())
        if scanner.accept("/"):
            selections.append(scanner.strategy())
    elif scanner.sees("/"):
        scanner.fail(f"selections stand after '+': {WRITE}")
    if not scanner.sees(""):
        scanner.fail_here()
    return split, selections


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def sees(self, sign: str) -> bool:
        """Whether ``sign`` is next, '' being the end."""
        return self.text[self.at : self.at + 1] == sign

    def accept(self, sign: str) -> bool:
        found = self.sees(sign)
        self.at += found
        return found

    def fail(self, message: str, at: int | None = None) -> NoReturn:
        place = " " * (self.at if at is None else at)
        line = re.sub(r"\s", " ", self.text)
        raise InputError(f"{message}\n  {line}\n  {place}^")

    def fail_here(self) -> NoReturn:
        self.fail("this ')' closes nothing; take it out" if self.sees(")") else WRITE)

    def strategy(self) -> Spec:
        self._skip(_SPACE)
        name = self._skip(_NAME)
        if not name:
            self.fail_here()
        self._skip(_SPACE)
        return Spec(name, self._options() if self.accept("(") else {})

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Moves over what matches here, and returns it; '' where nothing does."""
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match[0] if match else ""

    def _options(self) -> dict[str, Any]:
        start = self.at
        inside = self._skip(_NO_BRACKET)
        if self.sees(""):
            self.fail("this '(' is never closed; add a ')'", start - 1)
        if not self.accept(")"):
            self.fail("this '(' stands inside other brackets; take it out")
        self._skip(_SPACE)
        return self._pairs(inside, start) if inside.strip() else {}

    def _pairs(self, inside: str, start: int) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for part in inside.split(","):
            place = start + len(part) - len(part.lstrip())
            key, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals or not key or not value:
                self.fail(f"{part.strip()!r} is not an option: write option=value", place)
            if key in options:
                self.fail(f"option {key!r} is given twice; keep one", place)
            options[key] = _value(value)
            start += len(part) + 1
        return options


def _value(text: str) -> Any:
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, int | float | str) else text
