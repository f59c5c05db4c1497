"""Two ledgers side by side: differences of score, speed and memory of the variants that both have.

Free of torch, and of the data: what is compared is what the ledgers hold.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from trimtab.analysis.compared_sets import diverged_seeds
from trimtab.analysis.matches import Match, Side, matches_of, side_of
from trimtab.analysis.scores import ScoredLogits, read_scores
from trimtab.config import InputError
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.statistics import Contrast, compare, mean_interval, one_family, score_named, tost
from trimtab.statistics.spreads import SeedSpread, joint_df
from trimtab.study.grid import are_paired


@dataclass(frozen=True)
class ScoreRow:
    """A matched variant on one test set: means, and here minus there, adjusted over all test sets.

    withheld: the verdict that the finished seeds would give, where a seed of either side diverged: the mean
    of the others flatters that side, so that the verdict is 'inconclusive'; None where nothing is withheld.
    """

    match: Match
    mean_here: float
    mean_there: float
    seeds: tuple[int, int]
    contrast: Contrast
    withheld: str | None = None


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
    one, other = sides = side_of(here), side_of(there)
    matches = matches_of(one, other)
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
    tests = _withheld(
        _one_family([_test_set(name, one, other, matches) for name in common], one.study), sides
    )
    return LedgerComparison(one, other, matches, (only[0], only[1]), tests)


def _test_set(name: str, here: Side, there: Side, matches: Sequence[Match]) -> SetComparison:
    settings = here.study.compare
    rows = [side.ledger.evaluated(name) for side in (here, there)]
    if here.study.target != there.study.target:
        what = f"labels are {here.study.target} in A and {there.study.target} in B"
        refusal = f"{name}: its scores are not compared, as {what}"
        return SetComparison(name, settings.score, False, [], refusal)
    if here.study.labels != there.study.labels:
        one, other = (", ".join(side.study.labels) for side in (here, there))
        refusal = f"{name}: its scores are not compared, as the labels are {one} in A and {other} in B"
        return SetComparison(name, settings.score, False, [], refusal)
    score = score_named(settings.score)
    same = _same_rows(name, here, there, rows)
    scores = [
        read_scores(side.ledger, name, side.finished, score, each.truth)
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


def _withheld(tests: Sequence[SetComparison], sides: Sequence[Side]) -> list[SetComparison]:
    """The same without the verdicts on variants of which a seed diverged on either side."""
    here, there = (set(diverged_seeds(side.ledger, side.study, side.finished)) for side in sides)

    def judged(row: ScoreRow) -> ScoreRow:
        is_stable = row.match.here.variant.number not in here and row.match.there.variant.number not in there
        if is_stable or row.contrast.verdict in ("inconclusive", "identical"):
            return row
        contrast = replace(row.contrast, verdict="inconclusive")
        return replace(row, contrast=contrast, withheld=row.contrast.verdict)

    return [replace(test, rows=[judged(row) for row in test.rows]) for test in tests]


def _same_rows(name: str, here: Side, there: Side, rows: Sequence[EvaluatedRows]) -> bool:
    """Whether labels and clusters agree row by row, and lengths where both read with the same tokenisers."""
    one, other = rows
    if not (np.array_equal(one.labels, other.labels) and np.array_equal(one.clusters, other.clusters)):
        return False
    if not np.array_equal(one.truth.unit, other.truth.unit):
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
        clusters=rows[0].shared_clusters,
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
        mean_interval(table.on(side.variant), each.shared_clusters, settings.alpha)
        for table, side, each in zip(scores, sides, rows, strict=True)
    )
    delta, se = one.mean - other.mean, math.hypot(one.se, other.se)
    spreads = [
        # A variance of 0 has no degrees of freedom, and no say in those of the sum.
        SeedSpread(each.se**2, each.df if each.se > 0 else 1.0, pool)
        for pool, each in enumerate((one, other))
    ]
    df = float(joint_df(*spreads))
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
