"""Every test set of a study with its scores, ready to be compared, and the declared contrasts of them all.

Free of torch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from trimtab.analysis.comparison import Comparison
from trimtab.analysis.contrasts import ContrastRow, Digests, as_rows, row_at_look
from trimtab.analysis.looks import LooksTaken, take_looks
from trimtab.analysis.scores import FinishedVariant, read_scores, tried_variants
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.ledger.files import damaged
from trimtab.ledger.ledger import EVALUATED, Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.statistics import score_named


@dataclass(frozen=True)
class ComparedSet:
    """A test set whose variants are to be compared.

    evaluated: its rows, as the ledger has them; looks: what the study's looks have come to, the same for all
    test sets, None where none are planned.
    """

    name: str
    evaluated: EvaluatedRows
    comparison: Comparison
    digests: Digests


def compared_sets(
    ledger: Ledger, study: StudyRecord, finished: Sequence[FinishedVariant]
) -> tuple[list[ComparedSet], LooksTaken | None]:
    """Every test set of a study, with the scores of those variants that have a finished trial; none without.

    And what planned looks have come to, None where none are planned: then contrasts are those of the latest
    look for which all trials have ended.
    """
    diverged = diverged_seeds(ledger, study, finished)
    sets = [_compared_set(ledger, study, name, finished, diverged) for name in study.tests if finished]
    if not study.compare.looks:
        return sets, None
    looks = take_looks(ledger, study, [one.comparison for one in sets])
    return [replace(one, comparison=one.comparison.at(looks.taken)) for one in sets], looks


def diverged_seeds(
    ledger: Ledger, study: StudyRecord, finished: Sequence[FinishedVariant]
) -> dict[int, set[int]]:
    """By number of a variant, its seeds that diverged, without which its mean flatters it."""
    done = {one.variant.number: one.results for one in finished}
    found = {
        variant.number: {
            seed
            for seed, key in variant.trials.items()
            if seed not in done.get(variant.number, ()) and ledger.trial(key).diverged
        }
        for variant in study.variants
    }
    return {number: seeds for number, seeds in found.items() if seeds}


def looks_taken(ledger: Ledger) -> LooksTaken | None:
    """What the planned looks of a ledger's study have come to; None where none are planned."""
    study = ledger.study
    if not study.compare.looks:
        return None
    finished = [one for one in tried_variants(ledger, study) if one.results]
    return compared_sets(ledger, study, finished)[1]


def _compared_set(
    ledger: Ledger,
    study: StudyRecord,
    name: str,
    finished: Sequence[FinishedVariant],
    diverged: Mapping[int, Collection[int]],
) -> ComparedSet:
    evaluated, score = ledger.evaluated(name), score_named(study.compare.score)
    if lacking := {one.variant.inputs for one in finished} - set(evaluated.digests):
        raise damaged(ledger.folder / EVALUATED, f"it holds no digests of inputs {min(lacking)}")
    scores = read_scores(ledger, name, finished, score, evaluated.truth)
    digests = {inputs: evaluated.unit_digests(inputs) for inputs in {one.variant.inputs for one in finished}}
    return ComparedSet(
        name=name,
        evaluated=evaluated,
        comparison=Comparison(study, scores, evaluated.shared_clusters, diverged),
        digests={one.variant.number: digests[one.variant.inputs] for one in finished},
    )


def contrast_rows(sets: Sequence[ComparedSet], looks: LooksTaken | None = None) -> list[list[ContrastRow]]:
    """By test set, one row per declared contrast that has a seed in common.

    All are one family, whatever their test set: a study that asks of several has as many chances to err.
    With planned looks each is as it was at the look where it stopped.
    """
    if looks is not None:
        return [_rows_at_looks(one, looks, place) for place, one in enumerate(sets)]
    return as_rows(
        [(one.comparison, one.comparison.of(one.comparison.study.contrasts), one.digests) for one in sets]
    )


def _rows_at_looks(one: ComparedSet, looks: LooksTaken, place: int) -> list[ContrastRow]:
    rows = []
    for contrast in one.comparison.study.contrasts:
        course = looks.courses.get((place, contrast))
        comparison = one.comparison.at(course.look) if course else one.comparison
        rows += [
            row_at_look(comparison, compared, one.digests, course) for compared in comparison.of([contrast])
        ]
    return rows
