"""All strategies by name: built-in ones in two literal dicts, plugins through entry points."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from trimtab.config import InputError, nearest
from trimtab.truncation.grammar import Spec
from trimtab.truncation.options import Option, options_of, read_options
from trimtab.truncation.selections import head, head_tail, middle, random, salient, tail
from trimtab.truncation.splits import (
    first_priority,
    fixed,
    longest_first,
    only_first,
    only_second,
    ratio,
    second_priority,
)

Kind = Literal["split", "selection"]


@dataclass(frozen=True)
class Strategy:
    """A split or a selection: its function, and what must be known before it can be used.

    Options are the function's keyword-only parameters, its meaning the first line of its docstring.
    `needs_fit`: a selection that reads ``context.document_frequencies``. `content_dependent`: a selection
    that depends on the words, so that the choice itself carries information.
    """

    function: Callable[..., Any]
    needs_fit: bool = False
    content_dependent: bool = False

    @property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return options_of(self.function)

    @property
    def meaning(self) -> str:
        """One line of description."""
        return next(iter((self.function.__doc__ or "").strip().splitlines()), "")


SPLITS: dict[str, Strategy] = {
    "longest_first": Strategy(longest_first),
    "ratio": Strategy(ratio),
    "only_first": Strategy(only_first),
    "only_second": Strategy(only_second),
    "first_priority": Strategy(first_priority),
    "second_priority": Strategy(second_priority),
    "fixed": Strategy(fixed),
}
SELECTIONS: dict[str, Strategy] = {
    "head": Strategy(head),
    "tail": Strategy(tail),
    "head_tail": Strategy(head_tail),
    "middle": Strategy(middle),
    # It reads the tokens only to seed the draw: which are kept carries no information about them.
    "random": Strategy(random),
    "salient": Strategy(salient, needs_fit=True, content_dependent=True),
}
OURS: dict[Kind, dict[str, Strategy]] = {"split": SPLITS, "selection": SELECTIONS}


@dataclass(frozen=True)
class Choice:
    """A strategy with a value for each of its options, in the function's order."""

    name: str
    options: tuple[tuple[str, Any], ...]
    strategy: Strategy = field(repr=False)

    @classmethod
    def of(cls, kind: Kind, spec: Spec) -> "Choice":
        """The strategy a spec names; InputError where its name, an option or a value is wrong."""
        strategy = find(kind, spec.name)
        return cls(spec.name, read_options(spec.name, strategy.options, spec.options), strategy)

    def __call__(self, *arguments: Any) -> Any:
        """The function's result for `arguments` and these options."""
        return self.strategy.function(*arguments, **dict(self.options))

    def spec(self, resolved: bool = False) -> str:
        """Its spec string: options at their default left out, or with `resolved` every one."""
        known = self.strategy.options
        return str(Spec(self.name, {k: v for k, v in self.options if resolved or v != known[k].default}))


def find(kind: Kind, name: str) -> Strategy:
    """The strategy of that name, built-in ones before plugins; InputError where there is none."""
    ours = OURS[kind]
    if name in ours:
        return ours[name]
    foreign = _foreign(kind)
    if name in foreign:
        return _load(kind, foreign[name])
    if name in SELECTIONS:
        raise InputError(f"{name!r} is a selection, not a split: write for example longest_first+{name}")
    if name in SPLITS:
        raise InputError(f"{name!r} is a split, not a selection: it goes first, before '+'")
    raise InputError(f"no {kind} is called {name!r}; {nearest(name, [*ours, *foreign])}")


def describe() -> list[dict[str, str]]:
    """All strategies, splits first: rows of ``kind``, ``name``, ``options`` with defaults, ``meaning``.

    The meaning of a plugin that cannot be loaded is the error.
    """
    rows = []
    for kind, ours in OURS.items():
        rows += [_described(kind, name, strategy) for name, strategy in ours.items()]
        for name, point in _foreign(kind).items():
            try:
                rows.append(_described(kind, name, _load(kind, point)))
            except InputError as error:
                rows.append({"kind": kind, "name": name, "options": "", "meaning": str(error)})
    return rows


def _described(kind: Kind, name: str, strategy: Strategy) -> dict[str, str]:
    options = ", ".join(map(str, strategy.options.values()))
    return {"kind": kind, "name": name, "options": options, "meaning": strategy.meaning}


def _foreign(kind: Kind) -> dict[str, EntryPoint]:
    return {
        point.name: point for point in entry_points(group=f"trimtab.{kind}s") if point.name not in OURS[kind]
    }


def _load(kind: Kind, point: EntryPoint) -> Strategy:
    try:
        loaded = point.load()
    except Exception as error:
        raise InputError(f"{kind} {point.name!r} ({point.value}) cannot be loaded: {error!r}") from error
    if isinstance(loaded, Strategy):
        return loaded
    # A plain function declares nothing; the cautious assumption is that it depends on the words.
    return Strategy(loaded, content_dependent=kind == "selection")
