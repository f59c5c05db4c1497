"""What a row predicts, as numbers: a score, the number of a class, or a probability for each class."""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from trimtab.config import InputError
from trimtab.predictions.cells import finite, text_of
from trimtab.predictions.source import PROBABILITY_OF, Source

Kind = Literal["score", "prediction", "probability"]
Append = Callable[[Sequence[Any], int, array], None]  # (values of a row, its number, where to append)

_SUM = 1e-3  # by which probabilities may miss 1, as where they were rounded
_BINARY = (("0", "1"), ("false", "true"))  # labels by which one probability can be told: of the second


class Classes:
    """The names of the classes by number: as predictions name them, or as probabilities stand.

    is_binary: whether rows hold one probability, of a class that labels name; None before any row.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.is_binary: bool | None = None

    def number(self, name: str) -> int:
        """The number of a class, a new one for a new name."""
        return self.numbers.setdefault(name, len(self.numbers))

    def check(self, names: Sequence[str], where: str) -> None:
        """InputError where a row has probabilities of other classes than those before; () where of one."""
        if self.is_binary is None:
            self.is_binary = not names
            self.numbers = {name: number for number, name in enumerate(names)}
        if self.is_binary != (not names) or (names and len(names) != len(self.numbers)):
            raise InputError(
                f"{where}: has {len(names) or 1} probabilities, unlike rows before; give those of all "
                "classes in every row"
            )
        if list(self.numbers) != list(names):
            raise InputError(
                f"{where}: has probabilities of {', '.join(names)}, and files before of "
                f"{', '.join(self.numbers)}; give the same classes in the same order"
            )

    def settle(self, labels: set[str], where: str) -> dict[str, int]:
        """The numbers of all classes once every row is read; InputError where a label is none of them.

        Of one probability it is that of label 1, or true. Classes that predictions name are sorted, whole
        numbers by their size.
        """
        if self.is_binary:
            return _binary(labels, where)
        if self.is_binary is False:
            odd = sorted(labels - set(self.numbers))
            if odd:
                raise InputError(
                    f"{where}: label {odd[0]!r} has no probability; there are those of "
                    f"{', '.join(self.numbers)}"
                )
            return self.numbers
        names = sorted({*self.numbers, *labels}, key=_order)
        return {name: number for number, name in enumerate(names)}


def _order(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdigit()
    return not is_number, int(name) if is_number else 0, name


def _binary(labels: set[str], where: str) -> dict[str, int]:
    for classes in _BINARY:
        if labels <= set(classes):
            return {name: number for number, name in enumerate(classes)}
    odd = sorted(labels - {"0", "1"})[0]
    raise InputError(
        f"{where}: one probability is that of label 1, and there is the label {odd!r}; write labels as 0 and "
        f"1, or a column {PROBABILITY_OF}NAME for each class"
    )


def value_reader(kind: Kind | None, classes: Classes, source: Source, at: Mapping[str, int]) -> Append:
    """What appends a row's values to those of its run; ``at``: the places of the columns."""
    where = source.where
    if kind == "probability":
        return _probabilities(classes, where, at)
    if kind == "score":
        place = at["score"]
        return lambda values, number, kept: kept.append(finite(values[place], "score", where, number))
    place = at["prediction"]

    def prediction(values: Sequence[Any], number: int, kept: array) -> None:
        said = values[place]
        name = said if type(said) is str and said else text_of(said, "prediction", f"{where}:{number}")
        kept.append(classes.number(name))

    return prediction


def _probabilities(classes: Classes, where: str, at: Mapping[str, int]) -> Append:
    named = {key.removeprefix(PROBABILITY_OF): n for key, n in at.items() if key.startswith(PROBABILITY_OF)}
    if named and "probability" in at:
        raise InputError(f"{where}: holds probability and {PROBABILITY_OF}{next(iter(named))}; keep one")
    if len(named) == 1:
        raise InputError(
            f"{where}: only one class has a column {PROBABILITY_OF}NAME; give one for each class"
        )

    def probabilities(values: Sequence[Any], number: int, kept: array) -> None:
        given, names = _given(values, named, at)
        shares = [finite(each, "probability", where, number) for each in given]
        if len(shares) == 1 and not names:
            shares = [1.0 - shares[0], shares[0]]
        if not shares or min(shares) < 0 or max(shares) > 1 or abs(sum(shares) - 1) > _SUM:
            raise InputError(
                f"{where}:{number}: the probabilities {', '.join(map(str, given))} are not "
                "shares of 1; write those of all classes, after the softmax"
            )
        classes.check(names, f"{where}:{number}")
        kept.extend(shares)

    return probabilities


def _given(
    values: Sequence[Any], named: Mapping[str, int], at: Mapping[str, int]
) -> tuple[list[Any], Sequence[str]]:
    """The probabilities of a row, and the names of their classes; no name where there is one number."""
    if named:
        return [values[place] for place in named.values()], list(named)
    one = values[at["probability"]]
    if isinstance(one, list | tuple):
        return list(one), [str(number) for number in range(len(one))]
    return [one], ()
