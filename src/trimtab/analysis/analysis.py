"""The analysis: from a ledger alone to the rows that tables and figures show. Free of torch."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from trimtab.analysis.affected import affected_rows
from trimtab.analysis.contrasts import Comparison, contrast_rows, read_alike, uncompared, variant_place
from trimtab.analysis.cross import Cross, cross_evaluation
from trimtab.analysis.curves import epoch_rows, overfitting_rows
from trimtab.analysis.recommendation import Recommendation, recommend
from trimtab.analysis.scores import Scores, read_scores, score_name
from trimtab.analysis.secondary import checkpoint_rows, other_score_rows
from trimtab.ledger.ledger import Ledger
from trimtab.statistics import IntervalEstimate, effective_clusters, mean_interval

Row = dict[str, Any]


@dataclass(frozen=True)
class TestSet:
    """What the trials came to on one test set.

    score: the name of that which models are judged by, in whose units means and contrasts are;
    prior_baseline: the best score of one who knows the labels' shares alone, None where there is none;
    recommendation: None where there is nothing to choose; means: a row a variant, in the study's order;
    contrasts: a row a declared contrast; uncompared: a row one that shares no seed; affected: a row a
    contrast, on the examples that its two variants cut differently; others: a row a variant, by every other
    score; checkpoints: a row a contrast, McNemar's test, where the study has one seed; cross: None where none
    was asked for; examples, clusters and effective_clusters (float) are numbers of rows and of what was
    sampled.
    """

    name: str
    score: str
    prior_baseline: float | None
    recommendation: Recommendation | None
    means: list[Row]
    contrasts: list[Row]
    uncompared: list[Row]
    affected: list[Row]
    others: list[Row]
    checkpoints: list[Row]
    cross: Cross | None
    examples: int
    clusters: int
    effective_clusters: float


@dataclass(frozen=True)
class Analysis:
    """Everything that a report says, computed.

    seeds: those that any variant has finished; missing: a row a trial that is not done; speeds, audits,
    curves: a row a variant, a variant and split, a variant, seed and epoch, with ``evaluated`` where its
    weights met the test sets; epochs, overfits: as ``study.epochs`` makes them of the curves; signatures: the
    different versions and commits that trials were made with.
    """

    study: dict[str, Any]
    seeds: list[int]
    tests: list[TestSet]
    speeds: list[Row]
    audits: list[Row]
    curves: list[Row]
    epochs: list[Row]
    overfits: list[Row]
    missing: list[Row]
    failures: list[Row]
    signatures: list[dict[str, str]]


def analyse(ledger: Ledger) -> Analysis:
    """Analyse what a ledger holds; InputError where nothing was run in it.

    A mean stands on all seeds that its variant has finished, a contrast on those that both of its variants
    have; variants without a finished trial are left out, and ``missing`` names what there is not.
    """
    study = ledger.study
    frame = ledger.frame()
    done = frame[frame["status"] == "done"]
    finished = {
        number: [seed for seed in study["seeds"] if seed in set(done.loc[done["variant"] == number, "seed"])]
        for number in sorted(int(number) for number in done["variant"].unique())
    }
    speeds = _speeds(study, done)
    curves = _curves(ledger, done)
    names = study["tests"] if finished else []
    return Analysis(
        study=study,
        seeds=[seed for seed in study["seeds"] if any(seed in seeds for seeds in finished.values())],
        tests=[_test_set(ledger, study, name, finished, speeds) for name in names],
        speeds=speeds,
        audits=audit_rows(study["variants"]),
        curves=curves,
        epochs=epoch_rows(curves),
        overfits=overfitting_rows(curves),
        missing=_missing(frame),
        failures=_failures(ledger, frame),
        signatures=_signatures(ledger, done),
    )


def _test_set(
    ledger: Ledger, study: Row, name: str, done: dict[int, list[int]], speeds: list[Row]
) -> TestSet:
    evaluated = ledger.evaluated()
    labels, clusters = evaluated[f"labels/{name}"], evaluated[f"clusters/{name}"]
    scores = read_scores(ledger, name, done, labels)
    # Clusters of one row each are no clusters: the plain formulas say the same, and quicker.
    number = len(np.unique(clusters))
    grouped = clusters if number < len(clusters) else None
    digests = {v: evaluated[f"digests/{name}/{study['variants'][v]['inputs']}"] for v in done}
    comparison = Comparison(study, scores, grouped)
    contrasts = contrast_rows(comparison, digests)
    variants = study["variants"]
    alike = [
        row for row in contrasts if read_alike(variants[row["variant"]], variants[row["baseline_number"]])
    ]
    means = _means(study, name, scores, grouped)
    return TestSet(
        name=name,
        score=score_name(study["compare"]),
        prior_baseline=scores.prior_baseline(len(study["labels"])),
        recommendation=recommend(comparison, means, speeds),
        means=means,
        contrasts=contrasts,
        uncompared=uncompared(study, contrasts),
        affected=affected_rows(alike, scores, digests, grouped, study["compare"]),
        others=other_score_rows(study, scores, grouped),
        checkpoints=checkpoint_rows(study, contrasts, scores),
        cross=cross_evaluation(ledger, name, scores, grouped),
        examples=len(labels),
        clusters=number,
        effective_clusters=effective_clusters(clusters),
    )


def _means(study: Row, test: str, scores: Scores, clusters: NDArray | None) -> list[Row]:
    rows = []
    for variant in scores.logits:
        asked, table = study["variants"][variant], scores.on(variant)
        estimate = mean_interval(table, clusters, study["compare"]["alpha"])
        # A ceiling is the accuracy of a reader, and says nothing of other scores.
        ceiling = asked["ceilings"].get(test) if score_name(study["compare"]) == "accuracy" else None
        rows.append(
            variant_place(asked, variant)
            | asdict(estimate)
            | {
                "seeds": scores.seeds(variant),
                "by_seed": table.mean(axis=1).tolist(),
                "ceiling": ceiling,
                "p_above_ceiling": None if ceiling is None else _p_above(estimate, ceiling),
                "same_as": study["variants"][asked["same_as"]]["name"]
                if asked["same_as"] != variant
                else None,
                "hardly_cut": asked["hardly_cut"],
            }
        )
    return rows


def _p_above(estimate: IntervalEstimate, bound: float) -> float:
    """One-sided p of a mean above ``bound``; nan where one seed or no variation permits none."""
    if not estimate.se > 0:
        return math.nan
    return float(stats.t.sf((estimate.mean - bound) / estimate.se, estimate.df))


def _speeds(study: Row, done: pd.DataFrame) -> list[Row]:
    rows = []
    for number in sorted(int(number) for number in done["variant"].unique()):
        trials = done[done["variant"] == number]
        first = trials.iloc[0]
        rows.append(
            variant_place(study["variants"][number], number)
            | {
                "examples_per_second": trials["examples_per_second"].mean(),
                "examples_per_second_low": trials["examples_per_second"].min(),
                "examples_per_second_high": trials["examples_per_second"].max(),
                "tokens_per_second": trials["tokens_per_second"].mean(),
                "peak_bytes": int(trials["peak_bytes"].max()),
                "training_seconds": trials["training_seconds"].mean(),
                "precision": first["recipe.precision"],
                "threads": int(first["threads"]),
                "machine": first["machine"],
            }
        )
    return rows


def label_audit_rows(variants: list[Row]) -> list[Row]:
    """What each variant cuts of each label's rows, a row a variant, test set and label."""
    return [
        variant_place(asked, number) | {"split": f"{split}: {label}"} | audit
        for number, asked in enumerate(variants)
        for split, audits in asked["label_audits"].items()
        for label, audit in audits.items()
    ]


def audit_rows(variants: list[Row]) -> list[Row]:
    """What each variant cuts, a row a variant and split; ``variants`` as a ledger keeps them."""
    return [
        variant_place(asked, number) | {"split": split, "tokens": asked["tokens"][split]} | audit
        for number, asked in enumerate(variants)
        for split, audit in asked["audits"].items()
    ]


def _curves(ledger: Ledger, done: pd.DataFrame) -> list[Row]:
    study, rows = ledger.study, []
    for trial in done.to_dict("records"):
        asked = study["variants"][trial["variant"]]
        if asked["same_as"] != trial["variant"]:
            continue  # the same trials, which stand there already
        place = variant_place(asked, trial["variant"]) | {"seed": trial["seed"]}
        records, chosen = ledger.trial(trial["key"]).metrics(), trial.get("evaluated_epoch")
        if pd.isna(chosen):  # as in a ledger of an earlier version, which knew no other than the last
            chosen = records[-1]["epoch"]
        rows += [place | record | {"evaluated": record["epoch"] == chosen} for record in records]
    return rows


def _signatures(ledger: Ledger, done: pd.DataFrame) -> list[dict[str, str]]:
    signatures = []
    for key in dict.fromkeys(done["key"]):
        signature = (ledger.trial(key).result or {}).get("signature", ledger.study["signature"])
        if signature not in signatures:
            signatures.append(signature)
    return signatures


def _missing(frame: pd.DataFrame) -> list[Row]:
    # Variants with identical inputs share a trial, which is missing once.
    rows = frame[frame["status"] != "done"].drop_duplicates("key").to_dict("records")
    return [{key: row[key] for key in ("name", "seed", "status")} for row in rows]


def _failures(ledger: Ledger, frame: pd.DataFrame) -> list[Row]:
    failed = frame[frame["status"] == "failed"].drop_duplicates("key")
    return [
        {"name": row["name"], "seed": row["seed"], "reason": ledger.trial(row["key"]).failure}
        for row in failed.to_dict("records")
    ]
