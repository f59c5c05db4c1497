"""Which contrasts of a family stop at a planned look, and why: from sequential p-values alone.

Source: Holm over sequential p-values, as in Ye, Li, Liu and Yao, Statistics in Medicine 32 (2013); stopping
for futility is non-binding: nothing is gained or lost in level where it is ignored.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trimtab.statistics.futility import HOPELESS
from trimtab.statistics.multiplicity import holm

Reason = Literal["different", "equivalent", "open", "withheld", "last look"]


@dataclass(frozen=True)
class Evidence:
    """What a look says of one contrast: its sequential p of a difference and of equivalence, unadjusted.

    chance: by the level at which a difference has to be shown, the chance that the last look will show it,
    nan where nothing is known; delta: the difference, nan where there is none; withheld: whether no verdict
    can be given on it, whatever else comes.
    """

    p: float = math.nan
    p_equivalence: float = math.nan
    chance: Callable[[float], float] = lambda level: math.nan
    delta: float = math.nan
    withheld: bool = False


@dataclass(frozen=True)
class Course:
    """A contrast over the looks.

    look: the one that its numbers are of, from 1, 0 before the first; of: how many are planned; reason: why
    it stopped there, None where it goes on; delta: the difference there; p, p_equivalence: Holm's adjusted
    sequential p.
    """

    look: int
    of: int
    reason: Reason | None
    delta: float
    p: float
    p_equivalence: float

    @property
    def is_exaggerated(self) -> bool:
        """Whether it stopped early because the difference was large, which it is likely to overstate."""
        return self.reason == "different" and self.look < self.of


class Family:
    """The declared contrasts of a study, numbered from 0, over its planned looks.

    alpha: of all contrasts and looks together; taken: how many looks there were.
    """

    def __init__(self, contrasts: int, looks: int, alpha: float) -> None:
        self.looks, self.alpha, self.taken = looks, alpha, 0
        self._stopped: dict[int, tuple[int, Reason]] = {}
        self._delta = np.full(contrasts, math.nan)
        # A contrast on which nothing is known yet has a p of 1, and counts.
        self._p = np.ones(contrasts)
        self._p_equivalence = np.ones(contrasts)

    @property
    def active(self) -> list[int]:
        """The contrasts that have not stopped."""
        return [number for number in range(len(self._p)) if number not in self._stopped]

    @property
    def courses(self) -> list[Course]:
        """Of every contrast, adjusted over all of them, those that have stopped too."""
        adjusted = zip(holm(self._p).tolist(), holm(self._p_equivalence).tolist(), strict=True)
        going_on = self.taken, None
        found = []
        for number, p in enumerate(adjusted):
            look, reason = self._stopped.get(number, going_on)
            found.append(Course(look, self.looks, reason, float(self._delta[number]), *p))
        return found

    def look(self, evidence: Mapping[int, Evidence]) -> None:
        """Take the next look; evidence: of active contrasts, those without any keep their p."""
        self.taken += 1
        for contrast, found in evidence.items():
            self._delta[contrast] = found.delta
            # A p never grows: what an earlier look has shown stays shown.
            self._p[contrast] = np.fmin(self._p[contrast], found.p)
            self._p_equivalence[contrast] = np.fmin(self._p_equivalence[contrast], found.p_equivalence)
        different, equivalent = (
            adjusted < self.alpha for adjusted in (holm(self._p), holm(self._p_equivalence))
        )
        level = self.alpha / max(1, int((~different).sum()))
        for contrast, (at, before) in self._stopped.items():
            if before == "open" and (different[contrast] or equivalent[contrast]):
                # Others were rejected since, so that Holm asks less of it.
                self._stopped[contrast] = at, "different" if different[contrast] else "equivalent"
        for contrast in self.active:
            found = evidence.get(contrast, Evidence())
            reason: Reason | None = None
            if found.withheld:
                reason = "withheld"
            elif different[contrast]:
                reason = "different"
            elif equivalent[contrast]:
                reason = "equivalent"
            elif self.taken == self.looks:
                reason = "last look"
            elif self.taken > 1 and found.chance(level) < HOPELESS:
                reason = "open"
            if reason is not None:
                self._stopped[contrast] = self.taken, reason
