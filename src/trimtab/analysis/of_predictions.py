"""The analysis of predictions made by anything: the one of a study, without what only a ledger knows.

Free of torch.
"""

from collections.abc import Mapping

import numpy as np

from trimtab.analysis.analysis import Analysis, analysed_sets
from trimtab.analysis.compared_sets import ComparedSet
from trimtab.analysis.comparison import Comparison
from trimtab.analysis.scores import ScoredLogits
from trimtab.analysis.seed_counts import SeedCount
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.machine import signature
from trimtab.predictions.records import Outputs, PredictedSet, Predictions
from trimtab.predictions.study import PredictedStudy
from trimtab.statistics import score_or_given


def analyse_predictions(predictions: Predictions, study: PredictedStudy) -> Analysis:
    """Analyse predictions as ``study`` says; see ``analyse``.

    Not paired, the seeds of a variant are numbered in their order, as they mean nothing in another one; then
    a contrast is on as many seeds as the variant with fewer has.
    """
    sets = [_compared_set(one, study) for one in predictions.sets]
    counts = {} if predictions.kind == "score" else _seed_counts(predictions)
    return Analysis(
        study=study,
        tests=analysed_sets(sets, counts),
        speeds=[],
        audits=[],
        label_audits=[],
        curves=[],
        epochs=[],
        overfitted=[],
        trials=[],
        signatures=[signature()],
    )


def _compared_set(one: PredictedSet, study: PredictedStudy) -> ComparedSet:
    rows = EvaluatedRows(one.labels, one.clusters)
    outputs: Mapping[int, Mapping[int, Outputs]] = one.outputs
    if not study.paired:
        outputs = {number: dict(enumerate(by_seed.values())) for number, by_seed in outputs.items()}
    scores = ScoredLogits(score_or_given(study.compare.score), rows.truth, list(study.variants), outputs)
    return ComparedSet(one.name, rows, Comparison(study, scores, rows.shared_clusters), digests={})


def _seed_counts(predictions: Predictions) -> dict[int, SeedCount]:
    """Collapsed: one class for every example of every test set; who failed leaves no predictions."""
    first = predictions.sets[0].outputs
    return {
        number: SeedCount(
            tried=len(by_seed),
            failed=0,
            diverged=0,
            collapsed=sum(
                all(_says_one(one.outputs[number][seed]) for one in predictions.sets) for seed in by_seed
            ),
        )
        for number, by_seed in first.items()
    }


def _says_one(outputs: Outputs) -> bool:
    said = outputs.argmax(axis=1)
    return bool(np.all(said == said[0]))
