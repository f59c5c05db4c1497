"""Statistics over scores ``(variants, seeds, examples)``: what differs, by how much, and how surely."""

from trimtab.statistics.bootstrap import multi_bootstrap
from trimtab.statistics.compare import Contrast, compare, one_family
from trimtab.statistics.crossed import Components, Estimate, effective_clusters, mean_interval
from trimtab.statistics.dominance import almost_stochastic_order, probability_of_improvement
from trimtab.statistics.equivalence import tost
from trimtab.statistics.mcnemar import mcnemar
from trimtab.statistics.multiplicity import benjamini_hochberg, holm
from trimtab.statistics.power import (
    assumed_parts,
    contrast_parts,
    rescaled,
    seeds_needed,
    seeds_to_settle,
    smallest_detectable,
)
from trimtab.statistics.scores import SCORES, Score, score_named, scores_for
from trimtab.statistics.secondary import Secondary
from trimtab.statistics.seed_means import paired_t, permutation_test

__all__ = [
    "SCORES",
    "Components",
    "Contrast",
    "Estimate",
    "Score",
    "Secondary",
    "almost_stochastic_order",
    "assumed_parts",
    "benjamini_hochberg",
    "compare",
    "contrast_parts",
    "effective_clusters",
    "holm",
    "mcnemar",
    "mean_interval",
    "multi_bootstrap",
    "one_family",
    "paired_t",
    "permutation_test",
    "probability_of_improvement",
    "rescaled",
    "score_named",
    "scores_for",
    "seeds_needed",
    "seeds_to_settle",
    "smallest_detectable",
    "tost",
]
