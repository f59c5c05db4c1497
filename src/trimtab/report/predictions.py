"""Predictions on a terminal, and as a CSV."""

import csv
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.report.show import CONTROLS
from trimtab.report.tables import percent
from trimtab.report.terminal import table_text

if TYPE_CHECKING:
    from trimtab.deploy.prediction import Predictions

_ROWS, _WIDTH = 10, 32  # what a terminal shows: rows, and characters of a text


def predictions_text(found: "Predictions", sides: Sequence[Sequence[str]]) -> str:
    """The first rows with their texts, label and probabilities; then how often each label was given."""
    shown = range(min(_ROWS, len(found.chosen)))
    rows = [
        [
            str(row),
            *(_short(side[row]) for side in sides),
            found.labels[found.chosen[row]],
            *(f"{p:.3f}" for p in found.probabilities[row]),
        ]
        for row in shown
    ]
    head = ["row", *("first", "second")[: len(sides)], "label", *(f"p({label})" for label in found.labels)]
    parts = [table_text(rows, head), _counts_words(found)]
    if found.unknown:
        parts.append(f"{100 * found.unknown:.1f} % of the tokens are words that the vocabulary lacks.")
    return "\n\n".join(parts)


def accuracy_words(found: "Predictions", labels: Sequence[int]) -> str:
    """How many rows got their label, beside what always giving the commonest one would reach."""
    right = int((found.chosen == np.asarray(labels)).sum())
    number, commonest = Counter(labels).most_common(1)[0]
    return (
        f"accuracy {percent(right / len(labels))} % ({right:,} of {len(labels):,} rows right); always saying "
        f"{found.labels[number]}: {percent(commonest / len(labels))} %"
    )


def check(path: Path) -> None:
    """InputError, before any work, where ``write`` could not write."""
    if path.suffix.lower() != ".csv":
        raise InputError(f"--out: {path} does not end in .csv; name it so")
    if not path.parent.is_dir():
        raise InputError(f"--out: there is no folder {path.parent}; make it, or name another")


def write(path: Path, found: "Predictions") -> None:
    """Write a CSV: ``row``, from 0 in the table's order, ``label``, and ``p_LABEL`` of each label."""
    try:
        with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["row", "label", *(f"p_{label}" for label in found.labels)])
            for row, (number, each) in enumerate(
                zip(found.chosen.tolist(), found.probabilities.tolist(), strict=True)
            ):
                writer.writerow([row, found.labels[number], *each])
    except OSError as error:
        raise InputError(f"--out: {path} cannot be written ({error.strerror}); name another file") from error


def _short(text: str) -> str:
    return textwrap.shorten(text.translate(CONTROLS), _WIDTH)


def _counts_words(found: "Predictions") -> str:
    rows, chosen = len(found.chosen), found.chosen.tolist()
    counts = [
        f"{label} {chosen.count(number):,} ({100 * chosen.count(number) / max(rows, 1):.1f} %)"
        for number, label in enumerate(found.labels)
    ]
    return f"{rows:,} rows: {', '.join(counts)}"
