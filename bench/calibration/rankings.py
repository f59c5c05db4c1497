"""Rankings: how often two equal variants are called different, by query, and what a better one's power is."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.statistics import SCORES, Truth, compare

CANDIDATES, ALPHA, MARGIN = 8, 0.05, 0.01
# Of outputs: how much a relevant passage is preferred, how much that varies over queries, what a passage has
# for every model, for one variant, and for one trained model; of the preference, over seeds.
SKILL, OF_QUERY, OF_TEXT, OF_VARIANT, OF_MODEL, OF_SEED = 1.0, 0.8, 0.7, 0.35, 0.35, 0.08
BETTER = 0.15  # what the better variant's preference has more


@dataclass(frozen=True)
class Rankings:
    """A measure on so many queries, with so many seeds."""

    score: str
    queries: int
    seeds: int


def rankings() -> list[Rankings]:
    """Every row of the table."""
    return [
        Rankings(score, queries, seeds)
        for score in ("map", "ndcg@10", "mrr@10")
        for queries in (100, 250, 1000)
        for seeds in (3, 5)
    ]


def row(cell: Rankings, studies: int, rng: np.random.Generator) -> dict[str, Any]:
    """False positives and coverage of two equal variants, and the power of one that is better."""
    wrong = inside = found = 0
    for _ in range(studies):
        outputs, truth = _draw(cell, rng)
        together = outputs.reshape(3 * cell.seeds, -1, 1)  # queries are sorted out once
        values = SCORES[cell.score].of(together, truth).reshape(3, cell.seeds, -1)
        equal, better = compare(values, [(1, 0), (2, 0)], margin=MARGIN, correction="none", bounded=True)
        wrong += equal.p < ALPHA
        inside += equal.ci_low <= 0 <= equal.ci_high
        found += better.p < ALPHA and better.delta > 0
    rates = {"type_1": wrong / studies, "coverage": inside / studies, "power": found / studies}
    return asdict(cell) | rates


def _draw(cell: Rankings, rng: np.random.Generator) -> tuple[NDArray[np.float64], Truth]:
    """Outputs (3 variants, seeds, examples, 1) and which examples are relevant: one to three of a query."""
    shape = cell.queries, CANDIDATES
    relevant = rng.random(shape).argsort(axis=1) < rng.integers(1, 4, (cell.queries, 1))
    preferred = SKILL + OF_QUERY * rng.standard_normal((cell.queries, 1))
    text = OF_TEXT * rng.standard_normal(shape)
    of_variant = OF_VARIANT * rng.standard_normal((3, 1, *shape))
    of_model = OF_MODEL * rng.standard_normal((3, cell.seeds, *shape))
    of_seed = OF_SEED * rng.standard_normal((3, cell.seeds, 1, 1))
    extra = np.array([0.0, 0.0, BETTER])[:, None, None, None]
    outputs = text + of_variant + of_model + relevant * (preferred + of_seed + extra)
    query = np.repeat(np.arange(cell.queries), CANDIDATES)
    return outputs.reshape(3, cell.seeds, -1, 1), Truth(relevant.ravel().astype(float), query)
