"""Power: what the contrasts of a planned study could detect. Free of torch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.ledger.ledger import Ledger
from trimtab.ledger.soundness import faults_of
from trimtab.plan.identity import trial_config
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.statistics import (
    Components,
    SeedVariance,
    Truth,
    assumed_parts,
    contrast_parts,
    effective_clusters,
    score_named,
    seed_variances,
    smallest_detectable,
    smallest_margin,
)
from trimtab.study.grid import DeclaredContrast

# Numbers of seeds of which a plan tells what they could show, beside the planned one.
_SEEDS = (3, 5, 8, 12, 20)


@dataclass(frozen=True)
class Reach:
    """What so many seeds could show with a chance of 80 %, in the score's units; nan with one seed.

    difference: the smallest that is called better or worse; margin: the smallest within which two equal
    variants are called equivalent.
    """

    difference: float
    margin: float


@dataclass(frozen=True)
class Detectable:
    """What a declared contrast could show on one test set, by its number of seeds.

    planned: the study's seeds, one of ``by_seeds``; measured: the finished seeds whose own variances this
    rests on, 0 where it rests on stated defaults. Those are of accuracy: by another score nothing is known of
    a contrast before it has two finished seeds, and ``by_seeds`` is empty.
    """

    test: str
    name: str
    baseline: str
    planned: int
    by_seeds: dict[int, Reach]
    measured: int

    @property
    def known(self) -> bool:
        """Whether anything is known of what it could show."""
        return bool(self.by_seeds)

    @property
    def reach(self) -> Reach:
        """What the planned seeds could show."""
        return self.by_seeds.get(self.planned, Reach(math.nan, math.nan))


def detectable(plan: Plan, ledger: Ledger) -> list[Detectable]:
    """One for each test set and declared contrast whose inputs differ."""
    trials = _Trials(plan, ledger)
    finished = [_Finished(plan, trials, test) for test in plan.dataset.tests]
    return [found for one in finished for found in _of_test_set(plan, one)]


class _Trials:
    """The trials of a plan in a ledger, each looked at once for all test sets."""

    def __init__(self, plan: Plan, ledger: Ledger) -> None:
        self.plan, self.ledger, self.runtime = plan, ledger, ledger.runtime
        self._usable: dict[str, bool] = {}
        self._keys: dict[tuple[int, int], str] = {}  # by number of a variant and seed

    def seeds(self, *variants: PlannedVariant) -> list[int]:
        """The seeds that all these variants have finished."""
        return [
            seed
            for seed in self.plan.study.seeds
            if all(self._is_usable(self.key(variant, seed)) for variant in variants)
        ]

    def key(self, variant: PlannedVariant, seed: int) -> str:
        """The trial's."""
        place = variant.number, seed
        if place not in self._keys:
            self._keys[place] = trial_config(variant, seed, self.runtime).key
        return self._keys[place]

    def _is_usable(self, key: str) -> bool:
        """Whether the trial is finished; what is damaged is not."""
        if key not in self._usable:
            trial = self.ledger.trial(key)
            self._usable[key] = trial.is_complete and not faults_of(trial)
        return self._usable[key]


class _Finished:
    """The scores of a plan's finished trials on one test set."""

    def __init__(self, plan: Plan, trials: _Trials, test: str) -> None:
        self.trials, self.test = trials, test
        tokens = plan.dataset.splits[test]
        queries = None if tokens.queries is None else np.asarray(tokens.queries)
        self.truth = Truth(np.asarray(tokens.labels), queries)
        self.clusters = self.truth.first_of(np.asarray(tokens.clusters))
        self.score = score_named(plan.study.compare.score)
        self.effective_clusters = effective_clusters(self.clusters) if self.score.bounded else math.nan
        # As the analysis adjusts: all contrasts and test sets are one family.
        self.family = len(plan.tested) * len(plan.dataset.tests)
        self.scores: dict[str, NDArray] = {}

    def table(self, variant: PlannedVariant, seeds: list[int]) -> NDArray:
        """Scores (seeds, units); the predictions of each trial are read once."""
        for key in (keys := [self.trials.key(variant, seed) for seed in seeds]):
            if key not in self.scores:
                logits = self.trials.ledger.trial(key).predictions(self.test)
                self.scores[key] = self.score.of(logits[None], self.truth)[0]
        return np.stack([self.scores[key] for key in keys])


def _of_test_set(plan: Plan, finished: _Finished) -> list[Detectable]:
    """Every contrast of a test set; those without trials are alike where they are paired alike."""
    parts = [_measured(plan, finished, contrast) for contrast in plan.tested]
    own = [one for one in parts if one is not None]
    known = iter(seed_variances(own))
    alike: dict[bool, dict[int, Reach]] = {}
    answers = []
    for contrast, one in zip(plan.tested, parts, strict=True):
        if one is not None:
            by_seeds = _reaches(plan, finished, contrast.paired, one, next(known))
        elif plan.study.compare.score != "accuracy":
            by_seeds = {}
        elif contrast.paired in alike:
            by_seeds = alike[contrast.paired]
        else:
            by_seeds = _reaches(plan, finished, contrast.paired, _assumed(finished), None)
            alike[contrast.paired] = by_seeds
        answers.append(
            Detectable(
                test=finished.test,
                name=plan.variants[contrast.variant].name,
                baseline=plan.variants[contrast.baseline].name,
                planned=len(plan.study.seeds),
                by_seeds=by_seeds,
                measured=0 if one is None else int(one.n_seeds),
            )
        )
    return answers


def _measured(plan: Plan, finished: _Finished, contrast: DeclaredContrast) -> Components | None:
    """The parts of variance of a contrast's finished trials, None with fewer than two seeds."""
    variant, baseline = plan.variants[contrast.variant], plan.variants[contrast.baseline]
    seeds = finished.trials.seeds(variant, baseline)
    if len(seeds) < 2:
        return None
    tables = finished.table(variant, seeds), finished.table(baseline, seeds)
    return contrast_parts(*tables, finished.clusters, contrast.paired)


def _assumed(finished: _Finished) -> Components:
    return assumed_parts(1, len(finished.truth), len(np.unique(finished.clusters)))


def _reaches(
    plan: Plan, finished: _Finished, paired: bool, parts: Components, known: SeedVariance | None
) -> dict[int, Reach]:
    family, alpha = finished.family, plan.study.compare.alpha
    effective = finished.effective_clusters

    def reach(seeds: int) -> Reach:
        return Reach(
            smallest_detectable(parts, seeds, family, alpha, paired=paired, known=known),
            smallest_margin(
                parts, seeds, family, alpha, paired=paired, known=known, effective_clusters=effective
            ),
        )

    return {seeds: reach(seeds) for seeds in sorted({*_SEEDS, len(plan.study.seeds)})}
