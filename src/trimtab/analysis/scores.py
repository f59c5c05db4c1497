"""The scores of a test set, by variant and seed, from the logits of a ledger. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.statistics import Score, score_named
from trimtab.statistics.scores import calibration_error, macro_f1

Bools = NDArray[np.bool_]
Logits = NDArray[np.float32]
_NEVER = 1e-30  # the share of a label that does not occur
Values = NDArray[Any]  # bool for accuracy, else float64


@dataclass(frozen=True)
class Scores:
    """Logits (examples, classes) on one test set, by variant and then by seed, and what they score.

    Finished trials alone; labels: (examples,) int. Pseudo-values belong to a whole set of examples, so those
    of a part of it are computed from its logits, never sliced.
    """

    score: Score
    labels: NDArray[np.int64]
    logits: dict[int, dict[int, Logits]]

    def seeds(self, *variants: int) -> list[int]:
        """The seeds that all these variants have finished, in the study's order."""
        first, *rest = (self.logits[variant] for variant in variants)
        return [seed for seed in first if all(seed in other for other in rest)]

    def on(self, variant: int, seeds: Sequence[int] | None = None, where: Bools | None = None) -> Values:
        """A variant's scores (seeds, examples), on all its own seeds or on those given.

        where: (examples,), the part of the test set that is scored, as if it were all; by default all.
        """
        table = self.logits[variant]
        chosen = [table[seed] for seed in (table if seeds is None else seeds)]
        if where is None:
            return np.stack([self._whole[id(logits)] for logits in chosen])
        return np.asarray(self.score.function(np.stack(chosen)[:, where], self.labels[where]))

    def of(self, logits: Logits) -> Values:
        """The scores (seeds, examples) of other logits (seeds, examples, classes) on the same examples."""
        return np.asarray(self.score.function(logits, self.labels))

    def prior_baseline(self, classes: int) -> float | None:
        """The best score that one has who knows the labels' shares of the examples and reads none of them.

        By probabilities it is that of the shares; else of always giving the commonest label, or, by macro F1,
        of guessing in proportion to the shares, by which each class is expected to have an F1 of its share.
        None for the calibration error, which such a reader has none of.
        """
        if self.score.function is calibration_error:
            return None
        if self.score.function is macro_f1:
            return 1 / classes
        shares = np.bincount(self.labels, minlength=classes) / len(self.labels)
        logits = np.log(np.maximum(shares, _NEVER)).astype(np.float32)
        return float(self.of(np.broadcast_to(logits, (1, len(self.labels), classes))).mean())

    def by(self, score: Score) -> "Scores":
        """The same predictions by another score."""
        return replace(self, score=score)

    @cached_property
    def _whole(self) -> dict[int, Values]:
        """The scores (examples,) of each trial on all examples; those that variants share are one object."""
        trials = {id(logits): logits for table in self.logits.values() for logits in table.values()}
        return {place: self.of(logits[None])[0] for place, logits in trials.items()}


def score_name(settings: dict[str, Any]) -> str:
    """The score of [compare]; accuracy in the ledger of an earlier version, which names none."""
    return str(settings.get("score", "accuracy"))


def read_scores(ledger: Ledger, test: str, done: dict[int, list[int]], labels: NDArray[np.int64]) -> Scores:
    """The scores of the trials that are ``done``, seeds by variant; shared trials are read once."""
    variants = ledger.study["variants"]
    read: dict[str, Logits] = {}
    tables: dict[int, dict[int, Logits]] = {}
    for variant, seeds in done.items():
        for seed in seeds:
            key = variants[variant]["trials"][str(seed)]
            if key not in read:
                trial = ledger.trial(key)
                read[key] = finite(trial.predictions(test), trial.folder)
            tables.setdefault(variant, {})[seed] = read[key]
    return Scores(score_named(score_name(ledger.study["compare"])), labels, tables)


def finite(logits: Logits, folder: Path) -> Logits:
    """The logits as they are; InputError names the trial's folder where some are nan or infinite."""
    if not np.isfinite(logits).all():
        example = int(np.argwhere(~np.isfinite(logits))[0][0])
        raise InputError(
            f"{folder}: its logits of example {example} are nan or infinite; delete the folder, and run the "
            "study again"
        )
    return logits
