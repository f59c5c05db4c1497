"""How a score is written: its name, unit and numbers, the same in tables, figures and sentences."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.analysis.analysis import SetAnalysis
from trimtab.statistics import IntervalEstimate, Score, score_or_given


@dataclass(frozen=True)
class Scale:
    """The words and numbers of one score.

    Percent have two digits, and their differences are in points; all else has four.
    """

    score: Score

    @property
    def name(self) -> str:
        """``accuracy``, ``Matthews correlation``, ``minus log loss``."""
        return self.score.name

    @property
    def title(self) -> str:
        """The name as it begins a sentence."""
        return self.name[0].upper() + self.name[1:]

    @property
    def head(self) -> str:
        """The head of a column: ``accuracy %``."""
        return f"{self.name} %" if self.score.unit == "%" else self.score.label

    @property
    def difference_unit(self) -> str:
        """``points``, ``nats``, or nothing."""
        return "points" if self.score.unit == "%" else self.score.unit

    @property
    def difference_end(self) -> str:
        """The unit of differences as it ends a head: ``, points``, or nothing."""
        return f", {self.difference_unit}" if self.difference_unit else ""

    def axis(self, test: str) -> str:
        """What an axis of values says: ``accuracy on test, %``."""
        return f"{self.name} on {test}" + (f", {self.score.unit}" if self.score.unit else "")

    def shown(self, value: Any) -> Any:
        """A value, or a column of them, in the unit that it is shown in, as for an axis."""
        return self.score.factor * value

    def reaches(self, estimate: IntervalEstimate) -> tuple[float, float]:
        """How far an interval reaches below and above its mean, as for an axis; 0 where there is none."""
        mean, low, high = (self.shown(value) for value in (estimate.mean, estimate.ci_low, estimate.ci_high))
        return (0.0, 0.0) if math.isnan(low) else (mean - low, high - mean)

    def level(self, value: float | None) -> str:
        """A value of the score, without its unit; nothing where there is none."""
        return "" if value is None or math.isnan(value) else f"{self.shown(value):.{self._digits}f}"

    def level_with_unit(self, value: float) -> str:
        """A value of the score: ``81.25 %``."""
        return f"{self.level(value)} {self.score.unit}".rstrip()

    def difference(self, value: float) -> str:
        """A difference with its sign, without its unit."""
        return "" if math.isnan(value) else f"{self.shown(value):+.{self._digits}f}"

    def amount(self, value: float) -> str:
        """The size of a difference, without its sign: ``0.50 points``."""
        return f"{self.level(abs(value))} {self.difference_unit}".rstrip()

    def difference_with_unit(self, value: float) -> str:
        """A difference with sign and unit: ``+0.50 points``."""
        return f"{self.difference(value)} {self.difference_unit}".rstrip()

    @property
    def _digits(self) -> int:
        return 2 if self.score.unit == "%" else 4


def scale_named(name: str) -> Scale:
    """The scale of the score of that name; InputError where there is none."""
    return Scale(score_or_given(name))


def scale_of(test: SetAnalysis) -> Scale:
    """The scale of what a test set is judged by."""
    return scale_named(test.score)


def notes(scales: Sequence[Scale]) -> str:
    """What a reader must know of these scores before any number of them; nothing where there is nothing."""
    turned = [scale.name for scale in scales if scale.name.startswith("minus ")]
    pseudo = [scale.name for scale in scales if not scale.score.is_mean]
    lines = [f"{_listed(turned)}: the sign is flipped, so that higher is better."] if turned else []
    if pseudo:
        lines.append(
            f"{_listed(pseudo)}: not a mean over examples, so the figures are means of jackknife "
            "pseudo-values, which differ slightly from the plain score."
        )
    never = [scale.name for scale in scales if scale.score.interval_rows is None]
    if never:
        lines.append(
            f"{_listed(never)}: without an interval, as its estimate is too low by up to several points "
            "where rows are few, and an interval around it would miss the truth too often."
        )
    lines += [
        f"{_listed([scale.name])}: without an interval under {scale.score.interval_rows} rows, where one "
        "would miss the truth too often."
        for scale in scales
        if scale.score.interval_rows
    ]
    return " ".join(lines)


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    words = f"{', '.join(first)} and {last}" if first else last
    return words[0].upper() + words[1:]
