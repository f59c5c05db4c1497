"""Contrasts on the examples that two variants cut differently: a family of its own. Free of torch."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.scores import Scores, Values
from trimtab.statistics import Contrast, compare, one_family

Row = dict[str, Any]


def affected_rows(
    contrasts: list[Row],
    scores: Scores,
    digests: dict[int, NDArray[np.uint64]],
    clusters: NDArray | None,
    settings: Row,
) -> list[Row]:
    """A row a contrast whose inputs differ somewhere: means, difference and verdict on those examples.

    contrasts: rows as the analysis makes them, with their seeds; digests: (examples,) by variant; clusters:
    (examples,) or None; settings: [compare]. p is adjusted over these rows.
    """
    rows, results = [], []
    for row in contrasts:
        pair = row["variant"], row["baseline_number"]
        mask = digests[pair[0]] != digests[pair[1]]
        if not mask.any():  # identical inputs, or such as differ in other splits alone
            continue
        both = np.stack([scores.on(number, row["seeds"], mask) for number in pair])
        grouped, bounded = None if clusters is None else clusters[mask], scores.score.bounded
        results.append(_on(both, grouped, row["paired"], settings, bounded))
        rows.append(
            {key: row[key] for key in ("variant", "name", "baseline", "baseline_number")}
            | {"pairs": int(mask.sum()), "share": float(mask.mean())}
            | {"mean": float(both[0].mean()), "baseline_mean": float(both[1].mean())}
        )
    family = one_family(results, settings["alpha"], "bh" if settings["exploratory"] else "holm")
    return [asdict(result) | row for row, result in zip(rows, family, strict=True)]


def _on(both: Values, clusters: NDArray | None, paired: bool, settings: Row, bounded: bool) -> Contrast:
    [result] = compare(
        both,
        [(0, 1)],
        clusters=clusters,
        groups=range(2),  # each with its own variance, as one pooled on all examples says nothing of these
        paired=paired,
        alpha=settings["alpha"],
        margin=settings["margin"],
        correction="none",
        bounded=bounded,
    )
    return result
