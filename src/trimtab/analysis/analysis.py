"""The analysis: from a ledger alone to the typed rows that tables and figures show. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trimtab.analysis.answer import Answer, answer
from trimtab.analysis.best import worse_than_best
from trimtab.analysis.by_length import ByLength, LostRow, by_length, lost_rows
from trimtab.analysis.compared_sets import ComparedSet, compared_sets, contrast_rows
from trimtab.analysis.contrasts import (
    ContrastRow,
    Family,
    UncomparedRow,
    family_of,
    uncompared_rows,
)
from trimtab.analysis.cross import CrossEvaluation, cross_evaluation
from trimtab.analysis.curves import (
    CurvePoint,
    EpochRow,
    OverfittedRow,
    UnknownCurve,
    curve_points,
    epoch_rows,
    overfitted_rows,
)
from trimtab.analysis.guessing import beats_guessing
from trimtab.analysis.looks import LooksTaken
from trimtab.analysis.means import MeanRow, mean_rows
from trimtab.analysis.recommendation import Recommendation, recommend
from trimtab.analysis.scores import FinishedVariant, tried_variants
from trimtab.analysis.secondary import (
    AffectedRow,
    CheckpointRow,
    OtherScoresRow,
    affected_rows,
    checkpoint_rows,
    other_score_rows,
)
from trimtab.analysis.seed_counts import SeedCount, seed_counts
from trimtab.analysis.shortest import LengthSeries, shortest_lengths
from trimtab.analysis.shown_rows import ShownRow, shown_rows
from trimtab.analysis.throughput import ThroughputRow, throughput_rows
from trimtab.analysis.trials import TrialRow, trial_rows
from trimtab.analysis.views import ScoreView, score_views
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.machine import Signature
from trimtab.statistics import effective_clusters
from trimtab.study.compared import ComparedStudy
from trimtab.truncation.audit import Audit


@dataclass(frozen=True)
class SetAnalysis:
    """What the trials came to on one test set.

    score: the name of what models are judged by, in whose units means and contrasts are; prior_baseline: what
    the label-prior baseline scores, None where it has no such score; learned: whether any variant is shown to
    beat it, None where that cannot be asked; recommendation: None where there is nothing to choose; means,
    others: one row per variant; seed_counts: by number of each variant, the same for every test set, empty
    where nothing is known of them; family:
    over what the contrasts' p are adjusted, those of all test sets; contrasts, affected, checkpoints: one row
    per declared contrast that has a seed in common; uncompared: the others; cross: None where none was asked
    for; views: what a reader may ask for, by each score; by_length, lost: scores by length and by tokens
    lost, None and empty where the ledger does not know them; rows: some of those that the study publishes;
    series: all of the study's, in its order, by which figures choose colours; alpha: the study's; examples,
    clusters and effective_clusters (float) are numbers of rows and of what was sampled; queries: how many are
    judged, None where the rows are; shortest: which
    max_len suffices, one per series of lengths, empty where max_len is no axis; behind_best: by a variant's
    number, what it is at most worse than the best, empty where there is nothing to choose.
    """

    name: str
    score: str
    prior_baseline: float | None
    learned: bool | None
    answer: Answer
    recommendation: Recommendation | None
    means: list[MeanRow]
    seed_counts: dict[int, SeedCount]
    contrasts: list[ContrastRow]
    family: Family
    uncompared: list[UncomparedRow]
    affected: list[AffectedRow]
    others: list[OtherScoresRow]
    checkpoints: list[CheckpointRow]
    cross: CrossEvaluation | None
    views: list[ScoreView]
    by_length: ByLength | None
    lost: list[LostRow]
    rows: list[ShownRow]
    examples: int
    clusters: int
    effective_clusters: float
    series: tuple[str, ...]
    alpha: float
    queries: int | None = None
    shortest: list[LengthSeries] = field(default_factory=list)
    behind_best: dict[int, float] = field(default_factory=dict)

    @property
    def units(self) -> str:
        """What is judged: ``examples``, or ``queries``."""
        return "examples" if self.queries is None else "queries"

    @property
    def cut_units(self) -> str:
        """The same, of what is cut: ``rows``, or ``queries``."""
        return "rows" if self.queries is None else "queries"

    @property
    def size(self) -> str:
        """How much there is of it: ``9,824 examples``, or ``243 queries (6,165 rows)``."""
        if self.queries is None:
            return f"{self.examples:,} examples"
        return f"{self.queries:,} queries with a relevant row ({self.examples:,} rows in all)"


@dataclass(frozen=True)
class VariantAudit:
    """What a variant cuts of a split, or of one label of it; tokens: the mean of a row, None of a label.

    windows: the mean number of a row's windows, None without windows.
    """

    variant: VariantRecord
    split: str
    audit: Audit
    tokens: float | None = None
    windows: float | None = None

    @property
    def name(self) -> str:
        """The variant's."""
        return self.variant.name


@dataclass(frozen=True)
class Analysis:
    """Everything that a report says, computed.

    study: a ledger's StudyRecord, or what a table of predictions says; of those, all but tests and signatures
    (of what analysed them) is empty. tests, speeds and what follows from curves are empty where no trial is
    finished; audits: one row per variant and split, label_audits: per variant, test set and label;
    signatures: the different versions and commits that trials were made with; looks: what the planned
    looks have come to, None where there are none; unknown_curves: finished trials whose epochs
    are not among ``curves``, as their records are damaged.
    """

    study: ComparedStudy
    tests: list[SetAnalysis]
    speeds: list[ThroughputRow]
    audits: list[VariantAudit]
    label_audits: list[VariantAudit]
    curves: list[CurvePoint]
    epochs: list[EpochRow]
    overfitted: list[OverfittedRow]
    trials: list[TrialRow]
    signatures: list[Signature]
    looks: LooksTaken | None = None
    unknown_curves: list[UnknownCurve] = field(default_factory=list)

    @property
    def missing(self) -> list[TrialRow]:
        """The trials that are not finished, and that no planned look has made unnecessary."""
        return [trial for trial in self.trials if trial.result is None and trial.stopped is None]

    @property
    def stopped(self) -> list[TrialRow]:
        """The trials that were not run, as a planned look made them unnecessary."""
        return [trial for trial in self.trials if trial.result is None and trial.stopped is not None]


def analyse(ledger: Ledger) -> Analysis:
    """Analyse what a ledger holds; InputError where nothing was run in it.

    A mean is over all seeds that its variant has finished, a contrast over those that both of its variants
    have; variants without a finished trial are left out, and ``missing`` names the trials that are.
    """
    study = ledger.study
    every = tried_variants(ledger, study)
    finished = [one for one in every if one.results]
    speeds, (curves, unknown) = throughput_rows(finished), curve_points(ledger, finished)
    results = [result for one in finished for result in one.results.values()]
    sets, looks = compared_sets(ledger, study, finished)
    return Analysis(
        study=study,
        tests=_test_sets(ledger, study, finished, speeds, sets, looks) if finished else [],
        speeds=speeds,
        audits=_audit_rows(study),
        label_audits=_label_audit_rows(study),
        curves=curves,
        epochs=epoch_rows(curves),
        overfitted=overfitted_rows(curves),
        trials=trial_rows(ledger, study, every, looks.stopped if looks else {}),
        signatures=list(dict.fromkeys(result.signature for result in results)),
        looks=looks,
        unknown_curves=unknown,
    )


def _test_sets(
    ledger: Ledger,
    study: StudyRecord,
    finished: Sequence[FinishedVariant],
    speeds: Sequence[ThroughputRow],
    sets: Sequence[ComparedSet],
    looks: LooksTaken | None,
) -> list[SetAnalysis]:
    counts, rows = seed_counts(ledger, study, finished, sets[0].comparison.scores), ledger.rows.tests
    return [
        replace(
            test,
            cross=cross_evaluation(ledger, study, one.name, one.comparison),
            rows=shown_rows(rows.get(one.name, ()), one.comparison.scores, study.variants),
        )
        for test, one in zip(analysed_sets(sets, counts, speeds, looks), sets, strict=True)
    ]


def analysed_sets(
    sets: Sequence[ComparedSet],
    counts: dict[int, SeedCount],
    speeds: Sequence[ThroughputRow] = (),
    looks: LooksTaken | None = None,
) -> list[SetAnalysis]:
    """All that scores alone tell of some test sets, whose contrasts are one family.

    counts: of seeds, by number of a variant; speeds: of all variants, none where costs are not known; looks:
    what planned looks have come to.
    """
    contrasts = contrast_rows(sets, looks)
    means = [
        mean_rows(one.comparison.study, one.name, one.comparison.scores, one.comparison.clusters)
        for one in sets
    ]
    views = score_views(sets, means, contrasts)
    family = family_of([row.contrast for row in of_set] for of_set in contrasts)
    return [
        _test_set(one, speeds, means[place], contrasts[place], views[place], family, counts)
        for place, one in enumerate(sets)
    ]


def _test_set(
    one: ComparedSet,
    speeds: Sequence[ThroughputRow],
    means: list[MeanRow],
    contrasts: list[ContrastRow],
    views: list[ScoreView],
    family: Family,
    counts: dict[int, SeedCount],
) -> SetAnalysis:
    name, evaluated, comparison, digests = one.name, one.evaluated, one.comparison, one.digests
    study, scores, clusters = comparison.study, comparison.scores, comparison.clusters
    prior = scores.score.prior_baseline(evaluated.truth, len(study.labels))
    learned = beats_guessing(means, prior, study.compare.alpha)
    recommendation = recommend(comparison, means, speeds, learned)
    return SetAnalysis(
        name=name,
        score=study.compare.score,
        prior_baseline=prior,
        learned=learned,
        answer=answer(means, recommendation, contrasts, speeds, learned),
        recommendation=recommendation,
        means=means,
        seed_counts=counts,
        contrasts=contrasts,
        family=family,
        uncompared=uncompared_rows(study, contrasts),
        affected=affected_rows(contrasts, comparison, digests),
        others=other_score_rows(study, scores, clusters),
        checkpoints=checkpoint_rows(study, contrasts, scores, clusters),
        cross=None,
        views=views,
        by_length=by_length(evaluated, scores),
        lost=lost_rows(evaluated, scores),
        rows=[],
        examples=len(evaluated.labels),
        queries=None if evaluated.queries is None else len(evaluated.truth),
        clusters=len(np.unique(evaluated.unit_clusters)),
        effective_clusters=effective_clusters(evaluated.unit_clusters),
        series=tuple(dict.fromkeys(variant.series for variant in study.variants)),
        alpha=study.compare.alpha,
        shortest=shortest_lengths(comparison, means, speeds, prior),
        behind_best=worse_than_best(comparison),
    )


def _audit_rows(study: StudyRecord) -> list[VariantAudit]:
    return [
        VariantAudit(variant, split, audit, variant.tokens[split], variant.windows_per_row.get(split))
        for variant in study.variants
        for split, audit in variant.audits.items()
    ]


def _label_audit_rows(study: StudyRecord) -> list[VariantAudit]:
    return [
        VariantAudit(variant, f"{split}: {label}", audit)
        for variant in study.variants
        for split, audits in variant.label_audits.items()
        for label, audit in audits.items()
    ]
