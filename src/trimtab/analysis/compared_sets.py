"""Every test set of a study with its scores, ready to be compared, and the declared contrasts of them all.

Free of torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.analysis.contrasts import Comparison, ContrastRow, Digests, as_rows
from trimtab.analysis.scores import FinishedVariant, read_scores
from trimtab.ledger.ledger import EvaluatedRows, Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.statistics import score_named


@dataclass(frozen=True)
class ComparedSet:
    """A test set whose variants are to be compared; evaluated: its rows, as the ledger has them."""

    name: str
    evaluated: EvaluatedRows
    comparison: Comparison
    digests: Digests


def compared_sets(
    ledger: Ledger, study: StudyRecord, finished: Sequence[FinishedVariant]
) -> list[ComparedSet]:
    """Every test set of a study, with the scores of the variants that have finished a trial."""
    unstable = unstable_variants(ledger, study, finished)
    return [_compared_set(ledger, study, name, finished, unstable) for name in study.tests]


def unstable_variants(
    ledger: Ledger, study: StudyRecord, finished: Sequence[FinishedVariant]
) -> frozenset[int]:
    """The numbers of the variants with a seed that diverged, without which their means flatter them."""
    done = {one.variant.number: one.results for one in finished}
    missing = {
        variant.number: [
            key for seed, key in variant.trials.items() if seed not in done.get(variant.number, ())
        ]
        for variant in study.variants
    }
    return frozenset(
        number for number, keys in missing.items() if any(ledger.trial(key).diverged for key in keys)
    )


def _compared_set(
    ledger: Ledger,
    study: StudyRecord,
    name: str,
    finished: Sequence[FinishedVariant],
    unstable: frozenset[int],
) -> ComparedSet:
    evaluated, score = ledger.evaluated(name), score_named(study.compare.score)
    scores = read_scores(ledger, name, finished, score, evaluated.labels)
    return ComparedSet(
        name=name,
        evaluated=evaluated,
        comparison=Comparison(study, scores, evaluated.shared_clusters, unstable),
        digests={one.variant.number: evaluated.digests[one.variant.inputs] for one in finished},
    )


def contrast_rows(sets: Sequence[ComparedSet]) -> list[list[ContrastRow]]:
    """By test set, one row per declared contrast that has a seed in common.

    All are one family, whatever their test set: a study that asks of several has as many chances to err.
    """
    return as_rows(
        [(one.comparison, one.comparison.of(one.comparison.study.contrasts), one.digests) for one in sets]
    )
