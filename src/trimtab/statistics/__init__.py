"""Statistics over scores ``(variants, seeds, examples)``: what differs, by how much, and how surely."""

from trimtab.statistics.best import behind_best, gap_bounds
from trimtab.statistics.compare import Contrast, at_margin, compare, one_family
from trimtab.statistics.crossed import Components, IntervalEstimate, effective_clusters, mean_interval
from trimtab.statistics.equivalence import tost
from trimtab.statistics.intervals import adjusted_interval, equivalence_interval
from trimtab.statistics.looks import Looks
from trimtab.statistics.mcnemar import CheckpointTest, mcnemar
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
from trimtab.statistics.sequence import fixed_sequence
from trimtab.statistics.sequential import sequential, sequential_p

__all__ = [
    "SCORES",
    "CheckpointTest",
    "Components",
    "Contrast",
    "IntervalEstimate",
    "Looks",
    "Score",
    "adjusted_interval",
    "assumed_parts",
    "at_margin",
    "behind_best",
    "benjamini_hochberg",
    "compare",
    "contrast_parts",
    "effective_clusters",
    "equivalence_interval",
    "fixed_sequence",
    "gap_bounds",
    "holm",
    "mcnemar",
    "mean_interval",
    "one_family",
    "rescaled",
    "score_named",
    "scores_for",
    "seeds_needed",
    "seeds_to_settle",
    "sequential",
    "sequential_p",
    "smallest_detectable",
    "tost",
]
