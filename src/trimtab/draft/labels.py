"""What a label column holds: classes, a score or relevance, and which of its cells are missing labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trimtab.config import InputError, toml_value
from trimtab.data.columns import Column
from trimtab.data.label_remarks import may_be_missing
from trimtab.data.target import Target, number_of

MOST_CLASSES = 20  # more are rather ids, or ratings where they are numbers
_ROWS_OF_A_CLASS = 5
_MOST_GRADES = 10
_LARGEST_SCORE = 1e6
_SHOWN = 10  # labels that are listed
_LONGEST = 40  # characters of a label that are shown
_SUSPECTED = ("-1", "none")  # that may stand for a missing label, and may be a class as well


@dataclass(frozen=True)
class LabelFacts:
    """What is known of a label column.

    drop: the cells that are missing labels, as they stand in the file; dropped: rows with one; counts: rows
    of each label that is left, in the order that a study gives them.
    """

    column: Column
    target: Target
    why: str
    drop: tuple[str, ...]
    dropped: int
    counts: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows with a label."""
        return sum(self.counts.values())

    @property
    def largest(self) -> float:
        """The share of the most frequent label."""
        return max(self.counts.values()) / self.rows

    def words(self) -> str:
        """Its labels with their counts, or the range of its numbers."""
        if self.target == "score":
            numbers = [float(label) for label in self.counts]
            return f"scores from {min(numbers):g} to {max(numbers):g}"
        if self.target == "relevance":
            relevant = sum(count for label, count in self.counts.items() if float(label) > 0)
            return f"relevance, {relevant:,} of {self.rows:,} rows above 0"
        most = sorted(self.counts, key=lambda label: -self.counts[label]) if len(self.counts) > _SHOWN else []
        shown = most[:_SHOWN] or list(self.counts)
        each = ", ".join(f"{label_words(label)} {self.counts[label]:,}" for label in shown)
        more = f" and {len(self.counts) - _SHOWN:,} more" if most else ""
        return f"{len(self.counts):,} classes: {each}{more}"


def label_words(label: str) -> str:
    """A label in quotes, on one line, and not too long."""
    return toml_value(label if len(label) <= _LONGEST else f"{label[:_LONGEST]}...")


def without_missing(column: Column) -> Column:
    """The column without the cells that stand for a missing label."""
    drop = _missing(column)
    return Column(column.name, [cell for cell in column.cells if cell not in drop], column.is_text)


def is_plausible(column: Column) -> bool:
    """Whether a column may hold labels: some that recur, or numbers that are no ids."""
    if column.distinct < 2:
        return False
    recur = column.filled >= _ROWS_OF_A_CLASS * column.distinct
    few = column.distinct <= MOST_CLASSES and column.distinct < max(column.filled, 3)
    return recur or few or _fraction(column.numbers)


def _fraction(numbers: Sequence[float] | None) -> bool:
    """Whether numbers are not all whole, and of a size that a score may have."""
    if numbers is None or max(map(abs, numbers)) > _LARGEST_SCORE:
        return False
    return not all(number.is_integer() for number in numbers)


def label_facts(column: Column, source: str, *, has_queries: bool, asked_queries: bool) -> LabelFacts:
    """What a label column of the file ``source`` holds.

    has_queries: whether rows seem to be grouped by queries; asked_queries: whether the user named a column of
    them. InputError where there are fewer than two labels, or as many as for ids.
    """
    drop = _missing(column)
    counts = {label: count for label, count in column.counts.items() if label not in drop}
    place = f"{source}: label column {toml_value(column.name)}"
    if len(counts) < 2:
        what = f"has one label only, {label_words(next(iter(counts)))}" if counts else "is empty"
        raise InputError(f"{place} {what}; name a column with at least two labels with --label")
    if asked_queries:
        for label in counts:
            number_of(label, place, "relevance")  # for its error
    left = without_missing(column)
    target, why = _target(left, has_queries, asked_queries)
    if target == "classes" and not is_plausible(left):
        raise InputError(
            f"{place} has {left.distinct:,} different values on {left.filled:,} rows, too many for labels; "
            "name another with --label"
        )
    dropped = len(column.cells) - left.filled
    return LabelFacts(column, target, why, drop, dropped, _ordered(counts))


def with_missing_of(facts: LabelFacts, cells: Column, source: str) -> LabelFacts:
    """The same, where cells of the test set's labels, in the file ``source``, stand for missing ones too.

    InputError where all of them do.
    """
    found = dict.fromkeys(cells.cells)
    missing = [cell for cell in found if may_be_missing(cell) and cell not in facts.counts]
    if len(missing) == len(found):
        raise InputError(
            f"{source}: no row has a label in column {facts.column.name!r}; name a file whose rows have some "
            "with --test, or leave it out"
        )
    return replace(facts, drop=tuple(dict.fromkeys((*facts.drop, *missing))))


def _missing(column: Column) -> tuple[str, ...]:
    """The cells that stand for a missing label: blank ones, and usual words where two labels are left."""
    blank = dict.fromkeys(cell for cell in column.cells if not cell.strip())
    words = [
        cell for cell in column.counts if may_be_missing(cell) and cell.strip().lower() not in _SUSPECTED
    ]
    return (*blank, *(words if column.distinct - len(words) >= 2 else ()))


def _target(column: Column, has_queries: bool, asked_queries: bool) -> tuple[Target, str]:
    numbers = column.numbers
    if asked_queries:
        return "relevance", "as --query names a column"
    if numbers is None:
        return "classes", "as labels are text"
    if _fraction(numbers):
        return "score", "as labels are real numbers"
    if min(numbers) == 0 and max(numbers) <= _MOST_GRADES and has_queries:
        relevant = sum(count for cell, count in column.counts.items() if float(cell) > 0)
        if relevant < column.filled / 2:
            return "relevance", "as labels are grades from 0 on, and several rows share a query"
    if column.distinct > MOST_CLASSES and max(map(abs, numbers)) <= _LARGEST_SCORE:
        return "score", f"as labels are {column.distinct:,} different whole numbers"
    return "classes", "as labels are a few whole numbers"


def _ordered(counts: dict[str, int]) -> dict[str, int]:
    try:
        order = sorted(counts, key=lambda label: (float(label), label))
    except ValueError:
        order = sorted(counts)
    return {label: counts[label] for label in order}
