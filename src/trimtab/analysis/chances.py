"""What more seeds would bring the open contrasts of a study: their chances of being settled."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.analysis.comparison import Compared, Comparison
from trimtab.statistics import FinishedContrast, chances_to_settle, floor_of_examples
from trimtab.study.compare_section import Compare

ENOUGH = 0.8  # the chance from which on a number of seeds is named
_SEEDS = (3, 5, 8, 12, 20, 30, 50)


@dataclass(frozen=True)
class Chances:
    """An open contrast's chance of being settled: better, worse or equivalent, after the correction.

    by: numbers of seeds in all, more than are finished, each with its chance; empty where nothing is known of
    chance, as with one seed. floor: the smallest true difference, in the score's units, that the examples of
    the test set can show with 80 % power, however many seeds.
    """

    by: tuple[tuple[int, float], ...]
    floor: float

    @property
    def enough(self) -> int | None:
        """The fewest of these seeds with a chance of 80 %, None where none of them has."""
        return next((seeds for seeds, chance in self.by if chance >= ENOUGH), None)

    def at(self, seeds: int) -> float:
        """The chance by so many seeds, nan where it was not asked for."""
        return dict(self.by).get(seeds, math.nan)


def chances_of(every: Sequence[tuple[Comparison, Compared]], tested: int) -> list[Chances | None]:
    """The chances of those contrasts that are open, None for the others, in the order of ``every``.

    A contrast whose verdict is withheld lacks no seeds, so it has none. tested: over how many p is adjusted.
    """
    undecided = [
        c.contrast.verdict == "inconclusive" and comparison.is_stable(c.variant, c.baseline)
        for comparison, c in every
    ]
    if not any(undecided):
        return [None] * len(every)
    different = [place for place, (_, c) in enumerate(every) if c.contrast.verdict != "identical"]
    family = [every[place][0].finished(every[place][1]) for place in different]
    settings = every[0][0].study.compare
    found = _of_family(family, [undecided[place] for place in different], settings, tested)
    by_place = dict(zip(different, found, strict=True))
    return [by_place.get(place) for place in range(len(every))]


def _of_family(
    family: Sequence[FinishedContrast], undecided: Sequence[bool], settings: Compare, tested: int
) -> list[Chances | None]:
    """The chances of those contrasts of a family that are open, None for the others, in their order.

    tested: over how many p is adjusted.
    """
    if not any(undecided):
        return [None] * len(family)
    finished = [int(one.parts.n_seeds) for one in family]
    seeds = sorted({more for number in finished for more in _more(number)})
    found = chances_to_settle(family, seeds, settings.margin, settings.alpha, settings.correction)
    return [
        Chances(
            tuple(
                (number, float(chance))
                for number, chance in zip(seeds, found[k], strict=True)
                if number in _more(finished[k]) and not math.isnan(chance)
            ),
            floor_of_examples(one.parts, max(tested, 1), settings.alpha),
        )
        if undecided[k]
        else None
        for k, one in enumerate(family)
    ]


def asked(every: Sequence[tuple[int, Chances]]) -> int | None:
    """The seeds by which the chances of several open contrasts are told: about twice as many as are finished.

    every: of each, the finished seeds and its chances; None where none has any.
    """
    known = [(number, chances) for number, chances in every if chances.by]
    if not known:
        return None
    twice = 2 * max(number for number, _ in known)
    seeds = [number for number, _ in max(known, key=lambda one: one[0])[1].by]
    return next((number for number in seeds if number >= twice), seeds[-1])


def _more(finished: int) -> tuple[int, ...]:
    return tuple(seeds for seeds in _SEEDS if seeds > finished) or (2 * finished,)
