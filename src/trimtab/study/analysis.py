"""The analysis: from a ledger alone to the rows that tables and figures show. Free of torch."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from trimtab.statistics import Estimate, compare, effective_clusters, mean_interval
from trimtab.study.affected import affected_rows
from trimtab.study.definition import coordinate_words
from trimtab.study.ledger import Ledger
from trimtab.study.mismatch import Cross, cross_evaluation

Row = dict[str, Any]


@dataclass(frozen=True)
class TestSet:
    """What the trials came to on one test set.

    means: a row a variant, in the study's order; contrasts: a row a declared contrast; affected: a row a
    contrast, on the examples that its two variants cut differently; cross: None where none was asked for;
    examples, clusters and effective_clusters (float) are numbers of rows and of what was sampled.
    """

    name: str
    means: list[Row]
    contrasts: list[Row]
    affected: list[Row]
    cross: Cross | None
    examples: int
    clusters: int
    effective_clusters: float


@dataclass(frozen=True)
class Analysis:
    """Everything that a report says, computed.

    seeds: those that every variant with any finished trial has finished, on which all figures stand;
    missing: a row a trial that is not done; speeds, audits, curves: a row a variant, a variant and split,
    a variant, seed and epoch; signatures: the different versions and commits that trials were made with.
    """

    study: dict[str, Any]
    seeds: list[int]
    tests: list[TestSet]
    speeds: list[Row]
    audits: list[Row]
    curves: list[Row]
    missing: list[Row]
    failures: list[Row]
    signatures: list[dict[str, str]]


def analyse(ledger: Ledger) -> Analysis:
    """Analyse what a ledger holds; InputError where nothing was run in it.

    Variants without a finished trial are left out, as are seeds that some other variant lacks; ``missing``
    names what that is.
    """
    study = ledger.study
    frame = ledger.frame()
    done = frame[frame["status"] == "done"]
    variants = sorted(int(number) for number in done["variant"].unique())
    seeds = [
        seed
        for seed in study["seeds"]
        if variants and set(done.loc[done["seed"] == seed, "variant"]) >= set(variants)
    ]
    tests = [_test_set(ledger, study, name, variants, seeds) for name in study["tests"]] if seeds else []
    return Analysis(
        study=study,
        seeds=seeds,
        tests=tests,
        speeds=_speeds(study, done[done["seed"].isin(seeds)]),
        audits=audit_rows(study["variants"]),
        curves=_curves(ledger, done),
        missing=_missing(frame),
        failures=_failures(ledger, frame),
        signatures=_signatures(ledger, done),
    )


def _test_set(ledger: Ledger, study: Row, name: str, variants: list[int], seeds: list[int]) -> TestSet:
    evaluated = ledger.evaluated()
    labels, clusters = evaluated[f"labels/{name}"], evaluated[f"clusters/{name}"]
    scores = _scores(ledger, study, name, variants, seeds, labels)
    # Clusters of one row each are no clusters: the plain formulas say the same, and quicker.
    number = len(np.unique(clusters))
    grouped = clusters if number < len(clusters) else None
    digests = [evaluated[f"digests/{name}/{study['variants'][v]['inputs']}"] for v in variants]
    contrasts = _contrasts(study, variants, scores, grouped, digests)
    by_variant = dict(zip(variants, scores, strict=True))
    by_digest = dict(zip(variants, digests, strict=True))
    return TestSet(
        name=name,
        means=_means(study, name, variants, scores, grouped),
        contrasts=contrasts,
        affected=affected_rows(contrasts, by_variant, by_digest, grouped, study["compare"]),
        cross=cross_evaluation(ledger, name, seeds, by_variant, labels, grouped),
        examples=len(labels),
        clusters=number,
        effective_clusters=effective_clusters(clusters),
    )


def _scores(
    ledger: Ledger, study: Row, name: str, variants: list[int], seeds: list[int], labels: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether each prediction is right, (variants, seeds, examples); shared trials are read once."""
    read: dict[str, NDArray[np.bool_]] = {}
    scores = np.empty((len(variants), len(seeds), len(labels)), bool)
    for k, variant in enumerate(variants):
        for s, seed in enumerate(seeds):
            key = study["variants"][variant]["trials"][str(seed)]
            if key not in read:
                read[key] = ledger.trial(key).predictions(name).argmax(1) == labels
            scores[k, s] = read[key]
    return scores


def _means(
    study: Row, test: str, variants: list[int], scores: NDArray[np.bool_], clusters: NDArray | None
) -> list[Row]:
    rows = []
    for variant, table in zip(variants, scores, strict=True):
        asked = study["variants"][variant]
        estimate = mean_interval(table, clusters, study["compare"]["alpha"])
        ceiling = asked["ceilings"].get(test)
        rows.append(
            _place(asked, variant)
            | asdict(estimate)
            | {
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


def _p_above(estimate: Estimate, bound: float) -> float:
    """One-sided p of a mean above ``bound``; nan where one seed or no variation permits none."""
    if not estimate.se > 0:
        return math.nan
    return float(stats.t.sf((estimate.mean - bound) / estimate.se, estimate.df))


def _contrasts(
    study: Row,
    variants: list[int],
    scores: NDArray[np.bool_],
    clusters: NDArray | None,
    digests: list[NDArray[np.uint64]],
) -> list[Row]:
    place = {variant: k for k, variant in enumerate(variants)}
    declared = [c for c in study["contrasts"] if c["variant"] in place and c["baseline"] in place]
    if not declared:
        return []
    trials = [study["variants"][variant]["trials"] for variant in variants]
    # Each variant has one baseline, so that a row a variant says which examples they see differently.
    affected = np.zeros((len(variants), scores.shape[2]), bool)
    for c in declared:
        affected[place[c["variant"]]] = digests[place[c["variant"]]] != digests[place[c["baseline"]]]
    settings = study["compare"]
    results = compare(
        scores,
        [(place[c["variant"]], place[c["baseline"]]) for c in declared],
        clusters=clusters,
        # Variants of one size share their seeds, so their spreads are not independent: no pooling.
        groups=range(len(variants)),
        identical=[[one == other for other in trials] for one in trials],
        affected=affected,
        paired=[c["paired"] for c in declared],
        alpha=settings["alpha"],
        margin=settings["margin"],
        correction="bh" if settings["exploratory"] else "holm",
    )
    return [
        asdict(result)
        | _place(study["variants"][c["variant"]], c["variant"])
        | {"baseline": study["variants"][c["baseline"]]["name"], "baseline_number": c["baseline"]}
        for c, result in zip(declared, results, strict=True)
    ]


def _place(asked: Row, number: int) -> Row:
    """Which variant a row is about: number, name, coordinates, and the name of its series over max_len."""
    coordinates = asked["coordinates"]
    rest = [coordinate_words(key, value) for key, value in coordinates.items() if key != "max_len"]
    return {
        "variant": number,
        "name": asked["name"],
        "series": ", ".join(rest) or asked["truncation"],
        "max_len": asked["max_len"],
    }


def _speeds(study: Row, done: pd.DataFrame) -> list[Row]:
    rows = []
    for number in sorted(int(number) for number in done["variant"].unique()):
        trials = done[done["variant"] == number]
        first = trials.iloc[0]
        rows.append(
            _place(study["variants"][number], number)
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
        _place(asked, number) | {"split": f"{split}: {label}"} | audit
        for number, asked in enumerate(variants)
        for split, audits in asked["label_audits"].items()
        for label, audit in audits.items()
    ]


def audit_rows(variants: list[Row]) -> list[Row]:
    """What each variant cuts, a row a variant and split; ``variants`` as a ledger keeps them."""
    return [
        _place(asked, number) | {"split": split, "tokens": asked["tokens"][split]} | audit
        for number, asked in enumerate(variants)
        for split, audit in asked["audits"].items()
    ]


def _curves(ledger: Ledger, done: pd.DataFrame) -> list[Row]:
    study, rows = ledger.study, []
    for trial in done.to_dict("records"):
        asked = study["variants"][trial["variant"]]
        if asked["same_as"] != trial["variant"]:
            continue  # the same trials, which stand there already
        place = _place(asked, trial["variant"]) | {"seed": trial["seed"]}
        rows += [place | record for record in ledger.trial(trial["key"]).metrics()]
    return rows


def _signatures(ledger: Ledger, done: pd.DataFrame) -> list[dict[str, str]]:
    signatures = []
    for key in dict.fromkeys(done["key"]):
        signature = (ledger.trial(key).result or {}).get("signature", ledger.study["signature"])
        if signature not in signatures:
            signatures.append(signature)
    return signatures


def _missing(frame: pd.DataFrame) -> list[Row]:
    rows = frame[frame["status"] != "done"].to_dict("records")
    return [{key: row[key] for key in ("name", "seed", "status")} for row in rows]


def _failures(ledger: Ledger, frame: pd.DataFrame) -> list[Row]:
    failed = frame[frame["status"] == "failed"]
    return [
        {"name": row["name"], "seed": row["seed"], "reason": ledger.trial(row["key"]).failure}
        for row in failed.to_dict("records")
    ]
