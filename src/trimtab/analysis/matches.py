"""Variants of two ledgers matched by their coordinates, and how much faster or smaller one is. Free of "
"torch."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from trimtab.analysis.scores import FinishedVariant, tried_variants
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.ledger.trial_records import TrialResult

SLOWER, LARGER = 0.95, 1.10  # a ratio beyond which speed, or memory, counts as a regression


@dataclass(frozen=True)
class Side:
    """One of the two ledgers: its folder as given, its study, and its variants with a finished trial."""

    folder: str
    ledger: Ledger
    study: StudyRecord
    finished: Sequence[FinishedVariant]

    @property
    def results(self) -> list[TrialResult]:
        """Every finished trial, once."""
        found = {one.variant.trials[seed]: r for one in self.finished for seed, r in one.results.items()}
        return list(found.values())

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that its trials ran on."""
        return tuple(dict.fromkeys(result.machine for result in self.results))


@dataclass(frozen=True)
class Ratio:
    """A ratio of two rates, with its interval over seeds; nan ends with fewer than two seeds on a side."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Match:
    """A variant of the first ledger and the one of the second with the same coordinates.

    same_inputs: whether both read the same tokens in every split; differing: settings that differ, as
    (name, value here, value there). speed: examples/s of training, here over there; memory: peak bytes,
    likewise.
    """

    here: FinishedVariant
    there: FinishedVariant
    same_inputs: bool
    differing: tuple[tuple[str, str, str], ...]
    speed: Ratio
    memory: float

    @property
    def name(self) -> str:
        """The first ledger's name of the variant."""
        return self.here.variant.name


def side_of(ledger: Ledger) -> Side:
    """A ledger as one side; InputError where it holds no results."""
    study = ledger.study
    finished = [one for one in tried_variants(ledger, study) if one.results]
    return Side(str(ledger.folder), ledger, study, finished)


def matches_of(here: Side, there: Side) -> list[Match]:
    """By the values of what varies in either ledger, be it an axis or a fixed setting in the other."""
    axes = _varying(here) | _varying(there)
    known = {_place(one.variant, axes): one for one in there.finished}
    pairs = [(one, known.get(_place(one.variant, axes))) for one in here.finished]
    return [_match(one, other) for one, other in pairs if other is not None]


def _varying(side: Side) -> set[str]:
    values: dict[str, set[str]] = {}
    for variant in side.study.variants:
        for axis, value in variant.coordinates.items():
            values.setdefault(axis, set()).add(json.dumps(value))
    return {axis for axis, found in values.items() if len(found) > 1}


def _place(variant: VariantRecord, axes: set[str]) -> tuple[str, ...]:
    settings = _settings(variant)
    return tuple(json.dumps(settings.get(axis), default=str) for axis in sorted(axes))


def _settings(variant: VariantRecord) -> dict[str, Any]:
    """All that a study can set of a variant, as it was resolved."""
    return {
        **{key: value for key, value in asdict(variant.size).items() if key != "configuration"},
        **variant.settings,
        "vocabulary": variant.vocabulary,
    }


def _match(here: FinishedVariant, there: FinishedVariant) -> Match:
    one, other = _settings(here.variant), _settings(there.variant)
    keys = dict.fromkeys([*one, *other])
    return Match(
        here=here,
        there=there,
        same_inputs=here.variant.inputs == there.variant.inputs,
        differing=tuple(
            (key, str(one.get(key)), str(other.get(key))) for key in keys if one.get(key) != other.get(key)
        ),
        speed=_ratio(*([r.examples_per_second for r in side.results.values()] for side in (here, there))),
        memory=_peak(here.results) / _peak(there.results),
    )


def _peak(results: Mapping[int, TrialResult]) -> int:
    return max(result.peak_bytes for result in results.values())


def _ratio(here: Sequence[float], there: Sequence[float]) -> Ratio:
    """The ratio of geometric means; its interval, at 95 %, is Welch's on logarithms."""
    logs = [np.log(here), np.log(there)]
    delta = float(logs[0].mean() - logs[1].mean())
    low = high = math.nan
    if min(map(len, logs)) > 1:
        varies = any(np.ptp(each) > 0 for each in logs)
        welch = stats.ttest_ind(*logs, equal_var=False).confidence_interval(0.95) if varies else None
        low, high = (delta, delta) if welch is None else (float(welch.low), float(welch.high))
    return Ratio(math.exp(delta), math.exp(low), math.exp(high))
