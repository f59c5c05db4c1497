"""Planned looks: p-values and levels of a contrast that is analysed at several numbers of seeds.

A test at the plain level after 3, 5, 8 and 12 seeds has four chances to err. Here look j has a nominal level
N_j, such that all looks together err with probability a: a * t^1.5 of it is spent by the look at the share
t = seeds / last of the planned seeds. With Z_j the statistics of the looks, standard normal with
Corr(Z_i, Z_j) = sqrt(t_i / t_j), c_j solves

    P(|Z_j| > c_j, no earlier |Z_i| > c_i) = a * (t_j^1.5 - t_{j-1}^1.5),    N_j(a) = 2 Phi(-c_j).

The looks share their examples, so the true correlation is higher and this errs to the safe side. One-sided
p-values may be taken likewise, as N_j(a) / a grows with a.

Source: Lan and DeMets, Biometrika 70 (1983), with the recursion of Armitage, McPherson and Rowe, JRSS A 132
(1969); the sequential p is the smallest level at which some look so far rejects, as in Proschan, Lan and
Wittes, Statistical Monitoring of Clinical Trials (2006).
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from trimtab.config import InputError

Floats = NDArray[np.float64]

POWER = 1.5  # of the spending function
_GRID: Floats = np.geomspace(1e-6, 0.5, 64)  # levels at which N_j is computed; between them log-log
# Points and weights by which a density between two bounds is integrated: enough for 99 seeds of 100.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(128)
_HALVINGS, _FAR = 48, 40.0  # of a search for a bound, which is never farther


@dataclass(frozen=True)
class Looks:
    """The looks at a contrast so far: ``sizes``, rising numbers of seeds; ``last``: the most that is planned.

    A planned look whose seeds were not all there has the number that was. begun: whether a planned look has
    been reached; before that nothing is shown, and every p is 1. Raises InputError where numbers do not rise.
    """

    sizes: tuple[int, ...]
    last: int
    begun: bool = True

    def __post_init__(self) -> None:
        steps = (0, *self.sizes, self.last + 1)
        if not self.sizes or any(b <= a for a, b in pairwise(steps)):
            raise InputError(
                f"looks {self.sizes} of {self.last}: give rising numbers of seeds up to the last one"
            )

    def nominal(self, level: ArrayLike) -> Floats:
        """The level at which the latest look tests, where all looks together have ``level``."""
        grid, nominal = _GRID, _after(self.sizes, self.last).nominal
        level = np.asarray(level, dtype=np.float64)
        # Beyond the grid: in proportion below, and never more than at its end.
        inside = np.exp(np.interp(np.log(np.clip(level, grid[0], grid[-1])), np.log(grid), np.log(nominal)))
        return np.asarray(inside * np.minimum(1.0, level / grid[0]))

    def adjusted(self, p: ArrayLike) -> Floats:
        """The smallest level of all looks at which the latest one rejects by ``p``; nan where that is nan.

        From 1e-6 on; 1 where it would be over 0.5, and before the first look.
        """
        grid, nominal = _GRID, _after(self.sizes, self.last).nominal
        p = np.asarray(p, dtype=np.float64)
        with np.errstate(divide="ignore"):
            found = np.exp(np.interp(np.log(p), np.log(nominal), np.log(grid)))
        return np.asarray(np.where((p > nominal[-1]) | ~np.isnan(p) & (not self.begun), 1.0, found))


def nominal_levels(sizes: tuple[int, ...], last: int, levels: ArrayLike) -> Floats:
    """N_j: (looks, levels), from the recursion itself; sizes, last: as ``Looks`` has them."""
    alpha = np.atleast_1d(np.asarray(levels, dtype=np.float64))[:, None]
    states = [_first(sizes[0] / last, alpha)]
    for before, now in pairwise(sizes):
        states.append(_next(states[-1], before / last, now / last, alpha))
    return np.stack([state.nominal for state in states])


class _State(NamedTuple):
    """After a look: the bound of each level, (levels, 1), and the density of Z between the bounds at
    ``_POINTS``, (levels, points), of studies that have crossed none so far."""

    bound: Floats
    density: Floats

    @property
    def nominal(self) -> Floats:
        """(levels,)."""
        return np.asarray(2 * ndtr(-self.bound[:, 0]))


def _first(share: float, alpha: Floats) -> _State:
    bound = -ndtri(alpha * share**POWER / 2)
    return _State(bound, _normal(bound * _POINTS))


def _next(state: _State, before: float, now: float, alpha: Floats) -> _State:
    """The look at the share ``now``, after one at ``before``."""
    scale, apart = np.sqrt(now), np.sqrt(now - before)
    mass = state.density * state.bound * _WEIGHTS
    behind = state.bound * _POINTS * np.sqrt(before)
    bound = _bound(mass, behind, scale, apart, alpha * (now**POWER - before**POWER))
    steps = ((bound * _POINTS)[:, :, None] * scale - behind[:, None, :]) / apart
    return _State(bound, np.einsum("lnk,lk->ln", _normal(steps), mass) * scale / apart)


def _normal(z: Floats) -> Floats:
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def _bound(mass: Floats, behind: Floats, scale: float, apart: float, spend: Floats) -> Floats:
    """c of each level, (levels, 1), beyond which lies ``spend``; both tails are alike."""
    low, high = np.zeros_like(spend), np.full_like(spend, _FAR)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = 2 * (mass * ndtr((behind - middle * scale) / apart)).sum(axis=1, keepdims=True)
        low, high = np.where(beyond > spend, middle, low), np.where(beyond > spend, high, middle)
    return np.asarray((low + high) / 2)


@lru_cache(maxsize=128)
def _after(sizes: tuple[int, ...], last: int) -> _State:
    """The state after these looks at the levels of the grid."""
    if len(sizes) == 1:
        return _first(sizes[0] / last, _GRID[:, None])
    return _next(_after(sizes[:-1], last), sizes[-2] / last, sizes[-1] / last, _GRID[:, None])
