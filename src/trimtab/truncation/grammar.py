"""The grammar of spec strings, ``split(option=value, ...)+selection/selection``, by Python's own parser."""

import ast
import re
import warnings
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, NoReturn

from trimtab.config import InputError

WRITE = "write split, split+selection or split+selection/selection"
OPTIONS = "write options as option=value, with commas between them"
# What Python reads but no spec string has: comments, other letters, brackets that follow no name.
_FOREIGN = re.compile(r"(#|[^ -~])|(?<![\w '\"]) *(?=\()")
_UNBALANCED = {
    "'(' was never closed": "this '(' is never closed; add a ')'",
    "unmatched ')'": "this ')' closes nothing; take it out",
}


@dataclass(frozen=True)
class Spec:
    """A strategy as it is written, such as ``head_tail(head=0.25)``: its name and options."""

    name: str
    options: dict[str, Any]

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={_written(value)}" for key, value in self.options.items())
        return f"{self.name}({inside})" if inside else self.name


def read_specs(text: str) -> tuple[Spec, list[Spec]]:
    """The split and the selections, none to two, that ``text`` names; values are numbers, booleans or words.

    InputError where it is not of that form: ``text`` and a caret under the fault follow its sentence.
    """
    source = _Source(re.sub(r"\s", " ", text).strip())
    match source.tree():
        case ast.BinOp(split, ast.Add(), ast.BinOp(first, ast.Div(), second)):
            return source.strategy(split), [source.strategy(first), source.strategy(second)]
        case ast.BinOp(split, ast.Add(), first):
            return source.strategy(split), [source.strategy(first)]
        case ast.BinOp(left, sign):
            mend = f"selections stand after '+': {WRITE}" if isinstance(sign, ast.Div) else WRITE
            source.fail(mend, source.after(left))
        case split:
            return source.strategy(split), []


@dataclass(frozen=True)
class _Source:
    text: str

    def fail(self, message: str, at: int) -> NoReturn:
        raise InputError(f"{message}\n  {self.text}\n  {' ' * min(at, len(self.text))}^") from None

    def after(self, node: ast.expr) -> int:
        """Where the sign after ``node`` stands."""
        rest = self.text[node.end_col_offset :]
        return len(self.text) - len(rest.lstrip())

    def tree(self) -> ast.expr:
        if foreign := _FOREIGN.search(self.text):
            follows = "this '(' follows no name; take it out"
            self.fail(WRITE if foreign[1] else follows, foreign.end() - len(foreign[1] or ""))
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse(self.text, mode="eval").body
        except (SyntaxError, MemoryError, RecursionError) as error:
            # Python counts from 1, and says 0 of a text that ends too early.
            at = (getattr(error, "offset", None) or len(self.text) + 1) - 1
            inside = self.text.count("(", 0, at) > self.text.count(")", 0, at)
            self.fail(_UNBALANCED.get(str(getattr(error, "msg", "")), OPTIONS if inside else WRITE), at)

    def strategy(self, node: ast.expr) -> Spec:
        match node:
            case ast.Name(name):
                return Spec(name, {})
            case ast.Call(ast.Name(name), given, keywords):
                return Spec(name, self._options([*given, *keywords]))
        self.fail(WRITE, self.after(node) if isinstance(node, ast.BinOp) else node.col_offset)

    def _options(self, given: list[ast.expr | ast.keyword]) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for node in given:
            if not isinstance(node, ast.keyword) or node.arg is None:
                self.fail(f"{self._text(node)!r} is not an option: {OPTIONS}", node.col_offset)
            if node.arg in options:
                self.fail(f"option {node.arg!r} is given twice; keep one", node.col_offset)
            options[node.arg] = self._value(node.value)
        return options

    def _value(self, node: ast.expr) -> Any:
        """A number, a boolean or a word; of anything else its text, which the option will refuse."""
        if isinstance(node, ast.Name):
            return {"true": True, "false": False}.get(node.id.lower(), node.id)
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError):
            return self._text(node)
        return value if isinstance(value, int | float | str) else self._text(node)

    def _text(self, node: ast.expr | ast.keyword) -> str:
        return self.text[node.col_offset : node.end_col_offset]


def _written(value: Any) -> str:
    """A value as it is read back: a word without quotes where Python takes it for a name."""
    if value is None or isinstance(value, Spec):
        return "none" if value is None else str(value)
    is_name = isinstance(value, str) and value.isidentifier() and not iskeyword(value)
    return value if is_name and value.lower() not in ("true", "false") else repr(value)
