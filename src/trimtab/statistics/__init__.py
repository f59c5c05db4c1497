"""Statistics over scores ``(variants, seeds, examples)``: what differs, by how much, and how surely."""

from trimtab.statistics.best import behind_best, gap_bounds
from trimtab.statistics.chances import FinishedContrast, chances_to_settle
from trimtab.statistics.compare import Contrast, at_margin, compare, one_family
from trimtab.statistics.crossed import Components, IntervalEstimate, effective_clusters, mean_interval
from trimtab.statistics.equivalence import tost
from trimtab.statistics.intervals import adjusted_interval, equivalence_interval
from trimtab.statistics.looks import Looks
from trimtab.statistics.mcnemar import CheckpointTest, mcnemar
from trimtab.statistics.multiplicity import benjamini_hochberg, holm
from trimtab.statistics.paired_examples import PairedTest, paired_examples
from trimtab.statistics.power import (
    assumed_parts,
    contrast_parts,
    floor_of_examples,
    rescaled,
    smallest_detectable,
    smallest_margin,
)
from trimtab.statistics.rankings import expected
from trimtab.statistics.scores import GIVEN, SCORES, USUAL, Score, score_named, score_or_given, scores_for
from trimtab.statistics.seed_variance import SeedVariance, seed_variances
from trimtab.statistics.sequence import fixed_sequence
from trimtab.statistics.sequential import sequential, sequential_p
from trimtab.statistics.truth import Truth

__all__ = [
    "GIVEN",
    "SCORES",
    "USUAL",
    "CheckpointTest",
    "Components",
    "Contrast",
    "FinishedContrast",
    "IntervalEstimate",
    "Looks",
    "PairedTest",
    "Score",
    "SeedVariance",
    "Truth",
    "adjusted_interval",
    "assumed_parts",
    "at_margin",
    "behind_best",
    "benjamini_hochberg",
    "chances_to_settle",
    "compare",
    "contrast_parts",
    "effective_clusters",
    "equivalence_interval",
    "expected",
    "fixed_sequence",
    "floor_of_examples",
    "gap_bounds",
    "holm",
    "mcnemar",
    "mean_interval",
    "one_family",
    "paired_examples",
    "rescaled",
    "score_named",
    "score_or_given",
    "scores_for",
    "seed_variances",
    "sequential",
    "sequential_p",
    "smallest_detectable",
    "smallest_margin",
    "tost",
]
