"""Intervals of one mean by macro F1 and calibration error with few rows: how often they hold the truth."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.statistics import SCORES, mean_interval

SEEDS, LARGE = 10, 200_000
# Shares of the labels, and how much the right class is preferred: even, easy, and with a rare class.
SETTINGS = {
    "even": ((1, 1, 1), 1.5),
    "easy": ((1, 1, 1), 4.0),
    "two": ((4, 1), 1.0),
    "rare": ((73, 17, 7, 2), 1.5),
}


@dataclass(frozen=True)
class FewRows:
    """A score on so many rows of one of the settings."""

    score: str
    rows: int
    setting: str


def few_rows() -> list[FewRows]:
    """Every row of the table."""
    scores, numbers = ("macro_f1", "calibration_error"), (50, 100, 200, 500, 2000)
    return [FewRows(score, rows, setting) for score in scores for rows in numbers for setting in SETTINGS]


def row(cell: FewRows, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """Coverage and bias of one mean; limits hold where reports show an interval: ``coverage`` then."""
    score = SCORES[cell.score]
    truth = _truth(cell)
    means, inside = [], 0
    for _ in range(studies):
        estimate = mean_interval(score.function(*_draw(cell, cell.rows, SEEDS, rng)))
        means.append(estimate.mean)
        inside += estimate.ci_low <= truth <= estimate.ci_high
    shown = "shown_coverage" if score.has_interval(cell.rows) else "hidden_coverage"
    return asdict(cell) | {shown: inside / studies, "bias": float(np.mean(means)) - truth}


def _truth(cell: FewRows) -> float:
    """The score on very many rows, without pseudo-values' bias."""
    values = SCORES[cell.score].function(*_draw(cell, LARGE, 1, np.random.default_rng(9)))
    return float(values.mean())


def _draw(
    cell: FewRows, rows: int, seeds: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits (seeds, rows, classes) and labels (rows,)."""
    shares, preferred = SETTINGS[cell.setting]
    labels = rng.choice(len(shares), rows, p=np.array(shares) / sum(shares))
    logits = 0.8 * rng.standard_normal((1, rows, len(shares)))
    logits = logits + 0.3 * rng.standard_normal((seeds, rows, len(shares)))
    right = preferred + 1.5 * rng.standard_normal((1, rows)) + 0.4 * rng.standard_normal((seeds, rows))
    logits[:, np.arange(rows), labels] += right
    return logits.astype(np.float32), labels
