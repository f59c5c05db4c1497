"""All strategies by name: built-in ones in two literal dicts, plugins through entry points."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from trimtab.config import InputError, nearest
from trimtab.truncation.caps import capped
from trimtab.truncation.grammar import Spec, read_specs
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
    that depends on the words, so that the choice itself carries information. `pairs_only`: a split whose
    meaning needs two texts; `cuts_fitting`: a split that may cut a pair that the budget has room for.
    """

    function: Callable[..., Any]
    needs_fit: bool = False
    content_dependent: bool = False
    pairs_only: bool = False
    cuts_fitting: bool = False

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
    "capped": Strategy(capped, pairs_only=True, cuts_fitting=True),
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
        known = strategy.options
        options = read_options(spec.name, known, spec.options)
        read = tuple(
            (key, _inner(spec.name, value) if known[key].is_split else value) for key, value in options
        )
        return cls(spec.name, read, strategy)

    def __call__(self, *arguments: Any) -> Any:
        """The function's result for `arguments` and these options."""
        return self.strategy.function(*arguments, **dict(self.options))

    def spec(self, resolved: bool = False) -> str:
        """Its spec string: options at their default left out, or with `resolved` every one."""
        return str(self._spec(resolved))

    def _spec(self, resolved: bool) -> Spec:
        known = self.strategy.options
        written = {k: v._spec(resolved) if isinstance(v, Choice) else v for k, v in self.options}
        return Spec(
            self.name, {k: v for k, v in written.items() if resolved or _plain(v) != known[k].default}
        )


def _plain(value: Any) -> Any:
    """A value as a default is given: another split as its spec string."""
    return str(value) if isinstance(value, Spec) else value


def _inner(name: str, text: str) -> Choice:
    """The split that an option of split ``name`` names; InputError where it is none, or has selections."""
    split, selections = read_specs(text)
    if selections:
        raise InputError(f"{name} takes a split alone, not {text!r}; selections stand after its brackets")
    return Choice.of("split", split)


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
