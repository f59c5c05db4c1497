"""Power: what the contrasts of a planned study could detect. Free of torch."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from trimtab.analysis.scores import Values, finite
from trimtab.ledger.ledger import Ledger
from trimtab.plan.cost import precision_of
from trimtab.plan.plan import Plan
from trimtab.statistics import score_named
from trimtab.statistics.crossed import Components
from trimtab.statistics.power import assumed_parts, contrast_parts, seeds_needed, smallest_detectable
from trimtab.study.grid import Contrast


@dataclass(frozen=True)
class Detectable:
    """What a declared contrast could show on one test set with a chance of 80 %, in the score's units.

    smallest: the smallest difference with the planned seeds, nan with one; seeds: those that a difference as
    large as the margin needs, None where none up to 1,000 does; measured: the finished seeds whose own
    variances this rests on, 0 where it rests on stated defaults. Those are of accuracy: by another score
    nothing is ``known`` of a contrast before it has two finished seeds.
    """

    test: str
    name: str
    baseline: str
    smallest: float
    seeds: int | None
    measured: int
    known: bool = True


def detectable(plan: Plan, ledger: Ledger) -> list[Detectable]:
    """One for each test set and declared contrast whose inputs differ."""
    same = plan.same_inputs
    tested = [c for c in plan.study.contrasts if same(c.variant) != same(c.baseline)]
    read = [_Read(plan, ledger, test) for test in plan.dataset.tests]
    return [_detectable(plan, one, contrast, len(tested)) for one in read for contrast in tested]


class _Read:
    """What the finished trials of a plan say of one test set."""

    def __init__(self, plan: Plan, ledger: Ledger, test: str) -> None:
        self.plan, self.ledger, self.test, self.runtime = plan, ledger, test, ledger.runtime
        tokens = plan.dataset.splits[test]
        self.labels, self.clusters = np.asarray(tokens.labels), np.asarray(tokens.clusters)
        self.score = score_named(plan.study.compare.score)
        self.read: dict[str, Values] = {}

    def table(self, number: int, seeds: list[int]) -> Values:
        """What the predictions score, (seeds, examples); each trial is read once."""
        for key in (keys := [self._key(number, seed) for seed in seeds]):
            if key not in self.read:
                trial = self.ledger.trial(key)
                logits = finite(trial.predictions(self.test), trial.folder)
                self.read[key] = self.score.function(logits[None], self.labels)[0]
        return np.stack([self.read[key] for key in keys])

    def done(self, *numbers: int) -> list[int]:
        """The seeds that all these variants have finished."""
        return [
            seed
            for seed in self.plan.study.seeds
            if all(self.ledger.trial(self._key(number, seed)).result for number in numbers)
        ]

    def _key(self, number: int, seed: int) -> str:
        return self.plan.key(number, seed, precision_of(self.plan, number, self.runtime))


def _detectable(plan: Plan, read: _Read, contrast: Contrast, tested: int) -> Detectable:
    compare, planned = plan.study.compare, len(plan.study.seeds)
    seeds = read.done(contrast.variant, contrast.baseline)
    measured = len(seeds) if len(seeds) > 1 else 0
    known = measured > 0 or compare.score == "accuracy"
    parts = _measured(read, contrast, seeds) if measured else _assumed(read, planned)
    options: dict[str, Any] = {"contrasts": tested, "alpha": compare.alpha, "paired": contrast.paired}
    return Detectable(
        test=read.test,
        name=plan.study.variants[contrast.variant].name,
        baseline=plan.study.variants[contrast.baseline].name,
        smallest=smallest_detectable(parts, planned, **options) if known else math.nan,
        seeds=seeds_needed(parts, compare.margin, **options) if known else None,
        measured=measured,
        known=known,
    )


def _measured(read: _Read, contrast: Contrast, seeds: list[int]) -> Components:
    first, second = (read.table(number, seeds) for number in (contrast.variant, contrast.baseline))
    return contrast_parts(first, second, read.clusters, contrast.paired)


def _assumed(read: _Read, planned: int) -> Components:
    return assumed_parts(planned, len(read.labels), len(np.unique(read.clusters)))
