"""The scores of a test set, by variant and seed, from the logits of a ledger. Free of torch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.ledger.files import damaged
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.ledger.trial import PREDICTIONS, Trial
from trimtab.ledger.trial_records import TrialResult
from trimtab.statistics import Score, Truth
from trimtab.study.compared import ComparedVariant

Bools = NDArray[np.bool_]
Logits = NDArray[np.floating[Any]]
_AT_ONCE = 1 << 18  # logits, which a processor's cache holds as float64
Values = NDArray[Any]  # bool for accuracy, else float64


@dataclass(frozen=True)
class FinishedVariant:
    """What a variant's finished trials came to, by seed, in the study's order."""

    variant: VariantRecord
    results: Mapping[int, TrialResult]


def tried_variants(ledger: Ledger, study: StudyRecord) -> list[FinishedVariant]:
    """Every variant of the study with what its trials came to, also those that have finished none."""
    return [FinishedVariant(variant, ledger.results(variant)) for variant in study.variants]


@dataclass(frozen=True)
class ScoredLogits:
    """Logits (examples, classes) on one test set, by a variant's number and then by seed, and their scores.

    variants: those with a finished trial; truth: what they are judged against, whose units are scored: the
    examples, or queries. Of scores that were given, logits hold
    these themselves, as the one class (see ``statistics.scores.GIVEN``). Pseudo-values belong to a whole set
    of examples, so those of a part of it are computed from its logits, never sliced.
    """

    score: Score
    truth: Truth
    variants: Sequence[ComparedVariant]
    logits: Mapping[int, Mapping[int, Logits]]

    def seeds(self, *variants: ComparedVariant) -> list[int]:
        """The seeds that all these variants have finished, in the study's order."""
        first, *rest = (self.logits[variant.number] for variant in variants)
        return [seed for seed in first if all(seed in other for other in rest)]

    def on(
        self, variant: ComparedVariant, seeds: Sequence[int] | None = None, where: Bools | None = None
    ) -> Values:
        """A variant's scores (seeds, units), on all its own seeds or on those given.

        where: (units,), the part of the test set that is scored, as if it were all; by default all.
        """
        table = self.logits[variant.number]
        chosen = [table[seed] for seed in (table if seeds is None else seeds)]
        if where is None or self.score.is_mean:  # then a part's scores are those of the whole
            whole = np.stack([self._whole[id(logits)] for logits in chosen])
            return whole if where is None else whole[:, where]
        # Of such scores the units are the examples.
        return self.score.of(np.stack(chosen)[:, where], Truth(self.truth.labels[where]))

    def of(self, logits: Logits) -> Values:
        """The scores (seeds, units) of other logits (seeds, examples, classes) on the same examples."""
        return self.score.of(logits, self.truth)

    def by(self, score: Score) -> "ScoredLogits":
        """The same predictions by another score; one object for each, as scoring all of them takes long."""
        return self if score is self.score else self._others.setdefault(id(score), replace(self, score=score))

    @property
    def distinct(self) -> list[ComparedVariant]:
        """The variants of which no two have the same trials."""
        return [variant for variant in self.variants if variant.is_first]

    @cached_property
    def _others(self) -> dict[int, "ScoredLogits"]:
        return {}

    @cached_property
    def _whole(self) -> dict[int, Values]:
        """The scores (units,) of each trial on all examples; those that variants share are one object."""
        trials = {id(logits): logits for table in self.logits.values() for logits in table.values()}
        by_shape: dict[tuple[int, ...], list[Logits]] = {}
        for logits in trials.values():
            by_shape.setdefault(logits.shape, []).append(logits)
        return {
            id(logits): values
            for some in by_shape.values()
            for part in _parts(some)
            for logits, values in zip(part, self.of(np.stack(part)), strict=True)
        }


def _parts(trials: Sequence[Logits]) -> Iterator[Sequence[Logits]]:
    """Trials that are scored at once: not one by one, of thousands, nor all, for the memory."""
    at_once = max(1, _AT_ONCE // trials[0].size)
    return (trials[start : start + at_once] for start in range(0, len(trials), at_once))


def read_scores(
    ledger: Ledger, test: str, finished: Sequence[FinishedVariant], score: Score, truth: Truth
) -> ScoredLogits:
    """The scores of all finished trials on a test set; a trial that variants share is read once."""
    read: dict[str, Logits] = {}
    tables: dict[int, dict[int, Logits]] = {}
    for one in finished:
        for seed in one.results:
            key = one.variant.trials[seed]
            if key not in read:
                read[key] = _checked(ledger.trial(key), test, truth, score, next(iter(read.values()), None))
            tables.setdefault(one.variant.number, {})[seed] = read[key]
    return ScoredLogits(score, truth, [one.variant for one in finished], tables)


def _checked(trial: Trial, test: str, truth: Truth, score: Score, other: Logits | None) -> Logits:
    """A trial's logits on a test set; InputError where they are not of its rows and the study's classes."""
    logits = trial.predictions(test)
    classes, labels = logits.shape[1], truth.labels
    if len(logits) != len(labels) or (other is not None and classes != other.shape[1]):
        why = f"its logits on {test} have shape {logits.shape}, and there are {len(labels)} rows"
        raise damaged(trial.folder / PREDICTIONS, why)
    if score.target != "classes" and classes != 1:
        raise damaged(trial.folder / PREDICTIONS, f"it holds {classes} outputs on {test} where there is one")
    if score.target == "classes" and classes <= int(labels.max()):
        raise damaged(trial.folder / PREDICTIONS, f"its logits on {test} are of {classes} classes alone")
    return logits
