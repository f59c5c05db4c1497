"""Studies whose truth is known: how their scores are drawn, and what the crossed analysis says of them.

Variant k is right on example i with seed s with probability q + z q (1 - q), where q is the logistic function
of strength_k + difficulty_i + taste_ki, and z = z_ks is the effect of the seed: seeds move uncertain examples
most, and the mean over seeds is exactly q. Difficulty and taste are normal; with clusters, half the variance
of each belongs to the cluster. Seeds are independent; where seeds are paired, half the variance of the seeds'
effect is common to all variants.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy import optimize, special, stats

from trimtab.statistics import tost
from trimtab.statistics.crossed import Clusters, contrast_components, paired, unpaired
from trimtab.statistics.equivalence import se_at_margin
from trimtab.statistics.spreads import own_spread

Floats = NDArray[np.float64]
Scores = NDArray[np.bool_]

ALPHA, MARGIN, BETTER = 0.05, 0.005, 0.01
ACCURACY = 0.8
DIFFICULTY, TASTE = 2.2, 1.4  # standard deviations, on the logistic scale
FEW_CLUSTERS = 75
DEVIATIONS = {"low": 0.001, "high": 0.008, "highest": 0.02}  # of one variant's accuracy over seeds
BLOCK = 400_000  # scores drawn together, few enough for the processor's cache


@dataclass(frozen=True)
class Cell:
    """One row of the table: numbers of seeds and examples, noise of the seeds, pairing, clusters."""

    seeds: int
    examples: int
    noise: str
    paired: bool
    clusters: str

    def labels(self, rng: np.random.Generator) -> NDArray[np.int64] | None:
        """Cluster ids (examples,) of unequal sizes, or None."""
        if self.clusters == "none":
            return None
        number = FEW_CLUSTERS if self.clusters == "few" else self.examples // 3
        weights = rng.gamma(2.0, size=number)
        return rng.choice(number, self.examples, p=weights / weights.sum())


class Model:
    """Draws scores whose true means are known. ``differences`` (variants,) from the baseline's accuracy."""

    def __init__(self, differences: tuple[float, ...]) -> None:
        nodes, weights = hermegauss(201)
        self.weights = weights / weights.sum()
        self.nodes = nodes * np.hypot(DIFFICULTY, TASTE)
        targets = ACCURACY + np.array(differences)
        self.strengths = np.array([optimize.brentq(self._excess, -20, 20, args=(t,)) for t in targets])
        sure = special.expit(self.nodes + self.strengths[0])
        self.doubt = float(self.weights @ (sure * (1 - sure)))

    def _excess(self, strength: float, target: float) -> float:
        return float(self.weights @ special.expit(self.nodes + strength)) - target

    def scores(
        self, cell: Cell, labels: NDArray[np.int64] | None, studies: int, rng: np.random.Generator
    ) -> Scores:
        """Scores (variants, studies, seeds, examples) of studies that share their clusters."""
        n_variants = len(self.strengths)
        latent = TASTE * _normal(rng, (n_variants, studies), cell.examples, labels)
        latent += DIFFICULTY * _normal(rng, (studies,), cell.examples, labels)
        latent += self.strengths.astype(np.float32)[:, None, None]
        sure = special.expit(latent)
        doubt = sure * (1 - sure)
        moved = rng.standard_normal((n_variants, studies, cell.seeds))
        if cell.paired:
            moved = (moved + rng.standard_normal((1, studies, cell.seeds))) / np.sqrt(2)
        moved *= DEVIATIONS[cell.noise] / self.doubt
        drawn = rng.random((n_variants, studies, cell.seeds, cell.examples), dtype=np.float32)
        drawn -= moved.astype(np.float32)[..., None] * doubt[..., None, :]
        return drawn < sure[..., None, :]


def _normal(
    rng: np.random.Generator, rows: tuple[int, ...], n_examples: int, labels: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    own = rng.standard_normal((*rows, n_examples), dtype=np.float32)
    if labels is None:
        return own
    shared = rng.standard_normal((*rows, labels.max() + 1), dtype=np.float32)
    return (own + shared[..., labels]) / np.float32(np.sqrt(2))


@dataclass(frozen=True)
class Answers:
    """The result of the analysis for each contrast of each study: arrays (contrasts, studies)."""

    delta: Floats
    se: Floats
    df: Floats
    p: Floats
    p_equivalence: Floats

    @property
    def reach(self) -> Floats:
        """Half the length of the interval."""
        return np.asarray(stats.t.ppf(1 - ALPHA / 2, self.df) * self.se)


def analyse(scores: Scores, cell: Cell, labels: NDArray[np.int64] | None) -> Answers:
    """Every later variant against the first, with the functions that ``compare`` uses.

    ``scores`` (variants, studies, seeds, examples).
    """
    clusters = Clusters(labels, cell.examples)
    parts = contrast_components(scores[1:], scores[0], clusters, cell.paired)
    if cell.paired:
        variance, df = paired(parts)
    else:
        means = scores.mean(axis=-1)
        variance, df = unpaired(parts, own_spread(means[1:], 1), own_spread(means[0], 0))
    se = np.sqrt(variance)
    at_margin = se_at_margin(parts.mean, se, MARGIN, clusters.effective)
    return Answers(
        delta=parts.mean,
        se=se,
        df=df,
        p=np.asarray(2 * stats.t.sf(np.abs(parts.mean) / se, df)),
        p_equivalence=tost(parts.mean, at_margin, df, MARGIN),
    )


def simulate(cell: Cell, model: Model, studies: int, rng: np.random.Generator) -> Answers:
    """The answers for ``studies`` simulated studies of a cell."""
    block = max(1, BLOCK // (len(model.strengths) * cell.seeds * cell.examples))
    found = []
    for begin in range(0, studies, block):
        labels = cell.labels(rng)
        number = min(block, studies - begin)
        found.append(analyse(model.scores(cell, labels, number, rng), cell, labels))
    names = ("delta", "se", "df", "p", "p_equivalence")
    return Answers(*(np.concatenate([getattr(part, name) for part in found], axis=1) for name in names))


def cells() -> Iterator[Cell]:
    """Every cell of the main table; two seeds, exploratory, only where there are no clusters."""
    for together, clusters, noise, examples in itertools.product(
        (True, False), ("none", "many", "few"), ("low", "high"), (1000, 9824)
    ):
        for seeds in (2, 3, 5, 10) if clusters == "none" else (3, 5, 10):
            yield Cell(seeds, examples, noise, together, clusters)
