"""Predictions on a terminal, and as a CSV."""

import csv
import math
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.report.show import CONTROLS
from trimtab.report.tables import percent
from trimtab.report.terminal import table_text

if TYPE_CHECKING:
    from trimtab.deploy.prediction import Predictions

_ROWS, _WIDTH = 10, 32  # what a terminal shows: rows, and characters of a text


class Summary:
    """What a terminal shows of predictions that come in blocks: the first rows, and counts of all.

    ``labels``: of the model, whose single output is a score.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.rows = self.tokens = self.unknown = self.right = 0
        self.counts: Counter[int] = Counter()  # rows by the label that they were given
        self.truth: Counter[int] = Counter()
        self.shown: list[list[str]] = []
        self.sides = 1
        self.scores = np.zeros(2)  # the sum, and that of squares
        self.least, self.largest = np.inf, -np.inf

    def add(
        self, found: "Predictions", sides: Sequence[Sequence[str]], truth: Sequence[int] | None = None
    ) -> None:
        """The next block, with its texts, and the numbers of its true labels where they are known."""
        self.sides = len(sides)
        chosen = found.chosen
        for row in range(min(_ROWS - len(self.shown), len(found))):
            label = [] if len(self.labels) == 1 else [self.labels[chosen[row]]]
            numbers = [f"{p:.3f}" for p in found.probabilities[row]]
            self.shown.append(
                [str(self.rows + row), *(_short(side[row]) for side in sides), *label, *numbers]
            )
        self.rows += len(found)
        self.tokens, self.unknown = self.tokens + found.tokens, self.unknown + found.unknown
        if len(self.labels) == 1:
            scores = found.scores
            self.scores += scores.sum(), (scores**2).sum()
            self.least, self.largest = min(self.least, scores.min()), max(self.largest, scores.max())
        self.counts.update(chosen.tolist())
        if truth is not None:
            self.truth.update(truth)
            self.right += int((chosen == np.asarray(truth)).sum())

    def text(self) -> str:
        """The first rows with their texts, label and probabilities; then how often each label was given."""
        names = self.labels if len(self.labels) == 1 else ["label", *(f"p({label})" for label in self.labels)]
        head = ["row", *("first", "second")[: self.sides], *names]
        parts = [table_text(self.shown, head), self._counts_words()]
        if self.unknown:
            share = 100 * self.unknown / max(1, self.tokens)
            parts.append(f"{share:.1f} % of the tokens are words that the vocabulary lacks.")
        return "\n\n".join(parts)

    def accuracy_words(self) -> str:
        """How many rows got their label, beside what always giving the commonest one would reach."""
        number, commonest = self.truth.most_common(1)[0]
        right, often = percent(self.right / self.rows), percent(commonest / self.rows)
        return (
            f"accuracy {right} % ({self.right:,} of {self.rows:,} rows right); always saying "
            f"{self.labels[number]}: {often} %"
        )

    def _counts_words(self) -> str:
        if len(self.labels) == 1:
            mean, square = self.scores / self.rows
            spread = math.sqrt(max(0.0, square - mean**2))
            return (
                f"{self.rows:,} rows: {self.labels[0]} from {self.least:.3f} to {self.largest:.3f}, mean "
                f"{mean:.3f}, standard deviation {spread:.3f}"
            )
        counts = [
            f"{label} {self.counts[number]:,} ({100 * self.counts[number] / max(self.rows, 1):.1f} %)"
            for number, label in enumerate(self.labels)
        ]
        return f"{self.rows:,} rows: {', '.join(counts)}"


def check(path: Path) -> None:
    """InputError, before any work, where ``write`` could not write."""
    if path.suffix.lower() != ".csv":
        raise InputError(f"--out: {path} does not end in .csv; name it so")
    if not path.parent.is_dir():
        raise InputError(f"--out: there is no folder {path.parent}; make it, or name another")


@contextmanager
def written(path: Path, labels: Sequence[str]) -> Iterator[Callable[["Predictions"], None]]:
    """A function that appends a block of predictions to a CSV, which is complete when the context ends.

    Its columns: ``row``, from 0 in the table's order, ``label``, and ``p_LABEL`` of each label; of a model
    with one output ``row`` and ``score``. It is written aside and renamed, so that there is no half of one.
    InputError where that fails.
    """
    columns = list(labels) if len(labels) == 1 else ["label", *(f"p_{label}" for label in labels)]
    try:
        with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", *columns])
            yield partial(_append, writer, count())
    except OSError as error:
        raise InputError(f"--out: {path} cannot be written ({error.strerror}); name another file") from error


def _append(writer: Any, numbers: Iterator[int], found: "Predictions") -> None:
    names = found.labels
    for chosen, each, number in zip(
        found.chosen.tolist(), found.probabilities.tolist(), numbers, strict=False
    ):  # the numbers last, as zip would take one too many
        writer.writerow([number, *([names[chosen]] if len(names) > 1 else []), *each])


def _short(text: str) -> str:
    return textwrap.shorten(text.translate(CONTROLS), _WIDTH)
