"""Power: what the contrasts of a planned study could detect. Free of torch."""

import math
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.soundness import faults_of
from trimtab.plan.identity import trial_config
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.statistics import score_named
from trimtab.statistics.crossed import Components
from trimtab.statistics.power import assumed_parts, contrast_parts, seeds_needed, smallest_detectable
from trimtab.study.grid import DeclaredContrast


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
    finished = [_Finished(plan, ledger, test) for test in plan.dataset.tests]
    return [_detectable(plan, one, contrast) for one in finished for contrast in plan.tested]


class _Finished:
    """The scores of a plan's finished trials on one test set."""

    def __init__(self, plan: Plan, ledger: Ledger, test: str) -> None:
        self.plan, self.ledger, self.test, self.runtime = plan, ledger, test, ledger.runtime
        tokens = plan.dataset.splits[test]
        self.labels, self.clusters = np.asarray(tokens.labels), np.asarray(tokens.clusters)
        self.score = score_named(plan.study.compare.score)
        self.scores: dict[str, NDArray] = {}
        self.usable: dict[str, bool] = {}

    def table(self, variant: PlannedVariant, seeds: list[int]) -> NDArray:
        """Scores (seeds, examples); the predictions of each trial are read once."""
        for key in (keys := [self._key(variant, seed) for seed in seeds]):
            if key not in self.scores:
                logits = self.ledger.trial(key).predictions(self.test)
                self.scores[key] = self.score.function(logits[None], self.labels)[0]
        return np.stack([self.scores[key] for key in keys])

    def seeds(self, *variants: PlannedVariant) -> list[int]:
        """The seeds that all these variants have finished."""
        return [
            seed
            for seed in self.plan.study.seeds
            if all(self._is_usable(self._key(variant, seed)) for variant in variants)
        ]

    def _is_usable(self, key: str) -> bool:
        """Whether the trial is finished; what is damaged is not."""
        if key not in self.usable:
            trial = self.ledger.trial(key)
            self.usable[key] = trial.is_complete and not faults_of(trial)
        return self.usable[key]

    def _key(self, variant: PlannedVariant, seed: int) -> str:
        return trial_config(variant, seed, self.runtime).key


class _Options(TypedDict):
    contrasts: int
    alpha: float
    paired: bool


def _detectable(plan: Plan, finished: _Finished, contrast: DeclaredContrast) -> Detectable:
    compare, planned = plan.study.compare, len(plan.study.seeds)
    variant, baseline = plan.variants[contrast.variant], plan.variants[contrast.baseline]
    seeds = finished.seeds(variant, baseline)
    measured = len(seeds) if len(seeds) > 1 else 0
    known = measured > 0 or compare.score == "accuracy"
    if measured:
        tables = finished.table(variant, seeds), finished.table(baseline, seeds)
        parts = contrast_parts(*tables, finished.clusters, contrast.paired)
    else:
        parts = _assumed(finished, planned)
    # As the analysis adjusts: all contrasts and test sets are one family.
    family = len(plan.tested) * len(plan.dataset.tests)
    options = _Options(contrasts=family, alpha=compare.alpha, paired=contrast.paired)
    return Detectable(
        test=finished.test,
        name=variant.name,
        baseline=baseline.name,
        smallest=smallest_detectable(parts, planned, **options) if known else math.nan,
        seeds=seeds_needed(parts, compare.margin, **options) if known else None,
        measured=measured,
        known=known,
    )


def _assumed(finished: _Finished, planned: int) -> Components:
    return assumed_parts(planned, len(finished.labels), len(np.unique(finished.clusters)))
