"""The planned looks of a study: which contrasts stop at which, why, and which trials are run. Free of torch.

All of it follows from the trials in the ledger, so that a run, one that is killed and resumed, and a report
come to the same decisions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from trimtab.analysis.comparison import Compared, Comparison
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.statistics import Looks, contrast_parts
from trimtab.statistics.futility import chance_at_last
from trimtab.statistics.stopping import Course, Evidence, Family
from trimtab.study.grid import DeclaredContrast

Place = tuple[int, DeclaredContrast]  # of a contrast: the number of its test set, and the contrast


@dataclass(frozen=True)
class LooksTaken:
    """What the looks at a study have come to so far.

    planned: numbers of seeds; taken: how many looks, those whose trials have all ended; courses: of every
    declared contrast whose inputs differ, by test set; seeds: by a variant's number, of how many of the
    study's seeds its trials are to be run before the next look; stopped: by key, the look, from 1, at which
    it was decided that a trial is not to be run.
    """

    planned: tuple[int, ...]
    taken: int
    courses: Mapping[Place, Course]
    seeds: Mapping[int, int]
    stopped: Mapping[str, int]

    @property
    def is_over(self) -> bool:
        """Whether every contrast has stopped."""
        return all(course.reason for course in self.courses.values())

    def wanted(self, study: StudyRecord) -> set[str]:
        """The keys of the trials that are to be run before the next look."""
        return _keys(study, self.seeds)


def take_looks(ledger: Ledger, study: StudyRecord, comparisons: Sequence[Comparison]) -> LooksTaken:
    """Take every look for which the ledger has all trials; comparisons: of each test set, none without trial.

    A trial that failed has ended: its contrasts are decided on the seeds that both variants have. One with a
    seed that diverged can have no verdict, and stops.
    """
    planned, seeds = study.compare.looks, study.seeds
    ended = {key for key in study.wanted if (trial := ledger.trial(key)).result or trial.failure is not None}
    places = [
        (number, one) for number in range(len(study.tests)) for one in study.contrasts if _differs(study, one)
    ]
    family = Family(len(places), len(planned), study.compare.alpha)
    variants = range(len(study.variants))
    due, taken = dict.fromkeys(variants, planned[0]), 0
    while taken < len(planned) and _keys(study, due) <= ended:
        size = planned[taken]
        lost = {
            one.number
            for one in study.variants
            if any(ledger.trial(one.trials[seed]).diverged for seed in seeds[: min(size, due[one.number])])
        }
        family.look(_evidence(comparisons, taken + 1, places, family.active, lost))
        taken += 1
        if not family.active:
            break
        if taken < len(planned):
            for number in _numbers(places[one][1] for one in family.active):
                due[number] = planned[taken]
    going_on = _numbers(places[one][1] for one in family.active)
    whole = {number: planned[-1] if number in going_on else due[number] for number in variants}
    return LooksTaken(
        planned,
        taken,
        dict(zip(places, family.courses, strict=True)),
        due,
        _stopped(study, whole),
    )


def _differs(study: StudyRecord, contrast: DeclaredContrast) -> bool:
    return study.variants[contrast.variant].trials != study.variants[contrast.baseline].trials


def _numbers(contrasts: Iterable[DeclaredContrast]) -> set[int]:
    return {number for one in contrasts for number in (one.variant, one.baseline)}


def _keys(study: StudyRecord, seeds: Mapping[int, int]) -> set[str]:
    """The trials of so many seeds of each variant; those that variants share are of the one with the most."""
    return {
        variant.trials[seed] for variant in study.variants for seed in study.seeds[: seeds[variant.number]]
    }


def _stopped(study: StudyRecord, whole: Mapping[int, int]) -> dict[str, int]:
    wanted = _keys(study, whole)
    return {
        key: max(study.compare.looks.index(whole[variant.number]) + 1 for variant, _ in places)
        for key, places in study.wanted.items()
        if key not in wanted
    }


def _evidence(
    comparisons: Sequence[Comparison],
    look: int,
    places: Sequence[Place],
    active: Sequence[int],
    lost: set[int],
) -> dict[int, Evidence]:
    """What the look says of each active contrast; nothing where its variants share no finished seed."""
    found = {
        number: Evidence(
            withheld=not lost.isdisjoint((places[number][1].variant, places[number][1].baseline))
        )
        for number in active
    }
    for place, whole in enumerate(comparisons):
        comparison = whole.at(look)
        own = [number for number in active if places[number][0] == place]
        pair = {(places[n][1].variant, places[n][1].baseline): n for n in own}
        for one in comparison.of([places[n][1] for n in own]):
            number = pair[one.variant.number, one.baseline.number]
            found[number] = Evidence(
                one.contrast.p,
                one.contrast.p_equivalence,
                partial(_chance, comparison, one),
                one.contrast.delta,
                found[number].withheld,
            )
    return found


def _chance(comparison: Comparison, compared: Compared, level: float) -> float:
    """The chance that the last look shows a difference at ``level``; nan where too little is known."""
    looks, planned = compared.contrast.looks, comparison.study.compare.looks
    if looks is None or not looks.begun or not compared.contrast.se > 0:
        return np.nan
    first, second = (comparison.scores.on(v, compared.seeds) for v in (compared.variant, compared.baseline))
    paired = compared.contrast.paired
    parts = contrast_parts(first, second, comparison.clusters, paired)
    ahead = tuple(size for size in planned if size > looks.sizes[-1])
    nominal = Looks((*looks.sizes, *ahead), planned[-1]).nominal(level)
    spreads = [side.mean(axis=1, dtype=np.float64).var(ddof=1) for side in (first, second)]
    return float(chance_at_last(parts, planned[-1], nominal, None if paired else (spreads[0], spreads[1])))
