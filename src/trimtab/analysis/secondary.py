"""Secondary analyses of a test set: every other score, and McNemar's test of single checkpoints."""

from dataclasses import asdict
from typing import Any

from numpy.typing import NDArray

from trimtab.analysis.contrasts import variant_place
from trimtab.analysis.scores import Scores, score_name
from trimtab.statistics import SCORES, mcnemar, mean_interval, scores_for

Row = dict[str, Any]


def other_score_rows(study: Row, scores: Scores, clusters: NDArray | None) -> list[Row]:
    """A row a variant: the mean of every score but the study's own, on all seeds that it has finished.

    Those alone that can judge data with the study's labels.
    Of a score NAME: NAME_mean, NAME_ci_low, NAME_ci_high, NAME_se, NAME_df. clusters: (examples,) or None.
    """
    rows = {v: variant_place(study["variants"][v], v) | {"seeds": scores.seeds(v)} for v in scores.logits}
    for name, score in scores_for(study["labels"]).items():
        if name == score_name(study["compare"]):
            continue
        by_other = scores.by(score)
        for variant, row in rows.items():
            estimate = mean_interval(by_other.on(variant), clusters, study["compare"]["alpha"])
            row.update({f"{name}_{key}": value for key, value in asdict(estimate).items()})
    return list(rows.values())


def checkpoint_rows(study: Row, contrasts: list[Row], scores: Scores) -> list[Row]:
    """A row a contrast whose inputs differ, where the study has one seed: McNemar's exact test of its models.

    won, lost: the examples on which the variant alone is right, and the baseline alone. It is a test of
    accuracy, whatever the study is judged by, and p is not adjusted.
    """
    if len(study["seeds"]) > 1:
        return []
    by_accuracy, rows = scores.by(SCORES["accuracy"]), []
    for row in contrasts:
        if row["verdict"] == "identical":
            continue
        one, other = (by_accuracy.on(row[key], row["seeds"])[0] for key in ("variant", "baseline_number"))
        found = mcnemar(one, other)
        rows.append(
            {key: row[key] for key in ("variant", "name", "baseline", "baseline_number", "seeds")}
            | {"won": int((one & ~other).sum()), "lost": int((other & ~one).sum())}
            | {"delta": found.estimate, "p": found.p, "question": found.question}
        )
    return rows
