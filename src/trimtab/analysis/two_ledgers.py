"""Two ledgers side by side: variants matched by their coordinates, differences of score, speed and memory.

Free of torch, and of the data: what is compared is what the ledgers hold.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from trimtab.analysis.scores import FinishedVariant, ScoredLogits, read_scores
from trimtab.config import InputError
from trimtab.ledger.ledger import EvaluatedRows, Ledger
from trimtab.ledger.records import StudyRecord, TrialResult, VariantRecord
from trimtab.statistics import Contrast, compare, mean_interval, one_family, score_named, tost
from trimtab.study.grid import are_paired

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


@dataclass(frozen=True)
class ScoreRow:
    """A matched variant on one test set: means, and here minus there, adjusted over all test sets."""

    match: Match
    mean_here: float
    mean_there: float
    seeds: tuple[int, int]
    contrast: Contrast


@dataclass(frozen=True)
class SetComparison:
    """A test set that both ledgers have. refusal: why its scores are not compared; then there are no rows.

    same_rows: whether both evaluated the same examples, which then pair; else each has its own.
    """

    name: str
    score: str
    same_rows: bool
    rows: Sequence[ScoreRow]
    refusal: str | None = None


@dataclass(frozen=True)
class LedgerComparison:
    """Everything that is said of two ledgers; ``only``: names of variants that one of them alone has."""

    here: Side
    there: Side
    matches: Sequence[Match]
    only: tuple[Sequence[str], Sequence[str]]
    tests: Sequence[SetComparison]

    @property
    def same_machine(self) -> bool:
        """Whether one kind of machine, with as many threads, ran all trials, so that speeds compare."""
        threads = {result.threads for side in (self.here, self.there) for result in side.results}
        return len({*self.here.machines, *self.there.machines}) == 1 and len(threads) == 1


def compare_ledgers(here: Ledger, there: Ledger) -> LedgerComparison:
    """Compare what two ledgers hold; score, margin and level are those of the first one's study.

    InputError where a ledger holds no results, or no variant has the same coordinates in both.
    """
    one, other = sides = _side(here), _side(there)
    matches = _matches(one, other)
    if not matches:
        raise InputError(
            f"{here.folder} and {there.folder}: no finished variant has the same coordinates in both; "
            "compare two runs of one study, or studies with a variant in common"
        )
    matched = {side: {getattr(m, side).variant.number for m in matches} for side in ("here", "there")}
    only = tuple(
        [one.variant.name for one in side.finished if one.variant.number not in matched[name]]
        for name, side in zip(("here", "there"), sides, strict=True)
    )
    common = [name for name in one.study.tests if name in other.study.tests]
    tests = _one_family([_test_set(name, one, other, matches) for name in common], one.study)
    return LedgerComparison(one, other, matches, (only[0], only[1]), tests)


def _side(ledger: Ledger) -> Side:
    study = ledger.study
    every = [FinishedVariant(variant, ledger.results(variant)) for variant in study.variants]
    return Side(str(ledger.folder), ledger, study, [one for one in every if one.results])


# Which variants are the same.


def _matches(here: Side, there: Side) -> list[Match]:
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
        **asdict(variant.recipe),
        "size": str(variant.size),
        "weights": variant.weights.name if variant.weights else "none",
        "replica": variant.replica,
        "tokenizer": variant.tokenizer,
        "vocabulary": variant.vocabulary,
        "truncation": variant.truncation,
        "max_len": variant.max_len,
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
    se, df = math.nan, math.nan
    if min(len(each) for each in logs) > 1:
        variances = [each.var(ddof=1) / len(each) for each in logs]
        se = math.sqrt(sum(variances))
        df = _satterthwaite(variances, [len(each) - 1 for each in logs])
    reach = float(stats.t.ppf(0.975, df)) * se if se != 0 else 0.0
    return Ratio(math.exp(delta), math.exp(delta - reach), math.exp(delta + reach))


def _satterthwaite(variances: Sequence[float], dfs: Sequence[float]) -> float:
    """The degrees of freedom of a sum of independent variances; nan where all are 0 or one is nan."""
    total = sum(variances)
    parts = [variance**2 / df for variance, df in zip(variances, dfs, strict=True) if variance > 0]
    return total**2 / sum(parts) if total > 0 else math.nan


# Their scores.


def _test_set(name: str, here: Side, there: Side, matches: Sequence[Match]) -> SetComparison:
    settings = here.study.compare
    rows = [side.ledger.evaluated(name) for side in (here, there)]
    if here.study.labels != there.study.labels:
        one, other = (", ".join(side.study.labels) for side in (here, there))
        refusal = f"{name}: its scores are not compared, as the labels are {one} in A and {other} in B"
        return SetComparison(name, settings.score, False, [], refusal)
    score = score_named(settings.score)
    same = _same_rows(name, here, there, rows)
    scores = [
        read_scores(side.ledger, name, side.finished, score, each.labels)
        for side, each in zip((here, there), rows, strict=True)
    ]
    compared = [
        (match, *(_paired if same else _independent)(match, scores, rows, here.study)) for match in matches
    ]
    return SetComparison(
        name,
        settings.score,
        same,
        [
            ScoreRow(
                match,
                float(scores[0].on(match.here.variant).mean()),
                float(scores[1].on(match.there.variant).mean()),
                seeds,
                contrast,
            )
            for match, contrast, seeds in compared
        ],
    )


def _one_family(tests: Sequence[SetComparison], study: StudyRecord) -> list[SetComparison]:
    """The rows of all test sets, adjusted together."""
    single = [row.contrast for test in tests for row in test.rows]
    adjusted = iter(one_family(single, study.compare.alpha, study.compare.correction))
    return [
        replace(test, rows=[replace(row, contrast=next(adjusted)) for row in test.rows]) for test in tests
    ]


def _same_rows(name: str, here: Side, there: Side, rows: Sequence[EvaluatedRows]) -> bool:
    """Whether labels and clusters agree row by row, and lengths where both read with the same tokenisers."""
    one, other = rows
    if not (np.array_equal(one.labels, other.labels) and np.array_equal(one.clusters, other.clusters)):
        return False
    if here.study.vocabularies != there.study.vocabularies:
        return True
    lengths = [
        {split: found for split, found in side.study.lengths.items() if split.split(" (")[0] == name}
        for side in (here, there)
    ]
    return lengths[0] == lengths[1]


def _paired(
    match: Match, scores: Sequence[ScoredLogits], rows: Sequence[EvaluatedRows], study: StudyRecord
) -> tuple[Contrast, tuple[int, int]]:
    """On the same examples. Seeds pair where they mean the same start and the same inputs.

    Identical: the same inputs, and the same scores throughout, as where a study was repeated exactly.
    """
    one, other = match.here, match.there
    common = [seed for seed in one.results if seed in other.results]
    begun_alike = match.same_inputs and are_paired(one.variant, other.variant)
    if common and begun_alike:
        seeds = [common, common]
    else:
        fewest = min(len(one.results), len(other.results))
        seeds = [list(side.results)[:fewest] for side in (one, other)]
    tables = [
        table.on(side.variant, chosen)
        for table, side, chosen in zip(scores, (one, other), seeds, strict=True)
    ]
    [found] = compare(
        np.stack(tables),
        [(0, 1)],
        clusters=_clusters(rows[0]),
        groups=[0, 1],
        identical=np.full((2, 2), match.same_inputs and np.array_equal(tables[0], tables[1])),
        paired=bool(common) and begun_alike,
        alpha=study.compare.alpha,
        margin=study.compare.margin,
        correction="none",
        bounded=scores[0].score.bounded,
    )
    return found, (len(seeds[0]), len(seeds[1]))


def _independent(
    match: Match, scores: Sequence[ScoredLogits], rows: Sequence[EvaluatedRows], study: StudyRecord
) -> tuple[Contrast, tuple[int, int]]:
    """On examples of their own: the means' variances add up, with Satterthwaite's degrees of freedom."""
    settings, sides = study.compare, (match.here, match.there)
    one, other = (
        mean_interval(table.on(side.variant), _clusters(each), settings.alpha)
        for table, side, each in zip(scores, sides, rows, strict=True)
    )
    variances = [each.se**2 for each in (one, other)]
    delta, se = one.mean - other.mean, math.sqrt(sum(variances))
    df = _satterthwaite(variances, [one.df, other.df])
    testable = se if se > 0 else math.nan
    reach = float(stats.t.ppf(1 - settings.alpha / 2, df)) * testable
    contrast = Contrast(
        variant=0,
        baseline=1,
        delta=delta,
        ci_low=delta - reach,
        ci_high=delta + reach,
        se=se,
        df=df,
        p=float(2 * stats.t.sf(abs(delta / testable), df)),
        p_adjusted=math.nan,
        verdict="inconclusive",
        p_equivalence=float(tost([delta], [testable], [df], settings.margin)[0]),
        paired=False,
        question="do the mean scores differ over new seeds and new examples (other examples in each)?",
    )
    return replace(contrast, p_adjusted=contrast.p), (len(sides[0].results), len(sides[1].results))


def _clusters(rows: EvaluatedRows) -> np.ndarray | None:
    """None where each row is its own cluster, for which the plain formulas say the same."""
    return rows.clusters if len(np.unique(rows.clusters)) < len(rows.clusters) else None
